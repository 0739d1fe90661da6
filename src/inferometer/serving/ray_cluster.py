"""Ray cluster: the one that a serving uses, found, named or started."""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen import SettingsError
from inferometer.serving.option_words import read_options
from inferometer.serving.replicas import ReplicaError

__all__ = ["RayOptions", "check_ray", "connect_ray", "import_ray", "in_short", "room_for_actors"]

_MISSING = "the serving ray needs Ray, which isn't installed: pip install 'inferometer[ray]'"
_NAMESPACE = "inferometer"
_KEPT_CHARACTERS = 200


@dataclass(frozen=True)
class RayOptions:
    """Where the actors run and what each is given.

    address:
        ``local`` starts a Ray of our own, ``auto`` finds one that runs on this machine,
        ``host:port`` names one; empty takes one that runs here, or else starts one.
    cpus, gpus:
        What Ray sets aside for an actor; the threads of a call aren't held to it.
    restarts:
        How often Ray starts an actor anew; -1 for any number.
    limit_s:
        Longest that actors may take to start, to take samples, or to come back.
    """

    address: str = ""
    cpus: float = 1.0
    gpus: float = 0.0
    restarts: int = 3
    limit_s: float = 300.0

    @classmethod
    def of(cls, values: Mapping[str, str]) -> RayOptions:
        """Read options as words; raise `SettingsError` for one that isn't known or no number."""
        read = read_options(cls, "ray", values)
        if read.address.startswith("ray://"):
            raise SettingsError(
                f"{read.address} goes through Ray's proxy, which is not for measuring; run on "
                "a machine of the cluster, with address=auto or its HOST:PORT"
            )
        return read


def check_ray() -> None:
    """Raise `ReplicaError` if Ray isn't installed, without importing it."""
    try:
        is_there = importlib.util.find_spec("ray") is not None
    except ValueError:
        is_there = False
    if not is_there:
        raise ReplicaError(_MISSING)


def import_ray() -> Any:
    """Import Ray, which takes a second, when it is used."""
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise ReplicaError(_MISSING) from error


def connect_ray(ray: Any, options: RayOptions, count: int | None) -> None:
    """Connect to a cluster, or start one with room for so many actors.

    Raises `ReplicaError` if there is no such cluster.
    """
    # A measurement sends nothing to anybody.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    given: dict[str, Any] = {
        "namespace": _NAMESPACE,
        "log_to_driver": False,
        "logging_level": "warning",
    }
    started = {"address": "local", "include_dashboard": False, **given}
    if count is not None:
        started["num_cpus"] = max(1, math.ceil(count * options.cpus))
    if options.address == "local":
        ray.init(**started)
        return
    try:
        ray.init(address=options.address or "auto", **given)
    except (ConnectionError, ValueError, RuntimeError) as error:
        if not options.address and isinstance(error, ConnectionError):
            ray.init(**started)
            return
        raise ReplicaError(
            f"there is no Ray cluster at {options.address}: {in_short(error)}. Start one with "
            "`ray start --head`, or take --serving-option address=local"
        ) from error


def room_for_actors(ray: Any, options: RayOptions) -> int:
    """Say how many actors the cluster has processors for."""
    has = float(ray.cluster_resources().get("CPU", 0.0))
    room = int(has // options.cpus) if options.cpus else int(has)
    if room < 1:
        raise SettingsError(
            f"the cluster has {has:g} processors, and an actor takes {options.cpus:g}; give fewer "
            "with --serving-option cpus=…"
        )
    return room


def in_short(error: BaseException) -> str:
    """Say on one line what Ray says on many."""
    text = " ".join(str(error).split())
    kind = type(error).__name__
    return f"{kind}: {text[:_KEPT_CHARACTERS]}{'…' if len(text) > _KEPT_CHARACTERS else ''}"
