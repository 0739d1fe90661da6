"""Energy: what counters of the machine say a test took, named by what they count."""

from inferometer.runs.energy.counter import Counter, find_counters
from inferometer.runs.energy.meter import EnergyMeter
from inferometer.runs.energy.usage import EnergyUsage, energy_of

__all__ = ["Counter", "EnergyMeter", "EnergyUsage", "energy_of", "find_counters"]
