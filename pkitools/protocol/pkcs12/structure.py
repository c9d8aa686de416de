"""The structure of a PFX (RFC 7292 4), parsed as far as it goes without a password."""

from __future__ import annotations

from dataclasses import dataclass, field

from pkitools.errors import FormatError
from pkitools.models.keystore import Attribute
from pkitools.protocol import der
from pkitools.protocol.formats import DATA, SIGNED_DATA
from pkitools.protocol.pkcs12.attributes import read_attributes
from pkitools.protocol.pkcs12.mac import MacData
from pkitools.protocol.pkcs12.pbe import Scheme

ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
ENVELOPED_DATA = "1.2.840.113549.1.7.3"
X509_CERTIFICATE = "1.2.840.113549.1.9.22.1"
X509_CRL = "1.2.840.113549.1.9.23.1"
PROTECTED_PASSWORD = "1.3.6.1.4.1.311.17.4"  # the secret bag of Export-PfxCertificate -ProtectTo (wincrypt.h)
_BAG_KINDS = ("Key", "ShroudedKey", "Certificate", "Crl", "Secret", "SafeContents")
BAG_KINDS = {f"1.2.840.113549.1.12.10.1.{number}": kind for number, kind in enumerate(_BAG_KINDS, 1)}
BAG_OIDS = {kind: oid for oid, kind in BAG_KINDS.items()}
MAX_BAGS = 5_000


@dataclass(frozen=True, slots=True)
class RawBag:
    """A bag before decryption. ``value`` is the certificate, CRL or plain key in DER, the ciphertext of a shrouded key
    (then with ``scheme``), the whole value of a secret; ``type_oid`` that of a certificate, CRL or secret."""

    kind: str
    oid: str
    depth: int
    value: bytes = field(repr=False)
    attributes: tuple[Attribute, ...] = ()
    scheme: Scheme | None = None
    type_oid: str | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class RawSafe:
    """A ContentInfo: plain with its ``bags``, or encrypted with ``scheme`` and ciphertext, or of an unknown type."""

    content_type: str
    place: str
    bags: tuple[RawBag, ...] | None = None
    scheme: Scheme | None = None
    encrypted: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class RawPfx:
    """A PFX, parsed but not decrypted. ``authenticated`` are the octets under the MAC; ``mac_problem`` is why MacData
    is there and cannot be checked."""

    version: int
    authenticated: bytes = field(repr=False)
    safes: tuple[RawSafe, ...]
    mac: MacData | None
    mac_problem: FormatError | None
    ber: bool
    trailing: int


def parse_pfx(data: bytes) -> RawPfx:
    """Parse the outside of a PFX. FormatError: NotPfx, Damaged, UnsupportedAlgorithm."""
    whole = der.Reader(data, "the PFX")
    pfx = whole.sequence("PFX")
    version = pfx.integer("version")
    content_info = pfx.sequence("authSafe")
    content_type = content_info.oid("authSafe's type")
    if content_type == SIGNED_DATA:
        raise FormatError(
            "this PFX is signed with a public key (signedData), which no known reader opens", error_id="SignedPfx"
        )
    if content_type != DATA:
        raise content_info.error(f"authSafe is of type {content_type}, not data")
    place = content_info.enter(der.context(0), "authSafe's content")
    safe_reader = place.inside_octets("authSafe")
    authenticated = safe_reader.data[safe_reader.position : safe_reader.end]
    mac, problem = _mac(pfx)
    safes = _safes(safe_reader)
    trailing = len(data) - whole.position
    return RawPfx(version, authenticated, safes, mac, problem, whole.ber or safe_reader.ber, trailing)


def _mac(pfx: der.Reader) -> tuple[MacData | None, FormatError | None]:
    if not pfx.more():
        return None, None
    reader = pfx.sequence("MacData")
    try:
        return MacData.parse(reader), None
    except der.DerError:
        raise
    except FormatError as problem:
        return None, problem


def _safes(reader: der.Reader) -> tuple[RawSafe, ...]:
    safes: list[RawSafe] = []
    outer = reader.sequence("AuthenticatedSafe")
    while outer.more():
        start = outer.position
        content_info = outer.sequence("a safe")
        place = f"safe {len(safes) + 1} (bytes {start} to {outer.position} of {reader.what.removeprefix('the ')})"
        safes.append(_safe(content_info, place, len(safes) + 1))
    return tuple(safes)


def _safe(content_info: der.Reader, place: str, number: int) -> RawSafe:
    content_type = content_info.oid("a safe's type")
    if content_type == DATA:
        content = content_info.enter(der.context(0), "a safe's content").inside_octets(f"safe {number}")
        return RawSafe(content_type, place, parse_bags(content, place))
    if content_type == ENCRYPTED_DATA:
        scheme, encrypted = _encrypted(content_info.enter(der.context(0), "a safe's content"), place)
        return RawSafe(content_type, place, None, scheme, encrypted)
    return RawSafe(content_type, place)


def _encrypted(reader: der.Reader, place: str) -> tuple[Scheme, bytes]:
    """EncryptedData of RFC 5652 8: the scheme and the ciphertext."""
    data = reader.sequence("EncryptedData")
    data.integer("EncryptedData's version")
    info = data.sequence("EncryptedContentInfo")
    info.oid("the encrypted content's type")
    scheme = Scheme.parse(info, place)
    return scheme, info.octets("the encrypted content", der.context(0, constructed=False))


def parse_bags(reader: der.Reader, place: str, depth: int = 0) -> tuple[RawBag, ...]:
    """SafeContents: the bags in order, those of nested safes (RFC 7292 4.2.6) after the bag that holds them."""
    contents = reader.sequence("SafeContents")
    bags: list[RawBag] = []
    while contents.more():
        bags += _bag(contents.sequence("a bag"), place, depth)
        if len(bags) > MAX_BAGS:
            raise contents.error(f"more than {MAX_BAGS} bags")
    return tuple(bags)


def _bag(bag: der.Reader, place: str, depth: int) -> list[RawBag]:
    oid = bag.oid("a bag's type")
    value = bag.enter(der.context(0), "a bag's value")
    attributes = read_attributes(bag.enter(der.SET, "a bag's attributes")) if bag.more() else ()
    kind = BAG_KINDS.get(oid, "Unknown")
    where = f"the {kind} bag at byte {value.position} of {value.what.removeprefix('the ')}"
    if kind == "SafeContents":
        nested = parse_bags(value, place, depth + 1)
        return [RawBag(kind, oid, depth, b"", attributes, place=where), *nested]
    content, type_oid, scheme = _VALUES.get(kind, _whole)(value, where)
    return [RawBag(kind, oid, depth, content, attributes, scheme, type_oid, where)]


def _whole(value: der.Reader, where: str) -> tuple[bytes, str | None, Scheme | None]:
    return (value.any()[1] if value.more() else b""), None, None


def _shrouded(value: der.Reader, where: str) -> tuple[bytes, str | None, Scheme | None]:
    scheme, encrypted = encrypted_private_key(value, where)
    return encrypted, None, scheme


def encrypted_private_key(reader: der.Reader, where: str) -> tuple[Scheme, bytes]:
    """EncryptedPrivateKeyInfo (RFC 5958 3): the scheme and the ciphertext."""
    info = reader.sequence("EncryptedPrivateKeyInfo")
    return Scheme.parse(info, where), info.octets("the encrypted key")


def _typed(value: der.Reader, where: str) -> tuple[bytes, str | None, Scheme | None]:
    """CertBag and CRLBag: a type and the DER in an OCTET STRING, where the type is X.509's."""
    bag = value.sequence("a certificate or CRL bag")
    oid = bag.oid("a certificate's type")
    content = bag.enter(der.context(0), "a certificate")
    if oid not in (X509_CERTIFICATE, X509_CRL):
        return content.any()[1], oid, None
    return content.octets("a certificate"), oid, None


def _secret(value: der.Reader, where: str) -> tuple[bytes, str | None, Scheme | None]:
    bag = value.sequence("a secret bag")
    oid = bag.oid("a secret's type")
    return (bag.any()[1] if bag.more() else b""), oid, None


_VALUES = {"ShroudedKey": _shrouded, "Certificate": _typed, "Crl": _typed, "Secret": _secret}
