"""``inferometer serve``: offer a model to others by the Open Inference Protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from inferometer.cli.options import backend_options, workload_options
from inferometer.cli.request import backend_options_of, usual_backend, workload_options_of
from inferometer.hosting import HostedModel, HostOptions, Server
from inferometer.runs import RunRequest
from inferometer.runs.hosted import hosted_file, hosted_workload

__all__ = ["command"]


@click.command("serve")
@click.argument("workload", required=False)
@workload_options
@backend_options
@click.option("--name", help="name that clients call your own model by [default: the file's]")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 for all that ask")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--grpc-port",
    type=click.IntRange(0, 65535),
    help="also gRPC, by this port; 0 takes any that is free, for --port as well",
)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True)
@click.option("--max-batch", type=click.IntRange(1), default=32, show_default=True)
@click.option("--max-wait-ms", type=click.FloatRange(0), default=0.0, show_default=True)
@click.option("--max-body-mib", type=click.IntRange(1), default=64, show_default=True)
@click.option(
    "--max-in-flight",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    help="further requests to a model are told that it is busy",
)
@click.option(
    "--tls-cert", type=click.Path(path_type=Path, dir_okay=False), help="PEM file; TLS only then"
)
@click.option("--tls-key", type=click.Path(path_type=Path, dir_okay=False))
def command(**options: Any) -> None:
    """Offer WORKLOAD's model, or your own, by the Open Inference Protocol (KServe v2).

    Until Ctrl-C or SIGTERM, which let it finish what it is answering. Requests that come
    together are answered in batches. Metrics for Prometheus are at /metrics, health at
    /v2/health/ready. With INFEROMETER_SERVE_TOKEN set, requests have to bring that token.
    """
    host = HostOptions(
        host=options["host"],
        port=options["port"],
        grpc_port=options["grpc_port"],
        workers=options["workers"],
        max_batch_size=options["max_batch"],
        max_wait_ms=options["max_wait_ms"],
        max_body_bytes=options["max_body_mib"] << 20,
        max_in_flight=options["max_in_flight"],
        certificate=options["tls_cert"],
        key=options["tls_key"],
    )
    models = _models(options, host)
    server = Server(models, host)
    where = server.url if server.grpc_url is None else f"{server.url} and {server.grpc_url}"
    names = ", ".join(model.name for model in models)
    server.run(lambda: click.echo(f"serving {names} at {where}"))
    click.echo("stopped")


def _models(options: dict[str, Any], host: HostOptions) -> list[HostedModel]:
    """Load what was asked for: a workload by name, or a file alone."""
    workload, path = options["workload"], options["model"]
    backend, chosen = usual_backend(options), backend_options_of(options)
    if workload is None:
        if path is None:
            raise click.UsageError("name a workload that `inferometer list` shows, or a --model")
        name = options["name"] or path.name.rpartition(":")[2].partition(".")[0]
        return [hosted_file(path, backend, chosen, host, name)]
    if options["name"]:
        raise click.UsageError("--name is for your own model; a workload has its name")
    request = RunRequest(
        workload=workload,
        output=Path(),
        workload_options=workload_options_of(options),
        backend=backend,
        backend_options=chosen,
    )
    return hosted_workload(request, host, lambda text: click.echo(text, err=True))
