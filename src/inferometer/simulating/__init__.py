"""Simulating: a system that is only described, run in virtual time at any scale."""

from inferometer.simulating.capacity import Bound, Capacity, capacity_of, replicas_for
from inferometer.simulating.check import LoadCheck, Validation
from inferometer.simulating.cluster import Cluster
from inferometer.simulating.description import parse_system, read_system, system_toml
from inferometer.simulating.distribution import (
    Constant,
    Distribution,
    Exponential,
    Gamma,
    Lognormal,
    Mixture,
    Quantiles,
)
from inferometer.simulating.example import EXAMPLE
from inferometer.simulating.fitting import Fitted, fit_laps, fit_run, fit_system
from inferometer.simulating.predicting import predict
from inferometer.simulating.prediction import PERCENTILES, Answer, Prediction
from inferometer.simulating.scenario import cluster_for, run_scenario
from inferometer.simulating.service import BatchTime, Cold, Drift, ServiceTime, Slack, Stalls
from inferometer.simulating.study import Study, load_curve
from inferometer.simulating.system import (
    Batching,
    Failures,
    Network,
    Price,
    Routing,
    SimulatedSystem,
    SimulationError,
    SlowStart,
)
from inferometer.simulating.tally import Estimate
from inferometer.simulating.validation import LOADS, Ways, validate

__all__ = [
    "EXAMPLE",
    "LOADS",
    "PERCENTILES",
    "Answer",
    "BatchTime",
    "Batching",
    "Bound",
    "Capacity",
    "Cluster",
    "Cold",
    "Constant",
    "Distribution",
    "Drift",
    "Estimate",
    "Exponential",
    "Failures",
    "Fitted",
    "Gamma",
    "LoadCheck",
    "Lognormal",
    "Mixture",
    "Network",
    "Prediction",
    "Price",
    "Quantiles",
    "Routing",
    "ServiceTime",
    "SimulatedSystem",
    "SimulationError",
    "Slack",
    "SlowStart",
    "Stalls",
    "Study",
    "Validation",
    "Ways",
    "capacity_of",
    "cluster_for",
    "fit_laps",
    "fit_run",
    "fit_system",
    "load_curve",
    "parse_system",
    "predict",
    "read_system",
    "replicas_for",
    "run_scenario",
    "system_toml",
    "validate",
]
