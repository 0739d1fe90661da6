"""Network facts: the cards that a machine has, and how fast their links are."""

from __future__ import annotations

from collections import Counter

from inferometer.submission.system.processor import NOT_APPLICABLE
from inferometer.submission.system.sources import Sources

__all__ = ["generator_facts", "network_facts"]

_INTERFACES = "sys/class/net"
_KINDS = {"1": "Ethernet", "32": "InfiniBand"}


def network_facts(sources: Sources) -> dict[str, str]:
    """Give the number of cards and their kinds; one node has no topology of a network.

    Two interfaces of one card, such as its ports, count as one card.
    """
    cards, links = set(), Counter[str]()
    for name in sources.names(_INTERFACES):
        folder = f"{_INTERFACES}/{name}"
        # What has no device behind it is a bridge, a tunnel or the loopback.
        if not sources.has(f"{folder}/device"):
            continue
        cards.add(_card(sources, folder, name))
        links[_link(sources, folder)] += 1
    texts = [f"{count} x {text}" if count > 1 else text for text, count in sorted(links.items())]
    return {
        "host_network_card_count": str(len(cards)) if sources.names(_INTERFACES) else "",
        "host_networking": ", ".join(texts),
        "host_networking_topology": NOT_APPLICABLE,
    }


def generator_facts(sources: Sources) -> dict[str, str]:
    """Give what is asked of the side of the generator where the system is behind a network."""
    found = network_facts(sources)
    release = sources.text("proc/sys/kernel/osrelease")
    return {
        "nic_loadgen": found["host_networking"],
        "number_nic_loadgen": found["host_network_card_count"],
        "net_software_stack_loadgen": f"TCP/IP of Linux {release}" if release else "",
    }


def _card(sources: Sources, folder: str, name: str) -> str:
    """Give the card's address on its bus, without the number of the function."""
    address = sources.link_name(f"{folder}/device") or name
    return address.split(".")[0]


def _link(sources: Sources, folder: str) -> str:
    if sources.has(f"{folder}/phy80211"):
        kind = "Wi-Fi"
    else:
        kind = _KINDS.get(sources.text(f"{folder}/type"), "network")
    speed = sources.number(f"{folder}/speed")
    if speed is not None and speed > 0:
        return f"{kind} {speed / 1000:g} Gbit/s"
    driver = sources.link_name(f"{folder}/device/driver")
    return f"{kind} ({driver})" if driver else kind
