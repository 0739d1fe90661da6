"""System: everything that is said of a simulated system."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace

from inferometer.loadgen import InferometerError
from inferometer.simulating.distribution import Constant, Distribution
from inferometer.simulating.service import ServiceTime

__all__ = [
    "Batching",
    "Failures",
    "Network",
    "Price",
    "Routing",
    "SimulatedSystem",
    "SimulationError",
    "SlowStart",
]

_NONE = Constant(0.0)


class SimulationError(InferometerError):
    """A description can't be read, or what is asked of a simulation can't be answered."""


class Routing(enum.Enum):
    """How queries find a replica."""

    RANDOM = "random"
    ROUND_ROBIN = "round-robin"
    TWO_CHOICES = "two-choices"
    LEAST_OUTSTANDING = "least-outstanding"
    SHARED_QUEUE = "shared-queue"


@dataclass(frozen=True)
class Batching:
    """How a replica forms batches: as `PoolOptions`, with times in ns."""

    workers: int = 1
    max_batch: int = 1
    max_wait_ns: float = 0.0


@dataclass(frozen=True)
class Network:
    """What lies between who asks and a replica: delays each way, ns, without queues.

    request_bytes, response_bytes:
        Size of each, sent at ``bytes_per_s``; 0 for a network of any speed.
    """

    request: Distribution = _NONE
    response: Distribution = _NONE
    request_bytes: float = 0.0
    response_bytes: float = 0.0
    bytes_per_s: float = 0.0

    @property
    def constant_ns(self) -> tuple[float, float]:
        """The time that sending takes, each way."""
        if not self.bytes_per_s:
            return 0.0, 0.0
        each = 1e9 / self.bytes_per_s
        return self.request_bytes * each, self.response_bytes * each

    @property
    def is_instant(self) -> bool:
        """Whether nothing takes any time."""
        return not (self.request.mean or self.response.mean or any(self.constant_ns))

    @property
    def has_jitter(self) -> bool:
        """Whether requests may overtake each other."""
        return not isinstance(self.request, Constant)


@dataclass(frozen=True)
class Failures:
    """Replicas that die, and come back.

    between_s, repair_s:
        Mean time that a replica lives, and that it is gone; both exponential.
    detect_s:
        How long queries still go to a replica that is gone.
    retry_s:
        What was at a replica that died is issued again so long after it was sent; 0 if it is
        lost for good.
    """

    between_s: float
    repair_s: float
    detect_s: float = 0.0
    retry_s: float = 0.0

    @property
    def available(self) -> float:
        """The share of time that a replica is there."""
        return self.between_s / (self.between_s + self.repair_s)


@dataclass(frozen=True)
class SlowStart:
    """Calls of a fresh replica take ``factor`` times as long, less and less over some s."""

    factor: float
    seconds: float


@dataclass(frozen=True)
class Price:
    """What an hour of one replica costs."""

    per_replica_hour: float
    currency: str = ""


@dataclass(frozen=True)
class SimulatedSystem:
    """A system as it is described: what a call takes, and what is around it."""

    service: ServiceTime
    name: str = "simulated"
    replicas: int = 1
    routing: Routing = Routing.RANDOM
    batching: Batching = field(default_factory=Batching)
    network: Network = field(default_factory=Network)
    failures: Failures | None = None
    slow_start: SlowStart | None = None
    price: Price | None = None

    @property
    def saturation_qps(self) -> float:
        """The most queries a second that all replicas together can answer, ever."""
        share = 1.0 if self.failures is None else self.failures.available
        batching = self.batching
        return self.replicas * share * self.service.best_rate(batching.workers, batching.max_batch)

    @property
    def is_independent(self) -> bool:
        """Whether each replica's queries come and are answered whatever the others do."""
        return self.routing in (Routing.RANDOM, Routing.ROUND_ROBIN) and self.failures is None

    def with_replicas(self, replicas: int) -> SimulatedSystem:
        """Give the same system with another number of replicas."""
        return replace(self, replicas=replicas)

    def per_hour(self) -> float | None:
        """Give what an hour of the whole system costs, if a price is known."""
        return None if self.price is None else self.price.per_replica_hour * self.replicas
