"""TLS: a certificate made for the test, checked by both protocols, and with many in flight."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

import pytest

from inferometer.serving.remote import FaultKind, RemoteFault, RemoteOptions, connect
from tests.hosting.running import Doubling, ones, options, running
from tests.serving.remote.test_http_transport import Job


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that signs itself; give it and its key."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    place = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([place]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


def test_both_protocols_check_the_certificate(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = pair
    chosen = options(grpc_port=0, certificate=certificate, key=key)
    with running(Doubling(), chosen) as server:
        for url in (server.url, str(server.grpc_url)):
            assert url.split(":")[0] in ("https", "grpcs")
            monkeypatch.delenv("INFEROMETER_REMOTE_CA", raising=False)
            transport = connect(url, "m", "", RemoteOptions(timeout_s=5))
            with pytest.raises(RemoteFault) as caught:
                transport.call(ones(1))
            assert caught.value.kind in (FaultKind.UNREACHABLE, FaultKind.CONNECTION_LOST)
            transport.close()

            monkeypatch.setenv("INFEROMETER_REMOTE_CA", str(certificate))
            transport = connect(url, "m", "", RemoteOptions(connections=4))
            assert transport.call(ones(2)).outputs["y"].tolist() == [[2.0, 2.0]] * 2
            large = ones(1 << 16, 4)
            jobs = [Job(large) for _ in range(12)]
            for job in jobs:
                transport.submit(job)
            for job in jobs:
                (reply,) = job.wait().replies
                assert reply.outputs["y"].sum() == 2 * large["x"].size
            transport.close()


def test_certificates_that_can_not_be_used_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFEROMETER_REMOTE_CA", "/nowhere/ca.pem")
    for scheme in ("https", "grpcs"):
        with pytest.raises(RemoteFault, match=r"INFEROMETER_REMOTE_CA names /nowhere/ca.pem"):
            connect(f"{scheme}://127.0.0.1:1", "m", "", RemoteOptions())
