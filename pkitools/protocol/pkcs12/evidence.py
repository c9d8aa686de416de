"""Is what was decrypted whole? Asked when the MAC fails although the password decrypts: damage and a MAC made with
another password look alike from outside, and only the content can tell them apart."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pkitools.errors import FormatError
from pkitools.models.keystore import CertificateEntry, KeyEntry
from pkitools.protocol.foreign import means_unreadable
from pkitools.protocol.x509 import split_certificate

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_MAX_KEYS = 4  # validating an RSA key is slow
_SLOW_KEY_OCTETS = 5_000  # RSA-8192 has 4,700
_MAX_CERTIFICATES = 50


def first_damage(keys: Sequence[KeyEntry], certificates: Sequence[CertificateEntry]) -> str | None:
    """What in the content is certainly damaged, None when nothing is. The RSA numbers of a key must fit each other, a
    certificate must parse, and its signature must hold when its issuer lies beside it."""
    for number, key in enumerate(keys[:_MAX_KEYS], 1):
        if not _key_loads(key.pkcs8):
            return f"private key {number}"
    issuers = [
        loaded for entry in certificates[:_MAX_CERTIFICATES] if (loaded := load_certificate(entry.der)) is not None
    ]
    for number, entry in enumerate(certificates[:_MAX_CERTIFICATES], 1):
        if not _certificate_holds(entry.der, issuers):
            return f"certificate {number}"
    return None


def _key_loads(pkcs8: bytes) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        load_der_private_key(pkcs8, None, unsafe_skip_rsa_key_validation=len(pkcs8) > _SLOW_KEY_OCTETS)
    except UnsupportedAlgorithm:
        return True
    except BaseException as error:
        if not means_unreadable(error):
            raise
        return False
    return True


def load_certificate(certificate: bytes) -> Certificate | None:
    """A certificate loaded by ``cryptography``, None when that refuses it, or its names or times (read late)."""
    from cryptography.x509 import load_der_x509_certificate

    try:
        with warnings.catch_warnings(action="ignore"):
            loaded = load_der_x509_certificate(certificate)
            _ = loaded.subject, loaded.issuer, loaded.not_valid_after_utc
            return loaded
    except BaseException as error:
        if not means_unreadable(error):
            raise
        return None


def _certificate_holds(certificate: bytes, issuers: Sequence[Certificate]) -> bool:
    try:
        split_certificate(certificate)
    except FormatError:
        return False
    loaded = load_certificate(certificate)
    if loaded is None:
        return False
    candidates = [issuer for issuer in issuers if issuer.subject == loaded.issuer]
    return not candidates or any(signed_by(loaded, issuer) for issuer in candidates)


def signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether the signature holds; what cannot be checked (an unknown algorithm) holds."""
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    except BaseException as error:
        if not means_unreadable(error):
            raise
        return True
    return True
