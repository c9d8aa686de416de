"""Certificate revocation lists (RFC 5280 5): reading, and finding one serial number among a million."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pkitools.errors import FormatError
from pkitools.models.certificate import DistributionPoint
from pkitools.protocol import pem
from pkitools.protocol.names import read_x500
from pkitools.protocol.signed import Signed, read_signed
from pkitools.protocol.strict_der import (
    BOOLEAN,
    ENUMERATED,
    GENERALIZED_TIME,
    INTEGER,
    OBJECT,
    OCTET_STRING,
    SEQUENCE,
    UTC_TIME,
    Reader,
    Value,
)
from pkitools.protocol.x509_extensions import read_distribution_points, read_point_names, read_reasons

ALL_REASONS = frozenset(
    {
        "KeyCompromise",
        "CaCompromise",
        "AffiliationChanged",
        "Superseded",
        "CessationOfOperation",
        "CertificateHold",
        "PrivilegeWithdrawn",
        "AaCompromise",
    }
)
# CRLReason (RFC 5280 5.3.1)
REASONS = {
    0: "Unspecified",
    1: "KeyCompromise",
    2: "CaCompromise",
    3: "AffiliationChanged",
    4: "Superseded",
    5: "CessationOfOperation",
    6: "CertificateHold",
    8: "RemoveFromCrl",
    9: "PrivilegeWithdrawn",
    10: "AaCompromise",
}
_CRITICAL_MARK = b"\x01\x01\xff\x04"  # critical TRUE and the OCTET STRING after it
_KNOWN = {"2.5.29.20", "2.5.29.27", "2.5.29.28", "2.5.29.35", "2.5.29.46", "1.3.6.1.4.1.311.21.1"}
MAX_MARKED = 2_000
MAX_WALKED = 1_000_000
"""Entries that one search walks over: what a peer's list may cost is a second at most."""
_LEAST_ENTRY = 20  # SEQUENCE, an INTEGER of one octet, UTCTime
_KNOWN_IN_ENTRIES = {"2.5.29.21", "2.5.29.24"}


@dataclass(frozen=True, slots=True)
class IssuingDistributionPoint:
    """The scope of a CRL (RFC 5280 5.2.5). ``relative``: its name is relative to the issuer, which is not read."""

    names: tuple[str, ...] = ()
    relative: bool = False
    only_user_certificates: bool = False
    only_ca_certificates: bool = False
    only_some_reasons: tuple[str, ...] | None = None
    indirect: bool = False
    only_attribute_certificates: bool = False


@dataclass(frozen=True, slots=True)
class RevokedEntry:
    """One entry of a CRL; ``reason`` in .NET's spelling of CRLReason."""

    serial: bytes
    revoked_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Crl:
    """A CRL. ``issuer`` is the encoded name; ``number`` its CRL number, ``base_number`` that of the base when it is a
    delta CRL; ``unknown_critical`` a critical extension of the list that is not understood; ``span`` is where the
    entries lie in ``signed.body``: they are looked at by ``find`` and ``critical_in_entries`` only, which a caller asks
    after checking the signature."""

    signed: Signed
    issuer: bytes
    this_update: datetime
    next_update: datetime | None
    number: int | None = None
    base_number: int | None = None
    authority_key_identifier: str | None = None
    scope: IssuingDistributionPoint | None = None
    freshest: tuple[DistributionPoint, ...] = ()
    unknown_critical: str | None = None
    span: tuple[int, int] = (0, 0)

    @property
    def issuer_text(self) -> str:
        """The issuer as Windows writes it."""
        return read_x500(self.issuer)

    def find(self, serial: bytes) -> RevokedEntry | None:
        """The entry for a serial number, given as the content octets of its INTEGER. FormatError: a broken list."""
        minimal = serial.lstrip(b"\0")
        minimal = b"\0" + minimal if not minimal or minimal[0] & 0x80 else minimal
        for content in dict.fromkeys((serial, minimal)):
            entry = self._find_encoded(content)
            if entry is not None:
                return entry
        return None

    def critical_in_entries(self) -> str | None:
        """The first critical entry extension that is not understood (RFC 5280 5.3), None when there is none.

        The entries are walked only when the octets that mark a critical extension stand somewhere in them.
        """
        body, (begin, stop) = self.signed.body, self.span
        if body.find(_CRITICAL_MARK, begin, stop) < 0:
            return None
        marked = 0
        for start, end in _walk(body, begin, stop):
            if body.find(_CRITICAL_MARK, start, end) < 0:
                continue
            marked += 1
            if marked > MAX_MARKED:
                return "too many critical entry extensions"
            reader = Reader(body, start, end).sequence()
            reader.read(INTEGER), reader.read()
            extensions = reader.optional(SEQUENCE)
            for oid, critical, _ in _read_extensions(extensions) if extensions else ():
                if critical and oid not in _KNOWN_IN_ENTRIES:
                    return oid
        return None

    def _find_encoded(self, content: bytes) -> RevokedEntry | None:
        needle = bytes((INTEGER, len(content))) + content if len(content) < 0x80 else b""
        body, (begin, stop) = self.signed.body, self.span
        hit = body.find(needle, begin, stop) if needle else -1
        if hit < 0:
            return None
        # The octets may stand inside another entry by chance, so a hit is proved by walking up to it.
        for start, end in _walk(body, begin, stop):
            if end <= hit:
                continue
            reader = Reader(body, start, end).sequence()
            if reader.peek() == INTEGER and reader.read().content == content:
                return _entry(content, reader)
            hit = body.find(needle, end, stop)
            if hit < 0:
                return None
        return None


def read_crl(data: bytes) -> Crl:
    """The CRL in ``data`` (DER or PEM). FormatError when it is none."""
    if pem.looks_like_pem(data[:4096]):
        blocks = [block.der for block in pem.read_pem(data) if block.label in pem.CRL_LABELS]
        if len(blocks) != 1:
            raise FormatError("not one CRL in this PEM text")
        data = blocks[0]
    try:
        return _read(read_signed(data))
    except FormatError as error:
        raise FormatError(f"not a CRL: {error.message}") from error


def _read(signed: Signed) -> Crl:
    reader = Reader(signed.body).sequence()
    version = reader.optional(INTEGER)
    reader.read(SEQUENCE)
    issuer, this_update = reader.read(SEQUENCE).encoded, reader.read().time()
    next_update = reader.read().time() if reader.peek() in (UTC_TIME, GENERALIZED_TIME) else None
    entries = reader.optional(SEQUENCE)
    extensions = reader.optional(0xA0)
    reader.require_end()
    if extensions is not None and (version is None or version.integer() != 1):
        raise FormatError("extensions in a version 1 list")
    span = entries.span if entries else (0, 0)
    fields = _extensions(extensions) if extensions else {}
    return Crl(signed, issuer, this_update, next_update, span=span, **fields)


def _extensions(value: Value) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    seen: set[str] = set()
    for oid, critical, raw in _read_extensions(value.children().read(SEQUENCE)):
        if oid in seen:
            raise FormatError(f"the extension {oid} stands there twice")
        seen.add(oid)
        match oid:
            case "2.5.29.20":
                fields["number"] = _number(raw)
            case "2.5.29.27":
                fields["base_number"] = _number(raw)
            case "2.5.29.28":
                fields["scope"] = _scope(raw)
            case "2.5.29.35":
                key = Reader(raw).sequence().optional(0x80)
                fields["authority_key_identifier"] = key.content.hex().upper() if key else None
            case "2.5.29.46":
                fields["freshest"] = read_distribution_points(raw)
        if critical and oid not in _KNOWN:
            fields.setdefault("unknown_critical", oid)
    return fields


def _number(raw: bytes) -> int:
    """CRLNumber and BaseCRLNumber: up to 20 octets (RFC 5280 5.2.3)."""
    value = Reader(raw).read(INTEGER)
    if len(value.content) > 21:
        raise FormatError("a CRL number of more than 20 octets")
    return value.integer()


def _read_extensions(value: Value) -> Iterator[tuple[str, bool, bytes]]:
    for item in value.children().rest():
        reader = item.children()
        oid, critical = reader.read(OBJECT).oid(), reader.optional(BOOLEAN)
        yield oid, critical is not None and critical.boolean(), reader.read(OCTET_STRING).content


def _scope(raw: bytes) -> IssuingDistributionPoint:
    reader = Reader(raw).sequence()
    point = reader.optional(0xA0)
    flags = {tag: reader.optional(tag) for tag in (0x81, 0x82, 0x83, 0x84, 0x85)}
    reader.require_end()
    on = {tag: value is not None and value.boolean() for tag, value in flags.items() if tag != 0x83}
    reasons = flags[0x83]
    relative = point is not None and point.children().peek() != 0xA0
    names = tuple(name.text for name in read_point_names(point)) if point is not None else ()
    some = read_reasons(reasons) if reasons is not None else None
    return IssuingDistributionPoint(names, relative, on[0x81], on[0x82], some, on[0x84], on[0x85])


def _walk(entries: bytes, position: int, end: int) -> Iterator[tuple[int, int]]:
    """Start and end of each entry. FormatError: a damaged list, or one that is too long to walk through."""
    for _ in range(MAX_WALKED + 1):
        if position >= end:
            return
        if entries[position] != SEQUENCE or position + 2 > end:
            raise FormatError("damaged ASN.1: an entry of the CRL is no SEQUENCE")
        length = entries[position + 1]
        following = position + 2 + length
        if length & 0x80:
            octets = length & 0x7F
            body = position + 2 + octets
            following = body + int.from_bytes(entries[position + 2 : body], "big")
        if following > end:
            raise FormatError("damaged ASN.1: an entry of the CRL is longer than the list")
        if following - position < _LEAST_ENTRY:
            raise FormatError("damaged ASN.1: an entry of the CRL is too short for a serial number and a date")
        yield position, following
        position = following
    raise FormatError(f"the CRL has more than {MAX_WALKED} entries to look through")


def _entry(serial: bytes, reader: Reader) -> RevokedEntry:
    try:
        revoked_at = reader.read().time()
    except FormatError:
        revoked_at = None  # revoked all the same
    extensions, reason = reader.optional(SEQUENCE), None
    for oid, _, raw in _read_extensions(extensions) if extensions else ():
        if oid == "2.5.29.21":
            number = Reader(raw).read(ENUMERATED).small()
            reason = REASONS.get(number, str(number))
    return RevokedEntry(serial, revoked_at, reason)
