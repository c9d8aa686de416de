"""Reading the messages of an LDAP server (RFC 4511): bounds-checked, values as raw bytes.

Only what a client receives. Lengths are definite (RFC 4511 5.1); whatever else a server sends is a ProtocolError.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from pkitools.errors import ProtocolError

BIND_RESPONSE = 0x61
SEARCH_ENTRY = 0x64
SEARCH_DONE = 0x65
SEARCH_REFERENCE = 0x73
EXTENDED_RESPONSE = 0x78

PAGED_RESULTS = b"1.2.840.113556.1.4.319"
NOTICE_OF_DISCONNECTION = b"1.3.6.1.4.1.1466.20036"

_SEQUENCE = 0x30
_SET = 0x31
_INTEGER = 0x02
_OCTETS = 0x04
_ENUMERATED = 0x0A
_CONTROLS = 0xA0
_REFERRAL = 0xA3
_SASL_CREDENTIALS = 0x87
_RESPONSE_NAME = 0x8A


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as the server returned it: attribute names as it spells them, values as raw bytes."""

    dn: str
    attributes: dict[str, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Result:
    """An LDAPResult (RFC 4511 4.1.9) with what may come beside it."""

    code: int
    diagnostic: str
    sasl_credentials: bytes | None = None
    response_name: bytes | None = None
    cookie: bytes = b""


@dataclass(frozen=True, slots=True)
class Message:
    """An LDAPMessage whose operation has not been read yet: ``data[start:end]`` is its content."""

    message_id: int
    tag: int
    data: bytes
    start: int
    end: int
    controls: tuple[int, int] | None


def message_length(data: bytes | bytearray) -> int | None:
    """The length of the message that begins ``data``, header included; None while too little of it is there.

    Raises ProtocolError when it is no LDAP message or of indefinite length. The length is what the server claims: the
    caller checks it before it waits for so much.
    """
    if not data:
        return None
    if data[0] != _SEQUENCE:
        raise ProtocolError(f"the server does not speak LDAP: a message begins with 0x{data[0]:02x}")
    if len(data) < 2:
        return None
    first = data[1]
    if first < 0x80:
        return 2 + first
    count = first & 0x7F
    if not 1 <= count <= 8:
        raise ProtocolError("LDAP: a message without a definite length")
    if len(data) < 2 + count:
        return None
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")


def read_message(data: bytes) -> Message:
    """The envelope of one whole message. Raises ProtocolError."""
    tag, start, end = _header(data, 0, len(data))
    if tag != _SEQUENCE or end != len(data):
        raise ProtocolError("LDAP: a message that is not one sequence")
    tag, at, stop = _header(data, start, end)
    if tag != _INTEGER or not 1 <= stop - at <= 4:
        raise ProtocolError("LDAP: a message without a message id")
    message_id = int.from_bytes(data[at:stop], "big", signed=True)
    tag, at, stop = _header(data, stop, end)
    controls = None
    if stop < end:
        control_tag, control_start, control_stop = _header(data, stop, end)
        if control_tag != _CONTROLS or control_stop != end:
            raise ProtocolError("LDAP: something other than controls behind an operation")
        controls = (control_start, control_stop)
    return Message(message_id, tag, data, at, stop, controls)


def read_entry(message: Message) -> Entry:
    """A SearchResultEntry (RFC 4511 4.5.2). Raises ProtocolError."""
    data, end = message.data, message.end
    tag, start, at = _header(data, message.start, end)
    if tag != _OCTETS:
        raise ProtocolError("LDAP: an entry without a name")
    dn = data[start:at].decode("utf-8", "backslashreplace")
    tag, at, stop = _header(data, at, end)
    if tag != _SEQUENCE or stop != end:
        raise ProtocolError("LDAP: an entry without a list of attributes")
    attributes: dict[str, tuple[bytes, ...]] = {}
    while at < end:
        tag, at, next_attribute = _header(data, at, end)
        if tag != _SEQUENCE:
            raise ProtocolError("LDAP: an attribute that is not a sequence")
        tag, start, at = _header(data, at, next_attribute)
        if tag != _OCTETS:
            raise ProtocolError("LDAP: an attribute without a name")
        name = sys.intern(data[start:at].decode("utf-8", "backslashreplace"))  # the same few in every entry
        tag, at, stop = _header(data, at, next_attribute)
        if tag != _SET or stop != next_attribute:
            raise ProtocolError("LDAP: an attribute without a set of values")
        values = []
        while at < stop:
            tag, start, at = _header(data, at, stop)
            if tag != _OCTETS:
                raise ProtocolError("LDAP: a value that is not an octet string")
            values.append(data[start:at])
        attributes[name] = tuple(values)
    return Entry(dn, attributes)


def read_result(message: Message) -> Result:
    """An LDAPResult in any of the responses that end an operation. Raises ProtocolError."""
    data, end = message.data, message.end
    tag, start, at = _header(data, message.start, end)
    if tag != _ENUMERATED or not 1 <= at - start <= 4:
        raise ProtocolError("LDAP: a response without a result code")
    code = int.from_bytes(data[start:at], "big", signed=True)
    texts = []
    for _ in range(2):
        tag, start, at = _header(data, at, end)
        if tag != _OCTETS:
            raise ProtocolError("LDAP: a response without its texts")
        texts.append(data[start:at].decode("utf-8", "backslashreplace").rstrip("\x00\r\n "))
    sasl_credentials = response_name = None
    while at < end:
        tag, start, at = _header(data, at, end)
        if tag == _SASL_CREDENTIALS:
            sasl_credentials = data[start:at]
        elif tag == _RESPONSE_NAME:
            response_name = data[start:at]
    return Result(code, texts[1], sasl_credentials, response_name, _cookie(message))


def _cookie(message: Message) -> bytes:
    """The cookie of the paged results control (RFC 2696); empty when there is no further page."""
    if message.controls is None:
        return b""
    data = message.data
    at, end = message.controls
    while at < end:
        tag, start, at = _header(data, at, end)
        if tag != _SEQUENCE:
            raise ProtocolError("LDAP: a control that is not a sequence")
        tag, name_start, name_end = _header(data, start, at)
        if tag != _OCTETS or data[name_start:name_end] != PAGED_RESULTS:
            continue
        value_start, value_end = _control_value(data, name_end, at)
        tag, start, stop = _header(data, value_start, value_end)
        tag_size, _, size_end = _header(data, start, stop)
        tag_cookie, cookie_start, cookie_end = _header(data, size_end, stop)
        if (tag, tag_size, tag_cookie) != (_SEQUENCE, _INTEGER, _OCTETS):
            raise ProtocolError("LDAP: a paged results control that cannot be read")
        return data[cookie_start:cookie_end]
    return b""


def _control_value(data: bytes, at: int, end: int) -> tuple[int, int]:
    while at < end:
        tag, start, at = _header(data, at, end)
        if tag == _OCTETS:
            return start, at
    raise ProtocolError("LDAP: a paged results control without a value")


def _header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of the element at ``at``, which must lie before ``end``."""
    if at + 2 > end:
        raise ProtocolError("LDAP: a message is cut short")
    length = data[at + 1]
    start = at + 2
    if length >= 0x80:
        count = length & 0x7F
        if not 1 <= count <= 8 or start + count > end:
            raise ProtocolError("LDAP: a length that cannot be read")
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + length > end:
        raise ProtocolError("LDAP: an element is longer than what holds it")
    return data[at], start, start + length
