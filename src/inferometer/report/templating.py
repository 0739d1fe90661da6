"""Templating: pages from templates, in which every value is text unless it says otherwise."""

from __future__ import annotations

import jinja2

__all__ = ["page_environment"]


def page_environment() -> jinja2.Environment:
    """Give what renders the package's templates; values are escaped, unknown ones are errors."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("inferometer.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
