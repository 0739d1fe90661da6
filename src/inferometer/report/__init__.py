"""Reports: results read and drawn; nothing is computed here that a verdict doesn't hold."""

from inferometer.report.agreement import agreement_markdown, print_agreements
from inferometer.report.comparison import comparison_html, comparison_markdown, write_comparison
from inferometer.report.comparison_terminal import print_comparison
from inferometer.report.formats import print_formats
from inferometer.report.html import write_html
from inferometer.report.terminal import print_session, print_sessions

__all__ = [
    "agreement_markdown",
    "comparison_html",
    "comparison_markdown",
    "print_agreements",
    "print_comparison",
    "print_formats",
    "print_session",
    "print_sessions",
    "write_comparison",
    "write_html",
]
