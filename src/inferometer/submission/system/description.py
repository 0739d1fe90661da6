"""System description: the keys that a round wants, from facts and what the user says."""

from __future__ import annotations

from collections.abc import Mapping

from inferometer.loadgen import nearest_name
from inferometer.rounds import Round
from inferometer.submission.system.file import SystemDescriptionError

__all__ = ["check_filled", "described", "known_keys"]


_IS_NETWORK = "is_network"


def known_keys(book: Round, *, is_network: bool = False) -> tuple[str, ...]:
    """Give every key that a description of the round may have, those it must have first.

    A system behind a network has further ones.
    """
    keys = book.system_keys
    network = (_IS_NETWORK, *keys.network) if is_network else ()
    return tuple(dict.fromkeys((*keys.required, *keys.optional, *network)))


def described(book: Round, *sources: Mapping[str, str], is_network: bool = False) -> dict[str, str]:
    """Give a description with every key of the round; a later source overrides an earlier one.

    An empty value overrides nothing. What no source knows is an empty text. Words that the
    round knows are spelt as it does: some of its checkers take no other spelling.
    """
    values = dict.fromkeys(known_keys(book, is_network=is_network), "")
    for source in sources:
        values.update({key: text for key, text in source.items() if text and key in values})
    for key, words in book.system_keys.values.items():
        values[key] = next((word for word in words if word == values[key].lower()), values[key])
    if is_network:
        values[_IS_NETWORK] = "true"
    return values


def check_filled(book: Round, values: Mapping[str, str]) -> None:
    """Raise `SystemDescriptionError` for keys that are empty or wrong, saying how to give them."""
    keys = book.system_keys
    network = keys.network if values.get(_IS_NETWORK) else ()
    wanted = dict.fromkeys((*keys.filled, *keys.values, *network))
    empty = [key for key in wanted if not values.get(key)]
    if empty:
        lines = "".join(f'\n    "{key}": "…"' for key in empty)
        raise SystemDescriptionError(
            f"round {book.name} wants what this machine doesn't tell: {', '.join(empty)}; write it "
            "into a file, after `inferometer submit --describe-system > system.json`, and give it "
            f"with --system system.json:{lines}"
        )
    for key, words in keys.values.items():
        if values[key].lower() not in words:
            raise SystemDescriptionError(
                f"{key} is {values[key]!r}; it takes one of {'; '.join(words)}"
                f"{nearest_name(values[key], words)}"
            )
    for key in keys.integers:
        if not values[key].isdecimal():
            raise SystemDescriptionError(f"{key} is {values[key]!r}; it takes a whole number")
