"""Translation workloads: the published GNMT, and the pocket one."""

from inferometer.workloads.translation.pocket import PocketGnmt
from inferometer.workloads.translation.reference import Gnmt

__all__ = ["Gnmt", "PocketGnmt"]
