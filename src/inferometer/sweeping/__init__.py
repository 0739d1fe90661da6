"""Sweeping: a matrix of options measured resumably, and the choice among them."""

from inferometer.sweeping.choice import Choice, Row, choose
from inferometer.sweeping.cost import Price
from inferometer.sweeping.figure import FIGURES, Figure, FigureKind, figures_of
from inferometer.sweeping.matrix import Matrix, parse_matrix, read_matrix
from inferometer.sweeping.need import Answer, Need
from inferometer.sweeping.option import SweepError
from inferometer.sweeping.sweep import MATRIX, load_sweep, run_sweep

__all__ = [
    "FIGURES",
    "MATRIX",
    "Answer",
    "Choice",
    "Figure",
    "FigureKind",
    "Matrix",
    "Need",
    "Price",
    "Row",
    "SweepError",
    "choose",
    "figures_of",
    "load_sweep",
    "parse_matrix",
    "read_matrix",
    "run_sweep",
]
