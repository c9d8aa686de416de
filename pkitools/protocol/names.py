"""Names in certificates: X.500 names as Windows writes them, and GeneralNames (RFC 5280 4.1.2.4 and 4.2.1.6)."""

from __future__ import annotations

import ipaddress
import uuid
from typing import NamedTuple

from pkitools.errors import FormatError
from pkitools.models.certificate import AlternativeName, NameKind
from pkitools.protocol.oid_names import NAME_ATTRIBUTES
from pkitools.protocol.strict_der import OCTET_STRING, SET, Reader, Value

UPN_OID = "1.3.6.1.4.1.311.20.2.3"
NTDS_REPLICATION_OID = "1.3.6.1.4.1.311.25.1"
_QUOTED = frozenset(',+="\n\r<>#;')


class Attribute(NamedTuple):
    """Type and value of one attribute of an X.500 name."""

    oid: str
    value: str


def read_rdns(reader: Reader) -> tuple[tuple[Attribute, ...], ...]:
    """The RDNs of a Name (its SEQUENCE's content) in the order of the encoding."""
    return tuple(_read_rdn(value) for value in reader.rest())


def _read_rdn(value: Value) -> tuple[Attribute, ...]:
    if value.tag != SET:
        raise FormatError("damaged name: an RDN that is no SET")
    attributes = []
    for item in value.children().rest():
        pair = item.children()
        oid, content = pair.read(0x06).oid(), pair.read()
        try:
            text = content.text()
        except FormatError:
            # Windows writes values that are no text as # and the hex of their encoding.
            text = "#" + content.encoded.hex().upper()
        attributes.append(Attribute(oid, text))
    return tuple(attributes)


def x500_text(rdns: tuple[tuple[Attribute, ...], ...]) -> str:
    """A name as .NET's ``X509Certificate2.Subject`` shows it: last RDN first, quoted where needed."""
    return ", ".join(" + ".join(map(_attribute_text, rdn)) for rdn in reversed(rdns))


def _attribute_text(attribute: Attribute) -> str:
    key = NAME_ATTRIBUTES.get(attribute.oid) or "OID." + attribute.oid
    value = attribute.value
    if not value or value != value.strip(" \t\r\n") or not _QUOTED.isdisjoint(value):
        value = '"' + value.replace('"', '""') + '"'
    return f"{key}={value}"


def read_x500(encoded: bytes) -> str:
    """The text of one encoded Name."""
    return x500_text(read_rdns(Reader(encoded).sequence()))


def common_names(encoded: bytes) -> tuple[str, ...]:
    """All common names of an encoded Name, in the order of the encoding."""
    return tuple(item.value for rdn in read_rdns(Reader(encoded).sequence()) for item in rdn if item.oid == "2.5.4.3")


class GeneralName(NamedTuple):
    """A GeneralName: its kind, its text, an otherName's type and the raw content octets."""

    kind: NameKind
    text: str
    oid: str | None
    content: bytes

    def model(self) -> AlternativeName:
        """As it leaves the program."""
        return AlternativeName(self.kind, self.text, self.oid)


def read_general_names(reader: Reader) -> tuple[GeneralName, ...]:
    """The names up to the end of ``reader`` (content of a GeneralNames)."""
    return tuple(map(read_general_name, reader.rest()))


_KINDS = {
    0xA0: NameKind.OTHER,
    0x81: NameKind.EMAIL,
    0x82: NameKind.DNS,
    0xA3: NameKind.X400,
    0xA4: NameKind.DIRECTORY,
    0xA5: NameKind.EDI,
    0x86: NameKind.URI,
    0x87: NameKind.IP,
    0x88: NameKind.REGISTERED,
}


def read_general_name(value: Value) -> GeneralName:
    """One GeneralName. A name whose content makes no sense is kept with its hex; an unknown tag is a FormatError."""
    kind = _KINDS.get(value.tag)
    if kind is None:
        raise FormatError(f"damaged name: unknown kind of general name 0x{value.tag:02X}")
    content = value.content
    try:
        if kind is NameKind.OTHER:
            return _other_name(value)
        return GeneralName(kind, _general_text(kind, value), None, content)
    except (FormatError, ValueError):
        return GeneralName(kind, content.hex().upper(), None, content)


def _general_text(kind: NameKind, value: Value) -> str:
    content = value.content
    if kind in (NameKind.DNS, NameKind.EMAIL, NameKind.URI):
        return _ia5(content)
    if kind is NameKind.IP:
        return ip_text(content)
    if kind is NameKind.DIRECTORY:
        return read_x500(content)
    if kind is NameKind.REGISTERED:
        return value.oid()
    return content.hex().upper()


def _ia5(content: bytes) -> str:
    """IA5String; what is above 0x7F is against the rules, and shown as what it probably is."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def ip_text(content: bytes) -> str:
    """An iPAddress: 4 or 16 octets, or 8 or 32 (address and mask, in name constraints). ValueError otherwise."""
    if len(content) in (4, 16):
        return str(ipaddress.ip_address(content))
    half = len(content) // 2
    return f"{ipaddress.ip_address(content[:half])}/{ipaddress.ip_address(content[half:])}"


def _other_name(value: Value) -> GeneralName:
    reader = value.children()
    oid = reader.read(0x06).oid()
    wrapped = reader.read(0xA0)
    reader.require_end()
    inner = wrapped.children().read()
    if oid == UPN_OID:
        return GeneralName(NameKind.PRINCIPAL, inner.text(), oid, value.content)
    if oid == NTDS_REPLICATION_OID and inner.tag == OCTET_STRING and len(inner.content) == 16:
        return GeneralName(NameKind.GUID, str(uuid.UUID(bytes_le=inner.content)), oid, value.content)
    return GeneralName(NameKind.OTHER, wrapped.content.hex().upper(), oid, value.content)
