"""EAP settings of a VPN connection: the blob in rasphone.pbk (CustomAuthData) and the XML in a ProfileXML.

The blob has no specification. What is read are its outer header ("1DBC", method, length) and two shapes that are plain
to see whatever the method: counted SHA-1 thumbprints, each after its length 20, and UTF-16 server names that follow
them. The rest stays hex.
"""

from __future__ import annotations

import re
import struct
from collections import deque
from dataclasses import dataclass
from typing import Final

from pkitools.models.phonebook import EapMethod, EapSettings
from pkitools.protocol.xml_tree import Element

METHOD_NAMES: Final = {
    1: "Identity",
    4: "MD5-Challenge",
    6: "GTC",
    13: "EAP-TLS",
    21: "EAP-TTLS",
    23: "EAP-AKA",
    25: "PEAP",
    26: "EAP-MSCHAPv2",
    43: "EAP-FAST",
    55: "TEAP",
}
_MAGIC: Final = bytes.fromhex("31444243")
_MAX_THUMBPRINTS = 64
_FILTER = re.compile(rb"\xfe\x00..\x01\x00\xfd\x00\x18\x00", re.DOTALL)


def method_name(number: int) -> str:
    """The name of an EAP method, ``EAP type N`` for one that is not in our table."""
    return METHOD_NAMES.get(number, f"EAP type {number}")


@dataclass(frozen=True, slots=True)
class _Server:
    """Thumbprints and names that stand together in a blob, at ``start``."""

    start: int
    thumbprints: tuple[str, ...]
    names: tuple[str, ...]


def read_custom_auth_data(eap_type: int, blob: bytes) -> EapSettings:
    """The settings in the joined CustomAuthData of an entry whose CustomAuthKey is ``eap_type``.

    Never fails: a blob of an unknown shape gives no thumbprints and no names, and stays in ``raw_data``.
    """
    servers = _servers(blob)
    inner = [(at, number) for number in (13, 26) if number != eap_type for at in _inner_methods(blob, number)]
    inner_start = min((at for at, _ in inner), default=len(blob))
    outer = [server for server in servers if server.start < inner_start]
    return EapSettings(
        _method(eap_type, outer),
        tuple(_method(number, [server for server in servers if server.start >= at]) for at, number in sorted(inner)),
        _issuer_filter(blob),
        blob,
    )


def _method(number: int, servers: list[_Server]) -> EapMethod:
    thumbprints = dict.fromkeys(item for server in servers for item in server.thumbprints)
    names = dict.fromkeys(item for server in servers for item in server.names)
    return EapMethod(number, method_name(number), tuple(thumbprints), tuple(names))


def _inner_methods(blob: bytes, number: int) -> list[int]:
    """Where an inner blob of a method begins: its type, a version below 16, and a length that fits the rest."""
    found = []
    for match in re.finditer(re.escape(struct.pack("<I", number)), blob[20:]):
        at = 20 + match.start()
        if at + 12 <= len(blob):
            version, size = struct.unpack_from("<II", blob, at + 4)
            if version < 16 and 12 <= size <= len(blob) - at:
                found.append(at)
    return found[:1]


def _servers(blob: bytes) -> list[_Server]:
    found: list[_Server] = []
    at = 0
    while (at := blob.find(b"\x14\0\0\0", at)) >= 0 and len(found) < _MAX_THUMBPRINTS:
        start, thumbprints = at, []
        while blob[at : at + 4] == b"\x14\0\0\0" and at + 24 <= len(blob):
            thumbprints.append(blob[at + 4 : at + 24].hex().upper())
            at += 24
        if not thumbprints:
            break
        names, at = _names(blob, at)
        found.append(_Server(start, tuple(thumbprints), names))
    return found


def _names(blob: bytes, at: int) -> tuple[tuple[str, ...], int]:
    """UTF-16 text up to its zero, split at semicolons; nothing when the bytes are no text."""
    end = at
    while end + 2 <= len(blob) and blob[end : end + 2] != b"\0\0":
        end += 2
    text = blob[at:end].decode("utf-16-le", "replace")
    if not text or not text.isprintable() or "\ufffd" in text:
        return (), at
    return tuple(name.strip() for name in text.split(";") if name.strip()), end


def _issuer_filter(blob: bytes) -> tuple[str, ...]:
    return tuple(blob[match.end() : match.end() + 20].hex().upper() for match in _FILTER.finditer(blob))[
        :_MAX_THUMBPRINTS
    ]


def read_eap_configuration(root: Element) -> EapSettings | None:
    """The settings in an ``EapHostConfig`` element (of a ProfileXML or of Get-VpnConnection's EapConfigXmlStream).

    None when no EAP method is named. Thumbprints may be written with blanks, as Windows' own documents do.
    """
    methods = [element for element in root.walk() if element.tag == "Eap" and element.find("Type") is not None]
    if not methods:
        return None
    read = [_xml_method(element) for element in methods]
    filters = [item for element in root.walk() if element.tag == "IssuerHash" for item in _thumbprints(element.text)]
    return EapSettings(read[0], tuple(read[1:]), tuple(dict.fromkeys(filters)), b"")


def _xml_method(element: Element) -> EapMethod:
    kind = element.find("Type")
    text = kind.text.strip() if kind else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    own = list(_own(element))
    roots = dict.fromkeys(item for part in own if part.tag == "TrustedRootCA" for item in _thumbprints(part.text))
    names = dict.fromkeys(
        name.strip() for part in own if part.tag == "ServerNames" for name in part.text.split(";") if name.strip()
    )
    return EapMethod(number, method_name(number), tuple(roots), tuple(names))


def _own(element: Element) -> list[Element]:
    """What is below a method's element and not below that of its inner method."""
    found = []
    waiting = deque(element.children)
    while waiting:
        child = waiting.popleft()
        found.append(child)
        if child.tag != "Eap":
            waiting.extend(child.children)
    return found


def _thumbprints(text: str) -> list[str]:
    digits = re.sub(r"[^0-9A-Fa-f]", "", text).upper()
    return [digits[at : at + 40] for at in range(0, len(digits) - len(digits) % 40, 40)]
