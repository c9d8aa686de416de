"""Comment lines of the plain PEM layout: what PKCS #12 attributes say and PEM has no place for.

They stand before the block that they belong to, one value a line, and bring names, provider, KeySpec, machine mark and
the RSA-PSS algorithm of a key back on the way from PEM to PFX. openssl and every other reader skip them. Values are
percent-encoded to ASCII without a backslash or two hyphens in a row, so that no name can end a line or begin a block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote, unquote_to_bytes

from pkitools.models.keystore import Attribute, CertificateEntry, KeyEntry, KeySpec
from pkitools.protocol import der
from pkitools.protocol.private_key import RSA, KeyForm, split_key

_LINE = re.compile(r"# pkitools ([a-z0-9-]{1,40}): ([!-~](?:[ -~]*[!-~])?)?")
_READABLE = " ()[]{}<>@,;:+&'/=!*$#^|?."
MAX_LINES = 1_000


def comment_lines(entry: KeyEntry | CertificateEntry, form: KeyForm | None = None) -> bytes:
    """The comment lines for an entry, empty when it has nothing to say. ``form`` is the form a key is written in."""
    return b"".join(f"# pkitools {name}: {value}\n".encode("ascii") for name, value in _values(entry, form))


def _values(entry: KeyEntry | CertificateEntry, form: KeyForm | None) -> Iterator[tuple[str, str]]:
    if entry.friendly_name is not None:
        yield "friendly-name", escape(entry.friendly_name)
    if entry.local_key_id is not None:
        yield "local-key-id", entry.local_key_id.hex()
    if isinstance(entry, KeyEntry):
        yield from _key_values(entry, form)
    for attribute in entry.attributes:
        yield "attribute", f"{attribute.oid} {','.join(value.hex() for value in attribute.values)}".rstrip()


def _key_values(entry: KeyEntry, form: KeyForm | None) -> Iterator[tuple[str, str]]:
    if entry.provider is not None:
        yield "provider", escape(entry.provider)
    if entry.key_spec is not KeySpec.NONE:
        yield "key-spec", entry.key_spec.value
    if entry.machine:
        yield "machine", "true"
    if form in (KeyForm.PKCS1, KeyForm.SEC1):
        oid, algorithm, _ = split_key(entry.pkcs8)
        if form is KeyForm.PKCS1 and algorithm != der.sequence(der.oid(RSA), der.element(der.NULL, b"")):
            yield "algorithm", f"{oid} {algorithm.hex()}"
        if tail := _tail(entry.pkcs8):
            yield "key-attributes", tail.hex()


def _tail(pkcs8: bytes) -> bytes:
    """What follows the key in a PrivateKeyInfo: its attributes, and the public key of RFC 5958."""
    info = der.Reader(pkcs8, "the private key").sequence("PrivateKeyInfo")
    info.any(), info.any(), info.any()
    return pkcs8[info.position : info.end]


def escape(text: str) -> str:
    """Any text as one line of printable ASCII; ``unescape`` is the way back."""
    octets = text.encode("utf-8", "surrogatepass")
    escaped = quote(octets, safe=_READABLE).replace("--", "-%2D").replace("--", "-%2D")
    blanks = len(escaped) - len(escaped.lstrip(" "))
    escaped = "%20" * blanks + escaped[blanks:]
    kept = escaped.rstrip(" ")
    return (kept + "%20" * (len(escaped) - len(kept))) or "%"


def unescape(text: str) -> str:
    """The text that ``escape`` made a line of. Raises UnicodeDecodeError for a line that somebody damaged."""
    return "" if text == "%" else unquote_to_bytes(text).decode("utf-8", "surrogatepass")


def read_comments(preamble: str) -> tuple[tuple[str, str], ...]:
    """Names and values of the comment lines in the text before a block, in order."""
    if "# pkitools " not in preamble:
        return ()
    found = (_LINE.fullmatch(line.strip()) for line in preamble.split("\n"))
    return tuple((match[1], match[2] or "") for match in found if match)[:MAX_LINES]


def apply_to_certificate(entry: CertificateEntry, comments: tuple[tuple[str, str], ...]) -> CertificateEntry:
    """The certificate with what the comment lines before it say. ValueError (UnicodeDecodeError) for damaged lines."""
    for name, value in comments:
        if name == "friendly-name":
            entry = replace(entry, friendly_name=unescape(value))
        elif name == "local-key-id":
            entry = replace(entry, local_key_id=bytes.fromhex(value))
        elif name == "attribute":
            entry = replace(entry, attributes=(*entry.attributes, _attribute(value)))
    return entry


def apply_to_key(entry: KeyEntry, comments: tuple[tuple[str, str], ...]) -> KeyEntry:
    """The key with what the comment lines before it say. ValueError for damaged lines."""
    for name, value in comments:
        if name == "friendly-name":
            entry = replace(entry, friendly_name=unescape(value))
        elif name == "local-key-id":
            entry = replace(entry, local_key_id=bytes.fromhex(value))
        elif name == "attribute":
            entry = replace(entry, attributes=(*entry.attributes, _attribute(value)))
        elif name == "provider":
            entry = replace(entry, provider=unescape(value))
        elif name == "key-spec":
            entry = replace(entry, key_spec=KeySpec(value))
        elif name == "machine":
            entry = replace(entry, machine=value == "true")
        elif name == "algorithm":
            entry = replace(entry, pkcs8=_rebuilt(entry.pkcs8, algorithm=bytes.fromhex(value.partition(" ")[2])))
        elif name == "key-attributes":
            entry = replace(entry, pkcs8=_rebuilt(entry.pkcs8, tail=bytes.fromhex(value)))
    return entry


def _rebuilt(pkcs8: bytes, *, algorithm: bytes | None = None, tail: bytes | None = None) -> bytes:
    _, found, key = split_key(pkcs8)
    for part in (algorithm, tail):
        if part is not None:
            reader = der.Reader(part, "a comment line")
            while reader.more():
                reader.any()
    return der.sequence(
        der.integer(0),
        found if algorithm is None else algorithm,
        der.octet_string(key),
        _tail(pkcs8) if tail is None else tail,
    )


def _attribute(value: str) -> Attribute:
    oid, _, values = value.partition(" ")
    der.oid(oid)
    return Attribute(oid, tuple(bytes.fromhex(one) for one in values.split(",") if one))
