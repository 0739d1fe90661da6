"""Comparing: options or recorded runs set against each other, with what speaks against it."""

__all__: list[str] = []
