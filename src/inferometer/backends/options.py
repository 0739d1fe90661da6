"""Backend options: read from what the user wrote, or an error that says what is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inferometer.backends.protocol import Backend, BackendError, BackendOptions
from inferometer.loadgen import nearest_name

__all__ = ["check_device", "check_options", "choice", "flag", "number"]

_YES_OR_NO = {"yes": True, "no": False}


def check_options(backend: Backend, options: BackendOptions, known: Sequence[str]) -> None:
    """Raise `BackendError` for a precision or an extra option that a backend doesn't know."""
    if options.precision not in backend.precisions:
        raise BackendError(
            f"{backend.name} has no precision {options.precision!r}; it computes in "
            f"{', '.join(backend.precisions)}"
        )
    for name in options.extra:
        if name not in known:
            offered = f"it knows {', '.join(sorted(known))}" if known else "it knows none"
            hint = nearest_name(name, known)
            raise BackendError(f"{backend.name} has no option {name!r}{hint}; {offered}")


def check_device(backend: Backend, device: str, offered: Iterable[str]) -> None:
    """Raise `BackendError` for a device that isn't one of those offered."""
    known = list(offered)
    if device not in known:
        raise BackendError(
            f"{backend.name} has no device {device!r} here; it offers {', '.join(known)}"
        )


def choice(options: BackendOptions, name: str, known: Sequence[str]) -> str:
    """Give what an option is set to; the first of those known is the default."""
    value = options.extra.get(name, known[0])
    if value not in known:
        raise BackendError(f"{name} is {value!r}; it takes {', '.join(known)}")
    return value


def flag(options: BackendOptions, name: str, *, default: bool) -> bool:
    """Read an option that takes yes or no."""
    text = options.extra.get(name)
    if text is None:
        return default
    if text not in _YES_OR_NO:
        raise BackendError(f"{name} is {text!r}; it takes yes or no")
    return _YES_OR_NO[text]


def number(options: BackendOptions, name: str, default: int | None = None) -> int | None:
    """Read an option that takes a whole number from 1 up."""
    text = options.extra.get(name)
    if text is None:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise BackendError(f"{name} is {text!r}; it takes a whole number from 1 up")
    return int(text)
