"""What a file is, by its first elements: told apart before anything is parsed in earnest."""

from __future__ import annotations

import base64
import binascii
import re
from enum import Enum

from pkitools.protocol import der

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
_CMS = "1.2.840.113549.1.7."
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 #]{1,40})-----")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n\t ]+(?:=[=\r\n\t ]*)?")
_BEGIN_PFX, _END_PFX = b"-----BEGIN PKCS12-----", b"-----END PKCS12-----"


class Format(Enum):
    """The formats that key stores, certificates and their like come in."""

    PFX = "PFX"
    PEM = "PEM"
    CERTIFICATE = "DER certificate"
    P7B = "P7B"
    CSR = "DER certificate request"
    CRL = "DER CRL"
    PKCS8 = "DER private key (PKCS #8)"
    ENCRYPTED_PKCS8 = "DER encrypted private key (PKCS #8)"
    PKCS1 = "DER private key (PKCS #1)"
    SEC1 = "DER private key (SEC 1)"
    JKS = "Java key store (JKS)"
    JCEKS = "Java key store (JCEKS)"
    EMPTY = "empty file"
    UNKNOWN = "unknown"


def sniff(data: bytes) -> Format:
    """The format of a file's bytes; text in any armor is PEM. UNKNOWN when nothing fits; never raises."""
    if not data.strip(b"\0\r\n\t "):
        return Format.EMPTY
    if data.startswith(b"\xfe\xed\xfe\xed"):
        return Format.JKS
    if data.startswith(b"\xce\xce\xce\xce"):
        return Format.JCEKS
    if data[0] == der.SEQUENCE:
        try:
            found = _structure(der.Reader(data).sequence("the file"))
        except der.DerError:
            found = _beginning(data)
        if found is not Format.UNKNOWN:
            return found
    if _PEM.search(data) or b"-\0-\0-\0B\0E\0G\0" in data or b"\0-\0-\0-\0B\0E\0G" in data:
        return Format.PEM
    return Format.UNKNOWN


def _structure(reader: der.Reader) -> Format:
    """What a SEQUENCE is by its first elements."""
    first = reader.peek()
    if first == der.OBJECT_IDENTIFIER:
        return Format.P7B if reader.oid("content type").startswith(_CMS) else Format.UNKNOWN
    if first == der.INTEGER:
        return _numbered(reader, reader.content(der.INTEGER, "version"))
    if first != der.SEQUENCE:
        return Format.UNKNOWN
    inner = reader.sequence("the first part")
    if reader.peek() == der.OCTET_STRING:
        return Format.ENCRYPTED_PKCS8 if inner.peek() == der.OBJECT_IDENTIFIER else Format.UNKNOWN
    return _signed(inner)


def _numbered(reader: der.Reader, version: bytes) -> Format:
    second = reader.peek()
    if second == der.INTEGER:
        return Format.PKCS1
    if second == der.OCTET_STRING:
        return Format.SEC1
    if second != der.SEQUENCE:
        return Format.UNKNOWN
    inner = reader.sequence("the second part")
    if inner.peek() == der.OBJECT_IDENTIFIER and inner.oid("content type").startswith(_CMS):
        return Format.PFX
    return Format.PKCS8 if reader.peek() == der.OCTET_STRING and version in (b"\0", b"\1") else Format.UNKNOWN


def _signed(inner: der.Reader) -> Format:
    """Certificate, request or CRL: what is signed tells."""
    if inner.peek() == der.context(0):
        return Format.CERTIFICATE
    if inner.peek() == der.INTEGER:
        number = inner.content(der.INTEGER, "a number")
        inner.raw(der.SEQUENCE, "a name or algorithm")
        after = inner.peek()
        if after == der.SEQUENCE and number == b"\0" and _is_request(inner):
            return Format.CSR
        if after == der.SEQUENCE:
            inner.raw(der.SEQUENCE, "a name")
            return Format.CERTIFICATE if inner.peek() == der.SEQUENCE else Format.CRL
        return Format.UNKNOWN
    return Format.CRL if inner.peek() == der.SEQUENCE else Format.UNKNOWN


def _is_request(inner: der.Reader) -> bool:
    inner.raw(der.SEQUENCE, "a key")
    return inner.peek() in (der.context(0), -1)


def _beginning(data: bytes) -> Format:
    """A PFX that is cut off still begins like one: then the error shall say where it is damaged."""
    return Format.PFX if re.match(rb"\x30[\x80-\x84].{0,4}\x02\x01\x03\x30", data, re.DOTALL) else Format.UNKNOWN


def unarmored(data: bytes) -> bytes | None:
    """The bytes in a PEM block of type PKCS12 (certtool writes it) or in bare base64; None when it is neither."""
    _, begin, after = data.partition(_BEGIN_PFX)  # a search for both at once would take the square of the length
    body, end, _ = after.partition(_END_PFX)
    armored = bool(begin and end)
    if not armored:
        body = data
    if not armored and (not body.lstrip().startswith(b"MI") or not _BASE64.fullmatch(body)):
        return None
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        return None
