"""A real IKEv2 responder: strongSwan's charon in namespaces of its own, as root and as an ordinary user alike.

The network namespace gives it ports 500 and 4500 on every address of 127/8, so that one daemon serves as many servers
as there are addresses.
"""

from __future__ import annotations

import datetime
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lab.programs import refuse, require_program

ROOT = Path(__file__).parents[2]
AGENT_CHARON = Path("/usr/lib/ipsec/charon")
_PLUGINS = (
    "random nonce openssl aes des gcm hmac kdf gmp sha1 sha2 md5 x509 pem pkcs1 pkcs8 pubkey constraints eap-identity "
    "eap-md5 kernel-netlink socket-default vici"
)
UNLIMITED = {"cookie_threshold": "0", "cookie_threshold_ip": "100000", "block_threshold": "100000"}
SERVER_NAME = "vpn.example.test"


@dataclass(frozen=True)
class Responder:
    """One server: its address and proposals in strongSwan's words; ``remote`` is how clients must authenticate.

    ``certificate`` names one of the certificates of ``write_certificates`` (None: pre-shared key).
    """

    address: str
    proposals: str
    certificate: str | None = None
    remote: str = "psk"
    options: dict[str, str] = field(default_factory=dict)
    local_auth: str = "pubkey"

    def section(self, name: str) -> str:
        options = "".join(f"    {key} = {value}\n" for key, value in self.options.items())
        local = "local { auth = psk }"
        if self.certificate is not None:
            local = f"local {{\n auth = {self.local_auth}\n certs = {self.certificate}.pem\n id = {SERVER_NAME}\n }}"
        remote = f"remote {{\n auth = {self.remote}\n" + (" eap_id = %any\n" if self.remote == "eap-md5" else "") + " }"
        return (
            f"  {name} {{\n    version = 2\n    local_addrs = {self.address}\n    proposals = {self.proposals}\n"
            f"{options}    {local}\n    {remote}\n    children {{ net {{ esp_proposals = aes128gcm16 }} }}\n  }}\n"
        )


class Charon:
    """A running daemon. ``call`` runs a function of any module beside it, ``command`` a program."""

    def __init__(self, folder: Path, responders: Iterable[Responder], settings: dict[str, str] | None = None) -> None:
        require_program("unshare")
        require_program("swanctl")
        require_program("ip")
        if not AGENT_CHARON.exists():
            refuse(f"{AGENT_CHARON} is not installed")
        self.folder = folder
        write_configuration(folder, list(responders), settings or UNLIMITED)
        namespaces = "-mn" if os.geteuid() == 0 else "-Urmn"
        self._agent = subprocess.Popen(
            ["unshare", namespaces, sys.executable, "-m", "tests.lab.charon_agent", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            self._receive()
        except EOFError:
            self._agent.wait(10)
            message = self._agent.stderr.read().decode() if self._agent.stderr else ""
            self._close_pipes()
            if "unshare" in message and "Operation not permitted" in message:
                refuse(f"namespaces are not allowed here: {message.strip()}")
            raise RuntimeError(message) from None

    def call(self, function: str, *arguments: Any, **options: Any) -> Any:
        """The result of ``module:function`` called beside charon; an iterator comes as a list."""
        assert self._agent.stdin is not None
        pickle.dump((function, arguments, options), self._agent.stdin)
        self._agent.stdin.flush()
        kind, value = self._receive()
        if kind == "error":
            raise value
        return value

    def command(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a program."""
        result: tuple[int, str, str] = self.call("tests.lab.charon_agent:run_command", list(arguments), str(ROOT))
        return result

    def half_open(self) -> int:
        """Number of half-open security associations that charon holds."""
        uri = f"unix://{self.folder / 'charon.vici'}"
        _, text, _ = self.command("swanctl", "--stats", "--uri", uri)
        line = next(line for line in text.splitlines() if line.startswith("IKE_SAs:"))
        return int(line.split(",")[1].split()[0])

    def _receive(self) -> tuple[str, Any]:
        assert self._agent.stdout is not None
        answer: tuple[str, Any] = pickle.load(self._agent.stdout)
        return answer

    def _close_pipes(self) -> None:
        for pipe in (self._agent.stdin, self._agent.stdout, self._agent.stderr):
            if pipe is not None:
                pipe.close()

    def close(self) -> None:
        """Stops the daemon."""
        assert self._agent.stdin is not None
        self._agent.stdin.close()
        self._agent.wait(20)
        self._close_pipes()


def write_configuration(folder: Path, responders: list[Responder], settings: dict[str, str]) -> None:
    lines = "".join(f"  {key} = {value}\n" for key, value in settings.items())
    (folder / "strongswan.conf").write_text(
        f"charon {{\n  load = {_PLUGINS}\n  install_routes = no\n  install_virtual_ip = no\n  half_open_timeout = 30\n"
        f"{lines}  plugins {{ vici {{ socket = unix://charon.vici }} }}\n}}\n"
    )
    sections = "".join(item.section(f"server{number}") for number, item in enumerate(responders))
    (folder / "swanctl.conf").write_text(
        f"connections {{\n{sections}}}\nsecrets {{ ike-test {{ secret = test-only }} }}\n"
    )
    write_certificates(folder)


def write_certificates(folder: Path) -> None:
    """A root (``root.pem``) and under it ``rsa`` and ``ecdsa`` for the server name, ``clientonly`` for clients."""
    for name in ("x509", "x509ca", "private"):
        (folder / name).mkdir(exist_ok=True)
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Prüf-Root 🔐")])
    root = _builder(root_name, root_name, root_key.public_key(), 3650)
    root = root.add_extension(x509.BasicConstraints(True, None), critical=True)
    signed = root.sign(root_key, hashes.SHA256())
    (folder / "root.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / "x509ca" / "root.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    keys = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ecdsa": ec.generate_private_key(ec.SECP256R1()),
        "clientonly": ec.generate_private_key(ec.SECP384R1()),
    }
    ike_intermediate = x509.ObjectIdentifier("1.3.6.1.5.5.8.2.2")
    usages = {"clientonly": [ExtendedKeyUsageOID.CLIENT_AUTH]}
    for name, key in keys.items():
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SERVER_NAME)])
        leaf = _builder(subject, root_name, key.public_key(), 300)
        leaf = leaf.add_extension(x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME)]), critical=False)
        eku = usages.get(name, [ExtendedKeyUsageOID.SERVER_AUTH, ike_intermediate])
        leaf = leaf.add_extension(x509.ExtendedKeyUsage(eku), critical=False)
        certificate = leaf.sign(root_key, hashes.SHA256())
        (folder / "x509" / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "private" / f"{name}.key").write_bytes(pem)


def _builder(subject: x509.Name, issuer: x509.Name, key: Any, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )
