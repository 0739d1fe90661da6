"""Templating: pages from templates, in which every value is text unless it says otherwise."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

import jinja2
from markupsafe import Markup

__all__ = ["page_environment", "page_script"]


def page_environment() -> jinja2.Environment:
    """Give what renders the package's templates; values are escaped, unknown ones are errors."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("inferometer.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page_script(*names: str) -> tuple[Markup, str]:
    """Give scripts of the package as one, and the hash by which a page's policy lets it run.

    The hash is that of the text between the tags, to the last sign; the text may not hold what
    would end its element early.
    """
    templates = resources.files("inferometer.report").joinpath("templates")
    text = "\n".join(templates.joinpath(name).read_text("utf-8") for name in names)
    assert "</" not in text
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"sha256-{digest}"  # noqa: S704 - our own files
