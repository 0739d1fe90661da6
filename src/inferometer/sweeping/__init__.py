"""Sweeping: a matrix of options measured resumably, and the choice among them."""

__all__: list[str] = []
