"""TLS: a client that only knows Alpaca's host names trades on this machine."""

from __future__ import annotations

import json
import os
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx
import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.exchange.serving.tls import HOSTS, Certificate, certificate_in
from tests.exchange.process import exchange

PROGRAM = Path(__file__).with_name("only_knows_alpaca.py")
LEADS_HERE = """\
import socket
known = socket.getaddrinfo
def look_up(host, port, *more, **options):
    if isinstance(host, bytes):
        host = host.decode()
    if host not in {hosts} or port not in (443, "https"):
        raise OSError(f"nobody may look up {{host}}:{{port}}")
    return known("127.0.0.1", {port}, *more, **options)
socket.getaddrinfo = look_up
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate_in(tmp_path_factory.mktemp("tls"))


def test_an_unmodified_client_of_alpaca_trades_here(
    certificate: Certificate, tmp_path: Path
) -> None:
    flags = ("--key", "KEY1", "--secret", "secret1", "--speed", "60")
    with exchange(*flags, "--tls", str(certificate.chain.parent)) as running:
        assert running.url.startswith("https://127.0.0.1:")
        port = httpx.URL(running.url).port
        code = LEADS_HERE.format(hosts=set(HOSTS), port=port)
        (tmp_path / "sitecustomize.py").write_text(code)
        trust = str(certificate.authority)
        done = subprocess.run(
            [sys.executable, str(PROGRAM), "KEY1", "secret1"],
            env={
                **os.environ,
                "PYTHONPATH": str(tmp_path),
                "REQUESTS_CA_BUNDLE": trust,
                "SSL_CERT_FILE": trust,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["cash"] == "100000"
    assert seen["trade"] == "ARVQ"
    assert float(seen["fill"]) > 0
    assert float(seen["ask"]) > 0


def test_who_does_not_trust_the_authority_does_not_connect(certificate: Certificate) -> None:
    with exchange("--tls", str(certificate.chain.parent)) as running:
        with pytest.raises(httpx.ConnectError):
            httpx.get(running.url + "/v2/account")
        trusting = ssl.create_default_context(cafile=str(certificate.authority))
        assert httpx.get(running.url + "/v2/account", verify=trusting).status_code == 401


def test_the_certificate_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    made = certificate_in(tmp_path / "new" / "tls")
    before = made.chain.read_bytes()
    assert certificate_in(tmp_path / "new" / "tls").chain.read_bytes() == before
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert "PRIVATE KEY" not in made.authority.read_text()
    assert sorted(path.name for path in made.chain.parent.iterdir()) == [
        "ca.pem",
        "server.key",
        "server.pem",
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    certificate_in(tmp_path).key.unlink()
    with pytest.raises(ConfigError, match=r"server\.key missing"):
        certificate_in(tmp_path)


def test_files_that_do_not_fit_are_named(tmp_path: Path) -> None:
    mine, other = certificate_in(tmp_path / "a"), certificate_in(tmp_path / "b")
    mine.key.write_bytes(other.key.read_bytes())
    with pytest.raises(ConfigError, match="do not go together"):
        certificate_in(tmp_path / "a")


def test_without_openssl_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="openssl command is needed"):
        certificate_in(tmp_path / "tls")
