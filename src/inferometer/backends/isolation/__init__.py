"""Isolation: any backend in processes of its own, whose death is only an error here."""
