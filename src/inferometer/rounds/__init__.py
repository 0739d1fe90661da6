"""Published rounds as data: scenarios, counts, and the settings they prescribe."""

from inferometer.rounds.round import Round, load_round, round_names

__all__ = ["Round", "load_round", "round_names"]
