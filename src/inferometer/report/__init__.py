"""Reports: results read and drawn; nothing is computed here that a verdict doesn't hold."""

from inferometer.report.agreement import agreement_markdown, print_agreements
from inferometer.report.formats import print_formats
from inferometer.report.html import write_html
from inferometer.report.terminal import print_session, print_sessions

__all__ = [
    "agreement_markdown",
    "print_agreements",
    "print_formats",
    "print_session",
    "print_sessions",
    "write_html",
]
