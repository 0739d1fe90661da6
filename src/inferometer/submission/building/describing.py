"""Describing: the system description that belongs to the runs of a submission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inferometer.rounds import Round
from inferometer.runs import Session, describe_system
from inferometer.runs.request import NETWORK, NETWORK_SUT
from inferometer.submission.building.belonging import differences
from inferometer.submission.building.request import SubmissionError, SubmissionRequest
from inferometer.submission.building.texts import DEMO_NOTE
from inferometer.submission.system import (
    Sources,
    check_filled,
    described,
    generator_facts,
    installed_frameworks,
    known_keys,
    machine_facts,
    read_description,
    software_of_runs,
)

__all__ = ["describe_for", "description_of_machine"]

_FIXED = ("submitter", "division")


def description_of_machine(
    book: Round, sessions: list[Session], sources: Sources | None = None
) -> dict[str, str]:
    """Give the description of this machine with every key of the round, unknown ones empty.

    With sessions it is that of the system that they ran on, and of the frameworks that ran.
    """
    if not sessions:
        return described(book, machine_facts(sources), installed_frameworks())
    if _is_behind_network(sessions, book):
        return described(book, *_known_of_network(sessions, sources), is_network=True)
    return described(book, *_known(sessions, sources))


def describe_for(
    sessions: list[Session], request: SubmissionRequest, sources: Sources | None = None
) -> dict[str, str]:
    """Describe the system that sessions ran on, filled or overridden by the user's file.

    This machine tells about itself only if the runs were recorded on it; otherwise what they
    noted has to do, and the file. Raises `SystemDescriptionError` for what is still missing.
    """
    book = request.book
    is_network = request.is_network or _is_behind_network(sessions, book)
    fixed = {"submitter": request.submitter, "division": request.division}
    given: Mapping[str, str] = {}
    if request.system_file is not None:
        known_names = known_keys(book, is_network=is_network)
        given = read_description(request.system_file, known_names)
        for key in _FIXED:
            if given.get(key) not in (None, "", fixed[key]):
                raise SubmissionError(
                    f"{request.system_file}: {key} is {given[key]!r}, and --{key} is {fixed[key]!r}"
                )
    known = _known_of_network(sessions, sources) if is_network else _known(sessions, sources)
    named = {"system_name": request.system_id}
    values = described(book, named, *known, given, fixed, is_network=is_network)
    if not is_network:
        # What runs on the other side of a network is for its owner to say.
        _check_frameworks(sessions, values["framework"], request)
    if request.demo and DEMO_NOTE not in values["sw_notes"]:
        values["sw_notes"] = " ".join(text for text in (values["sw_notes"], DEMO_NOTE) if text)
    check_filled(book, values)
    return values


def _known(sessions: list[Session], sources: Sources | None) -> tuple[Mapping[str, str], ...]:
    """Give what is known without the user: from the runs, the machine, and the runs' software."""
    noted = sessions[0].system
    machine = {} if differences(describe_system(), noted) else machine_facts(sources)
    backends = [session.backend for session in sessions]
    return _facts_of_run(noted), machine, software_of_runs(backends, noted)


def _is_behind_network(sessions: list[Session], book: Round) -> bool:
    """Tell whether the system was behind a network, which the open division takes as well."""
    names = [test.recording.sut_name for session in sessions for test in session.tests]
    return NETWORK in book.divisions and any(NETWORK_SUT in name for name in names)


def _known_of_network(
    sessions: list[Session], sources: Sources | None
) -> tuple[Mapping[str, str], ...]:
    """Give what is known of a system behind a network: only the generator's side of it."""
    noted = sessions[0].system
    is_here = not differences(describe_system(), noted)
    backend = sessions[0].backend
    scheme = str(backend.get("url", "")).partition(":")[0]
    protocol = "gRPC" if scheme.startswith("grpc") else "HTTP"
    secured = " over TLS" if scheme in ("https", "grpcs") else ""
    return (
        generator_facts(sources or Sources()) if is_here else {},
        {
            "network_protocol": f"Open Inference Protocol, {protocol}{secured}, TCP",
            "number_connections": str(backend.get("connections") or ""),
        },
    )


def _check_frameworks(
    sessions: list[Session], described_as: str, request: SubmissionRequest
) -> None:
    """Refuse a description that doesn't name a framework that ran."""
    for session in sessions:
        name = str(session.backend.get("framework") or "")
        if name.lower() not in described_as.lower():
            raise SubmissionError(
                f"{request.system_file}: framework is {described_as!r}, and {session.folder} ran "
                f"on {name}; name it, or leave framework out"
            )


def _facts_of_run(noted: Mapping[str, Any]) -> dict[str, str]:
    """Give what a session noted of its system, by key of the description."""
    memory = noted.get("memory_gib")
    return {
        "number_of_nodes": "1",
        "host_processor_model_name": str(noted.get("processor") or ""),
        "host_memory_capacity": f"{memory} GiB" if memory else "",
        "operating_system": str(noted.get("operating_system") or ""),
    }
