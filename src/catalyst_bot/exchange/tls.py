"""TLS for clients that only know Alpaca's host names: a certificate authority of our own.

A folder holds the authority (`ca.pem`, to be trusted by clients) and the certificate of the server
for all of Alpaca's hosts. It is made once, with the openssl command, and used again.
"""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from catalyst_bot.domain.errors import ConfigError

HOSTS: Final = (
    "paper-api.alpaca.markets",
    "api.alpaca.markets",
    "data.alpaca.markets",
    "stream.data.alpaca.markets",
    "localhost",
)
DAYS: Final = "3650"
_NEW_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_CA_FORM: Final = """\
[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
CN = catalyst-bot exchange, for tests only
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
"""
_SERVER_FORM: Final = """\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files of the server, and the authority its clients have to trust."""

    authority: Path
    chain: Path
    key: Path


def certificate_in(folder: Path) -> Certificate:
    """Return the certificate in a folder, made first where the folder has none.

    Raises:
        ConfigError: it cannot be made or does not fit together; says what to do.
    """
    certificate = Certificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    files = (certificate.authority, certificate.chain, certificate.key)
    if not any(path.exists() for path in files):
        _make(certificate)
    missing = [path.name for path in files if not path.exists()]
    if missing:
        raise ConfigError(
            f"--tls {folder}: {', '.join(missing)} missing beside the others; delete the folder "
            "and it is made anew"
        )
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"--tls {folder}: server.pem and server.key do not go together ({error}); delete the "
            "folder and it is made anew"
        ) from error
    return certificate


def _make(certificate: Certificate) -> None:
    folder = certificate.chain.parent
    command = shutil.which("openssl")
    if command is None:
        raise ConfigError(
            f"--tls {folder}: the openssl command is needed to make a certificate; install it, or "
            "put ca.pem, server.pem and server.key there"
        )
    folder.mkdir(parents=True, exist_ok=True)
    names = ",".join([*(f"DNS:{host}" for host in HOSTS), "IP:127.0.0.1", "IP:::1"])
    with TemporaryDirectory() as scratch:
        work = Path(scratch)
        (work / "ca.cnf").write_text(_CA_FORM, encoding="ascii")
        (work / "server.ext").write_text(_SERVER_FORM.format(names=names), encoding="ascii")
        made = ("-keyout", "ca.key", "-out", "ca.pem", "-config", "ca.cnf")
        asked = ("-keyout", "server.key", "-out", "server.csr", "-config", "ca.cnf")
        subject = ("-subj", f"/CN={HOSTS[0]}")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem")
        for arguments in (
            ("req", "-x509", *_NEW_KEY, *made, "-days", DAYS),
            ("req", *_NEW_KEY, *asked, *subject),
            ("x509", "-req", "-in", "server.csr", *signed, "-extfile", "server.ext", "-days", DAYS),
        ):
            _run(command, arguments, work, folder)
        _install(work, certificate)


def _run(command: str, arguments: tuple[str, ...], work: Path, folder: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [command, *arguments], cwd=work, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ConfigError(
            f"--tls {folder}: openssl could not make a certificate: {done.stderr.strip()}"
        )


def _install(work: Path, certificate: Certificate) -> None:
    """Put the files in place, the key first and readable for its owner only."""
    with os.fdopen(os.open(certificate.key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as key:
        key.write((work / "server.key").read_text(encoding="ascii"))
    for path in (certificate.chain, certificate.authority):
        path.write_text((work / path.name).read_text(encoding="ascii"), encoding="ascii")
