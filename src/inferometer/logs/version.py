"""Version fields of the logs: they name Inferometer and never pose as the official build."""

from __future__ import annotations

import functools
from importlib import metadata

__all__ = ["version_fields"]


def version_fields() -> dict[str, str]:
    """Give the version keys of the detail log, in order, without the ``loadgen_`` prefix.

    There is no commit or build of the official LoadGen to name, so those read "NA", which
    readers of the logs accept.
    """
    return {
        "version": f"Inferometer {_version()}",
        "build_date_local": "NA",
        "build_date_utc": "NA",
        "git_commit_date": "NA",
        "git_log_message": "NA",
        "git_status_message": "NA",
    }


@functools.cache
def _version() -> str:
    try:
        return metadata.version("inferometer")
    except metadata.PackageNotFoundError:
        return "0+unknown"
