"""Capacity: the highest load that keeps a latency bound, found with a stated confidence."""

__all__: list[str] = []
