"""A small PKI made on the spot: keys of every kind, leaves from an issuing CA below a root. Names have accents."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

KINDS = ("rsa", "p-256", "p-384", "p-521", "brainpool", "ed25519", "ed448", "dsa")
_MAKERS: dict[str, Any] = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-other": lambda: rsa.generate_private_key(65537, 2048),
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-256-other": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "brainpool": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
    "dsa": lambda: dsa.generate_private_key(1024),
    "root": lambda: ec.generate_private_key(ec.SECP256R1()),
    "issuing": lambda: ec.generate_private_key(ec.SECP256R1()),
}
ROOT_NAME, ISSUING_NAME = "Würzel-CA 🔑", "Ausstellende CA 1"


@cache
def key(kind: str) -> Any:
    """The key of that kind, made once a run."""
    return _MAKERS[kind]()


def pkcs8(kind: str) -> bytes:
    """The key as PKCS #8 in DER."""
    return key(kind).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def key_pem(kind: str, form: PrivateFormat = PrivateFormat.PKCS8, password: str | None = None) -> bytes:
    """The key in PEM."""
    how = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key(kind).private_bytes(Encoding.PEM, form, how)


@cache
def certificate(kind: str, name: str = "vpn.zürich.example", serial: int = 7) -> x509.Certificate:
    """A certificate for the key of that kind, from the issuing CA; ``root`` and ``issuing`` are the CAs' own."""
    subject = {"root": ROOT_NAME, "issuing": ISSUING_NAME}.get(kind, name)
    issuer, signer = (ROOT_NAME, "root") if kind in ("root", "issuing") else (ISSUING_NAME, "issuing")
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key(kind).public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(kind in ("root", "issuing"), None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key(kind).public_key()), critical=False)
    )
    return builder.sign(key(signer), hashes.SHA256())


def der(kind: str, **changes: Any) -> bytes:
    """The certificate in DER."""
    return certificate(kind, **changes).public_bytes(Encoding.DER)


def pem(*kinds: str) -> bytes:
    """Certificates in PEM, in this order."""
    return b"".join(certificate(kind).public_bytes(Encoding.PEM) for kind in kinds)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Chain:
    """Leaf, issuing CA and root in DER."""

    leaf: bytes
    issuing: bytes
    root: bytes


def chain(kind: str) -> Chain:
    """The chain of the leaf of that kind."""
    return Chain(der(kind), der("issuing"), der("root"))
