"""Which certificate belongs to which key, and in which order its chain goes: by the keys, never by position."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pkitools.models.keystore import CertificateEntry, KeyEntry, KeyStoreContent


@dataclass(frozen=True, slots=True)
class Pair:
    """A key, a certificate for its public key, and the certificate's chain: leaf first, as far as the file goes."""

    key: KeyEntry
    certificate: CertificateEntry
    chain: tuple[CertificateEntry, ...]


@dataclass(frozen=True, slots=True)
class Pairing:
    """``pairs``: every key with every certificate that it fits; ``keys`` and ``certificates``: all, doubles merged;
    ``lone_keys``: keys without a certificate; ``others``: certificates in no pair's chain, ordered leaf to root."""

    keys: tuple[KeyEntry, ...]
    certificates: tuple[CertificateEntry, ...]
    pairs: tuple[Pair, ...]
    lone_keys: tuple[KeyEntry, ...]
    others: tuple[CertificateEntry, ...]


def match(keys: Iterable[KeyEntry], certificates: Iterable[CertificateEntry]) -> Pairing:
    """Match keys with certificates by public key, and order the chains."""
    raise NotImplementedError


def order_chain(leaf: CertificateEntry, certificates: Sequence[CertificateEntry]) -> tuple[CertificateEntry, ...]:
    """``leaf`` and its issuers among ``certificates``, up to the root or the last one there."""
    raise NotImplementedError


def key_fingerprint(pkcs8: bytes) -> str:
    """SHA-256 of a private key's public half (SubjectPublicKeyInfo), in upper-case hex. FormatError: unreadable key."""
    raise NotImplementedError


def certificate_key_fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate's SubjectPublicKeyInfo, to compare with ``key_fingerprint``."""
    raise NotImplementedError


def link(pairing: Pairing, notes: tuple[object, ...] = ()) -> KeyStoreContent:
    """The content to write into a PFX: pairs share a localKeyID (the one found where both sides have it and nobody
    else does, else the SHA-1 of the certificate), chains stand leaf to root."""
    raise NotImplementedError
