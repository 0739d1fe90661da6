"""Distributions: of the times that a simulated system takes, drawn by the array."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Constant",
    "Distribution",
    "Exponential",
    "Gamma",
    "Lognormal",
    "Mixture",
    "Quantiles",
    "Reals",
]

Reals = NDArray[np.float64]


class Distribution(Protocol):
    """Non-negative values in a unit of the user's: ns for a time, none for a shape."""

    @property
    def mean(self) -> float:
        """The expected value."""
        ...

    def draw(self, random: np.random.Generator, count: int) -> Reals:
        """Draw independent values, float64 [count]."""
        ...

    def scaled(self, factor: float) -> Distribution:
        """Give the distribution of the values times a factor."""
        ...


@dataclass(frozen=True)
class Constant:
    """The same value always."""

    mean: float

    def draw(self, random: np.random.Generator, count: int) -> Reals:  # noqa: ARG002
        """Give the value so many times."""
        return np.full(count, self.mean)

    def scaled(self, factor: float) -> Constant:
        """Give the distribution of the values times a factor."""
        return Constant(self.mean * factor)


@dataclass(frozen=True)
class Exponential:
    """Exponentially distributed: as likely to end at any moment as at any other."""

    mean: float

    def draw(self, random: np.random.Generator, count: int) -> Reals:
        """Draw independent values, float64 [count]."""
        return random.standard_exponential(count) * self.mean

    def scaled(self, factor: float) -> Exponential:
        """Give the distribution of the values times a factor."""
        return Exponential(self.mean * factor)


@dataclass(frozen=True)
class Lognormal:
    """Lognormal. ``variation`` is the standard deviation over the mean."""

    mean: float
    variation: float

    def draw(self, random: np.random.Generator, count: int) -> Reals:
        """Draw independent values, float64 [count]."""
        variance = math.log1p(self.variation**2)
        logs = random.standard_normal(count) * math.sqrt(variance) - variance / 2
        values: Reals = np.exp(logs) * self.mean
        return values

    def scaled(self, factor: float) -> Lognormal:
        """Give the distribution of the values times a factor."""
        return replace(self, mean=self.mean * factor)


@dataclass(frozen=True)
class Gamma:
    """Gamma. ``variation`` is the standard deviation over the mean; at 1 it is exponential."""

    mean: float
    variation: float

    def draw(self, random: np.random.Generator, count: int) -> Reals:
        """Draw independent values, float64 [count]."""
        shape = self.variation**-2
        return random.standard_gamma(shape, count) * (self.mean / shape)

    def scaled(self, factor: float) -> Gamma:
        """Give the distribution of the values times a factor."""
        return replace(self, mean=self.mean * factor)


@dataclass(frozen=True)
class Quantiles:
    """Given by values at fractions from 0 to 1, both ascending; straight lines between."""

    fractions: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The expected value."""
        values, fractions = np.array(self.values), np.array(self.fractions)
        return float((np.diff(fractions) * (values[1:] + values[:-1]) / 2).sum())

    def draw(self, random: np.random.Generator, count: int) -> Reals:
        """Draw independent values, float64 [count]."""
        drawn: Reals = np.interp(random.random(count), self.fractions, self.values)
        return drawn

    def scaled(self, factor: float) -> Quantiles:
        """Give the distribution of the values times a factor."""
        return replace(self, values=tuple(value * factor for value in self.values))


@dataclass(frozen=True)
class Mixture:
    """One of some distributions, chosen anew for each value: calls, and rare stalls."""

    shares: tuple[float, ...]
    parts: tuple[Distribution, ...]

    @property
    def mean(self) -> float:
        """The expected value."""
        return sum(s * part.mean for s, part in zip(self.shares, self.parts, strict=True))

    def draw(self, random: np.random.Generator, count: int) -> Reals:
        """Draw independent values, float64 [count]."""
        chosen = np.searchsorted(np.cumsum(self.shares)[:-1], random.random(count), side="right")
        values = np.empty(count)
        for number, part in enumerate(self.parts):
            places = np.flatnonzero(chosen == number)
            values[places] = part.draw(random, len(places))
        return values

    def scaled(self, factor: float) -> Mixture:
        """Give the distribution of the values times a factor."""
        return replace(self, parts=tuple(part.scaled(factor) for part in self.parts))
