"""Reports: results read and drawn; nothing is computed here that a verdict doesn't hold."""

from inferometer.report.html import write_html
from inferometer.report.terminal import print_session

__all__ = ["print_session", "write_html"]
