"""Which certificate belongs to which key, and in which order its chain goes: by the keys, never by position."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

from pkitools.errors import FormatError
from pkitools.models.keystore import CertificateEntry, KeyEntry, KeyStoreContent
from pkitools.models.outcome import Finding
from pkitools.protocol.names import read_x500
from pkitools.protocol.public_key import fingerprint, normalized, public_key_info
from pkitools.protocol.strict_der import OCTET_STRING, SEQUENCE, Reader, Value
from pkitools.protocol.x509 import split_certificate

_MAX_CHAIN = 32
# Namesakes cost signature checks: in a file made of them, the rest is not checked
_MAX_NAMESAKES = 200
_MAX_SIGNERS = 8
_MAX_CHOICES = 64
_SUBJECT_KEY_IDENTIFIER = bytes.fromhex("551d0e")
_AUTHORITY_KEY_IDENTIFIER = bytes.fromhex("551d23")
Entry = TypeVar("Entry", KeyEntry, CertificateEntry)


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
    """Match keys with certificates by public key, and order the chains. The same certificate in two bags, and the same
    key in two, are one; what only the second says is kept. Keys that cannot be read stay lone."""
    all_certificates = _merged(certificates, lambda certificate: certificate.der)
    all_keys = _merged(keys, lambda key: public_key_of(key.pkcs8) or key.pkcs8)
    issuers = _Issuers(all_certificates)
    by_public: dict[bytes | None, list[CertificateEntry]] = {}
    for certificate in all_certificates:
        by_public.setdefault(certificate_public_key(certificate.der), []).append(certificate)
    by_public.pop(None, None)
    pairs, lone = [], []
    for key in all_keys:
        fitting = by_public.get(public_key_of(key.pkcs8), [])
        pairs += [Pair(key, leaf, _chain(leaf, issuers)) for leaf in fitting]
        if not fitting:
            lone.append(key)
    used = {certificate.der for pair in pairs for certificate in pair.chain}
    rest = [certificate for certificate in all_certificates if certificate.der not in used]
    return Pairing(tuple(all_keys), tuple(all_certificates), tuple(pairs), tuple(lone), order_chains(rest))


def _merged(entries: Iterable[Entry], identity: Callable[[Entry], bytes]) -> list[Entry]:
    """The entries without doubles, in the order of their first appearance; gaps are filled from the doubles."""
    found: dict[bytes, Entry] = {}
    for entry in entries:
        name = identity(entry)
        found[name] = _filled(found[name], entry) if name in found else entry
    return list(found.values())


def _filled(first: Entry, second: Entry) -> Entry:
    names = ("friendly_name", "local_key_id", *(("provider",) if isinstance(first, KeyEntry) else ()))
    gaps: dict[str, Any] = {name: getattr(second, name) for name in names if getattr(first, name) is None}
    return replace(first, **gaps)


def order_chain(leaf: CertificateEntry, certificates: Sequence[CertificateEntry]) -> tuple[CertificateEntry, ...]:
    """``leaf`` and its issuers among ``certificates``, up to the root or the last one there.

    An issuer has the name that the certificate gives; among several, the one whose key identifier is the one named and
    whose signature it is: a self-signed one first, then the longest valid.
    """
    return _chain(leaf, _Issuers(certificates))


def _chain(leaf: CertificateEntry, issuers: _Issuers) -> tuple[CertificateEntry, ...]:
    chain: dict[bytes, CertificateEntry] = {}
    current: CertificateEntry | None = leaf
    while current is not None and current.der not in chain and len(chain) < _MAX_CHAIN:
        chain[current.der] = current
        current = issuers.of(current)
    return tuple(chain.values())


def order_chains(certificates: Sequence[CertificateEntry]) -> tuple[CertificateEntry, ...]:
    """All ``certificates``: chain after chain, each leaf first; a leaf is what has issued none of the others."""
    issuers = _Issuers(certificates)
    issuing = {issuer.der for each in certificates if (issuer := issuers.of(each)) is not None}
    leaves = [each for each in certificates if each.der not in issuing]
    ordered: dict[bytes, CertificateEntry] = {}
    for leaf in leaves:
        ordered |= {entry.der: entry for entry in _chain(leaf, issuers) if entry.der not in ordered}
    ordered |= {entry.der: entry for entry in certificates if entry.der not in ordered}  # issuers in a circle
    return tuple(ordered.values())


@dataclass(frozen=True, slots=True)
class _Outline:
    """What chain building needs of a certificate. Identifiers are None when absent or unreadable."""

    subject: bytes
    issuer: bytes
    key_identifier: bytes | None
    authority_identifier: bytes | None


@lru_cache(maxsize=1024)
def _outline(certificate: bytes) -> _Outline | None:
    """None for what is no certificate."""
    try:
        parts = split_certificate(certificate)
    except FormatError:
        return None
    identifiers = _identifiers(parts.extensions)
    return _Outline(
        parts.subject,
        parts.issuer,
        _tried(identifiers.get(_SUBJECT_KEY_IDENTIFIER), _subject_key),
        _tried(identifiers.get(_AUTHORITY_KEY_IDENTIFIER), _authority_key),
    )


def _identifiers(extensions: Value | None) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    try:
        for extension in extensions.children().read(SEQUENCE).children().rest() if extensions else ():
            oid, *_, value = extension.children().rest()
            found[oid.content] = value.content
    except (FormatError, ValueError):
        return found
    return found


def _subject_key(raw: bytes) -> bytes | None:
    return Reader(raw).read(OCTET_STRING).content


def _authority_key(raw: bytes) -> bytes | None:
    identifier = Reader(raw).sequence().optional(0x80)
    return identifier.content if identifier else None


def _tried(raw: bytes | None, read: Callable[[bytes], bytes | None]) -> bytes | None:
    try:
        return read(raw) if raw is not None else None
    except FormatError:
        return None


@lru_cache(maxsize=1024)
def _name(encoded: bytes) -> str:
    """A name for comparison where the encodings differ (RFC 5280 7.1): without case and doubled blanks."""
    try:
        return " ".join(read_x500(encoded).casefold().split())
    except FormatError:
        return encoded.hex()


class _Issuers:
    """The certificates that may be issuers, by subject."""

    def __init__(self, certificates: Iterable[CertificateEntry]) -> None:
        outlines = [(entry, outline) for entry in certificates if (outline := _outline(entry.der)) is not None]
        self._by_subject: dict[bytes, list[tuple[CertificateEntry, _Outline]]] = {}
        for pair in outlines:
            self._by_subject.setdefault(pair[1].subject, []).append(pair)
        self._by_name: dict[str, list[tuple[CertificateEntry, _Outline]]] | None = None
        self._found: dict[bytes, CertificateEntry | None] = {}
        self._choices = 0

    def of(self, entry: CertificateEntry) -> CertificateEntry | None:
        """The issuer of a certificate; None for a root, and when it is not there."""
        if entry.der not in self._found:
            self._found[entry.der] = self._find(entry)
        return self._found[entry.der]

    def _find(self, entry: CertificateEntry) -> CertificateEntry | None:
        outline = _outline(entry.der)
        if outline is None or _is_root(outline):
            return None
        wanted = outline.authority_identifier
        fitting = (
            other
            for other, found in self._named(outline.issuer)[:_MAX_NAMESAKES]
            if other.der != entry.der and (wanted is None or found.key_identifier in (wanted, None))
        )
        candidates = list(islice(fitting, _MAX_SIGNERS))
        if len(candidates) < 2:
            return next(iter(candidates), None)
        self._choices += 1
        return _signer(entry, candidates) if self._choices <= _MAX_CHOICES else candidates[0]

    def _named(self, name: bytes) -> list[tuple[CertificateEntry, _Outline]]:
        if name in self._by_subject:
            return self._by_subject[name]
        if self._by_name is None:
            self._by_name = {}
            for subject, pairs in self._by_subject.items():
                self._by_name.setdefault(_name(subject), []).extend(pairs)
        return self._by_name.get(_name(name), [])


def _is_root(outline: _Outline) -> bool:
    own = outline.authority_identifier in (None, outline.key_identifier)
    return own and outline.subject == outline.issuer


def _signer(entry: CertificateEntry, candidates: list[CertificateEntry]) -> CertificateEntry:
    """Of several with the right name, one whose key made the signature: the longest valid, self-signed ones first."""
    from pkitools.protocol.pkcs12.evidence import load_certificate, signed_by

    loaded = load_certificate(entry.der)
    issuers = [(other, issuer) for other in candidates if (issuer := load_certificate(other.der)) is not None]
    fitting = [pair for pair in issuers if loaded is not None and signed_by(loaded, pair[1])] or issuers
    if not fitting:
        return candidates[0]
    return max(fitting, key=lambda pair: (pair[1].subject == pair[1].issuer, pair[1].not_valid_after_utc))[0]


def public_key_of(pkcs8: bytes) -> bytes | None:
    """The public half of a private key in a form to compare, None when the key cannot be read."""
    try:
        return public_key_info(pkcs8)
    except FormatError:
        return None


@lru_cache(maxsize=1024)
def certificate_public_key(certificate: bytes) -> bytes | None:
    """A certificate's public key in a form to compare, None when it cannot be read."""
    try:
        return normalized(split_certificate(certificate).spki.encoded)
    except FormatError:
        return None


def key_fingerprint(pkcs8: bytes) -> str:
    """SHA-256 of a private key's public half, in upper-case hex. FormatError: damaged or unsupported key."""
    return fingerprint(public_key_info(pkcs8))


def certificate_key_fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate's public key, to compare with ``key_fingerprint``. FormatError: unreadable."""
    return fingerprint(normalized(split_certificate(certificate).spki.encoded))


def thumbprint(certificate: bytes) -> str:
    """SHA-1 of a certificate in upper-case hex, as Windows names certificates."""
    return hashlib.sha1(certificate).hexdigest().upper()


def link(pairing: Pairing, notes: tuple[Finding, ...] = ()) -> KeyStoreContent:
    """The content to write into a PFX: each pair shares a localKeyID (the one found where both sides have it and nobody
    else does, else the SHA-1 of the certificate), nobody else has it, and chains stand leaf to root."""
    found = [key.local_key_id for key in pairing.keys] + [each.local_key_id for each in pairing.certificates]
    used = Counter(identifier for identifier in found if identifier)
    key_ids: dict[bytes, bytes] = {}
    certificate_ids: dict[bytes, bytes] = {}
    for pair in pairing.pairs:
        identifier = key_ids.setdefault(pair.key.pkcs8, _shared_id(pair, used))
        certificate_ids[pair.certificate.der] = identifier
    keys = (replace(key, local_key_id=key_ids.get(key.pkcs8)) for key in pairing.keys)
    chains = (entry for pair in pairing.pairs for entry in pair.chain)
    ordered = {entry.der: entry for entry in (*chains, *pairing.others)}
    linked = (replace(entry, local_key_id=certificate_ids.get(entry.der)) for entry in ordered.values())
    return KeyStoreContent(tuple(keys), tuple(linked), notes=notes)


def _shared_id(pair: Pair, used: Counter[bytes]) -> bytes:
    found = pair.key.local_key_id
    if found and found == pair.certificate.local_key_id and used[found] == 2:
        return found
    return hashlib.sha1(pair.certificate.der).digest()
