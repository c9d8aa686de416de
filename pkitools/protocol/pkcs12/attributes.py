"""Attributes of bags and of PKCS #8 keys (RFC 2985 5.5, RFC 5208 5): friendly name, localKeyID and Microsoft's own.

Microsoft keeps the provider's name and the machine mark as bag attributes, but the KeySpec as a KeyUsage attribute
inside the PrivateKeyInfo. Its bits decide: Windows counts no unused bits where OpenSSL does.
"""

from __future__ import annotations

from collections.abc import Iterable

from pkitools.models.keystore import Attribute, CertificateEntry, KeyEntry, KeySpec
from pkitools.protocol import der

FRIENDLY_NAME = "1.2.840.113549.1.9.20"
LOCAL_KEY_ID = "1.2.840.113549.1.9.21"
PROVIDER_NAME = "1.3.6.1.4.1.311.17.1"
LOCAL_KEY_SET = "1.3.6.1.4.1.311.17.2"
KEY_USAGE = "2.5.29.15"

NAMES = {
    FRIENDLY_NAME: "friendlyName",
    LOCAL_KEY_ID: "localKeyID",
    PROVIDER_NAME: "Microsoft CSP name",
    LOCAL_KEY_SET: "Microsoft LocalKeySet",
    KEY_USAGE: "KeyUsage",
    "1.3.6.1.4.1.311.17.3.20": "Microsoft KeyId",
    "1.3.6.1.4.1.311.17.3.71": "Microsoft enrollment host",
    "1.3.6.1.4.1.311.17.3.75": "Microsoft archived key hash",
    "2.16.840.1.113894.746875.1.1": "Java trusted key usage",
}
_KEY_SPEC_BITS = ((0x10, KeySpec.EXCHANGE), (0x80, KeySpec.SIGNATURE))
_KEY_SPEC_USAGE = {KeySpec.EXCHANGE: bytes.fromhex("03020410"), KeySpec.SIGNATURE: bytes.fromhex("03020780")}


def display_name(name: str | None) -> str | None:
    """A friendly name for the eye: without the one NUL that Windows ends it with; None when nothing is left."""
    return (name.removesuffix("\0") or None) if name else None


def read_attributes(reader: der.Reader) -> tuple[Attribute, ...]:
    """The attributes in a SET OF, in the order found."""
    found = []
    while reader.more():
        one = reader.sequence("an attribute")
        oid = one.oid("an attribute's type")
        values, each = [], one.enter(der.SET, "an attribute's values")
        while each.more():
            values.append(each.any()[1])
        one.finish()
        found.append(Attribute(oid, tuple(values)))
    return tuple(found)


def write_attributes(attributes: Iterable[Attribute]) -> bytes:
    """The content of a SET OF attributes, sorted; values stay in the order found."""
    encoded = (der.sequence(der.oid(a.oid), der.element(der.SET, b"".join(a.values))) for a in attributes)
    return b"".join(sorted(encoded))


def text_value(value: bytes) -> str | None:
    """The text of a BMPString or UTF8String; None when it is neither, or not well-formed."""
    reader = der.Reader(value, "an attribute")
    tag = reader.peek()
    try:
        if tag == der.BMP_STRING:
            return reader.content(tag, "a name").decode("utf-16-be", "surrogatepass")
        if tag == der.UTF8_STRING:
            return reader.content(tag, "a name").decode("utf-8")
    except (der.DerError, UnicodeDecodeError):
        return None
    return None


def octets_value(value: bytes) -> bytes | None:
    """The content of an OCTET STRING; None when it is none."""
    try:
        return der.Reader(value, "an attribute").octets("an identifier")
    except der.DerError:
        return None


class KnownAttributes:
    """The attributes of one bag, the known ones taken out; what is malformed or doubled stays in ``rest``."""

    def __init__(self, attributes: tuple[Attribute, ...]) -> None:
        self.friendly_name: str | None = None
        self.provider: str | None = None
        self.local_key_id: bytes | None = None
        self.machine = False
        rest = []
        for attribute in attributes:
            if not self._take(attribute):
                rest.append(attribute)
        self.rest = tuple(rest)

    def _take(self, attribute: Attribute) -> bool:
        if attribute.oid == LOCAL_KEY_SET and not self.machine:
            self.machine = True
            return not attribute.values
        if len(attribute.values) != 1:
            return False
        value = attribute.values[0]
        if attribute.oid == FRIENDLY_NAME and self.friendly_name is None:
            self.friendly_name = text_value(value)
            return self.friendly_name is not None
        if attribute.oid == PROVIDER_NAME and self.provider is None:
            self.provider = text_value(value)
            return self.provider is not None
        if attribute.oid == LOCAL_KEY_ID and self.local_key_id is None:
            self.local_key_id = octets_value(value)
            return self.local_key_id is not None
        return False


def key_entry(pkcs8: bytes, attributes: tuple[Attribute, ...] = ()) -> KeyEntry:
    """A key with the attributes of its bag (or without any, from a PEM)."""
    known = KnownAttributes(attributes)
    return KeyEntry(
        pkcs8,
        friendly_name=known.friendly_name,
        local_key_id=known.local_key_id,
        provider=known.provider,
        machine=known.machine,
        key_spec=key_spec_of(pkcs8),
        attributes=known.rest,
    )


def certificate_entry(certificate: bytes, attributes: tuple[Attribute, ...] = ()) -> CertificateEntry:
    """A certificate with the attributes of its bag. What belongs to keys only stays among ``attributes``."""
    own = tuple(a for a in attributes if a.oid in (FRIENDLY_NAME, LOCAL_KEY_ID))
    known = KnownAttributes(own)
    others = tuple(a for a in attributes if a not in own)
    return CertificateEntry(certificate, known.friendly_name, known.local_key_id, known.rest + others)


def bag_attributes(entry: KeyEntry | CertificateEntry) -> tuple[Attribute, ...]:
    """The attributes of the bag for an entry."""
    found = list(entry.attributes)
    if entry.friendly_name is not None:
        found.append(_one(FRIENDLY_NAME, der.element(der.BMP_STRING, _bmp(entry.friendly_name))))
    if entry.local_key_id is not None:
        found.append(_one(LOCAL_KEY_ID, der.octet_string(entry.local_key_id)))
    if isinstance(entry, KeyEntry):
        if entry.provider is not None:
            found.append(_one(PROVIDER_NAME, der.element(der.BMP_STRING, _bmp(entry.provider))))
        if entry.machine and all(a.oid != LOCAL_KEY_SET for a in found):
            found.append(Attribute(LOCAL_KEY_SET, ()))
    return tuple(found)


def _one(oid: str, value: bytes) -> Attribute:
    return Attribute(oid, (value,))


def _bmp(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def key_attributes(pkcs8: bytes) -> tuple[Attribute, ...]:
    """The attributes inside a PrivateKeyInfo. DerError when it is none."""
    return _split(pkcs8)[1]


def key_spec_of(pkcs8: bytes) -> KeySpec:
    """The KeySpec that the KeyUsage attribute of a PrivateKeyInfo stands for: by bit, both bits mean exchange."""
    try:
        attributes = key_attributes(pkcs8)
    except der.DerError:
        return KeySpec.NONE
    for attribute in attributes:
        if attribute.oid == KEY_USAGE and attribute.values and len(attribute.values[0]) >= 4:
            bits = attribute.values[0][3]
            return next((spec for bit, spec in _KEY_SPEC_BITS if bits & bit), KeySpec.NONE)
    return KeySpec.NONE


def with_key_spec(pkcs8: bytes, key_spec: KeySpec) -> bytes:
    """The PrivateKeyInfo with the KeyUsage attribute for ``key_spec``; byte for byte as found where it says so."""
    if key_spec_of(pkcs8) is key_spec:
        return pkcs8
    body, attributes, public = _split(pkcs8)
    kept = [a for a in attributes if a.oid != KEY_USAGE]
    if key_spec is not KeySpec.NONE:
        kept.append(_one(KEY_USAGE, _KEY_SPEC_USAGE[key_spec]))
    tail = der.element(der.context(0), write_attributes(kept)) if kept else b""
    return der.sequence(body, tail, public)


def _split(pkcs8: bytes) -> tuple[bytes, tuple[Attribute, ...], bytes]:
    """Version, algorithm and key of a PrivateKeyInfo as found; its attributes; the public key of RFC 5958."""
    info = der.Reader(pkcs8, "the private key").sequence("PrivateKeyInfo")
    start = info.position
    info.integer("version")
    info.raw(der.SEQUENCE, "the key's algorithm")
    info.octets("the private key")
    body = info.data[start : info.position]
    attributes = read_attributes(info.enter(der.context(0), "attributes")) if info.peek() == der.context(0) else ()
    public = info.data[info.position : info.end]
    return body, attributes, public
