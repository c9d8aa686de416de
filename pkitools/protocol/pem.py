"""PEM text (RFC 7468, RFC 1421 4.6.1.1 headers): reading what people really have, writing what every device reads.

PEM is read as bytes, never decoded as UTF-8: ``openssl pkcs12`` prints names as raw Latin-1 between the blocks. Files
are read with a BOM, with LF, CRLF or CR alone, in UTF-16 or UTF-32 of either byte order (PowerShell's ``>``), indented
(YAML), with ``\\n`` escaped on one line (JSON, environment variables), with END and BEGIN on one line, and with any
noise between the blocks.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pkitools.errors import FormatError

MAX_PEM_BYTES = 32 * 1024 * 1024
MAX_PEM_BLOCKS = 5_000

CERTIFICATE = "CERTIFICATE"
CERTIFICATE_LABELS = frozenset({CERTIFICATE, "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})
REQUEST_LABELS = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})
CRL_LABELS = frozenset({"X509 CRL", "CRL"})
PKCS7_LABELS = frozenset({"PKCS7", "CMS", "PKCS #7 SIGNED DATA", "CERTIFICATE CHAIN"})
PKCS12_LABELS = frozenset({"PKCS12", "PKCS #12", "PFX"})
PRIVATE_KEY_LABELS = frozenset(
    {
        "PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "DSA PRIVATE KEY",
        "ANY PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
    }
)
_UNDERSTOOD = (
    CERTIFICATE_LABELS
    | REQUEST_LABELS
    | CRL_LABELS
    | PKCS7_LABELS
    | PKCS12_LABELS
    | PRIVATE_KEY_LABELS
    | {"EC PARAMETERS", "DSA PARAMETERS", "DH PARAMETERS", "PUBLIC KEY", "RSA PUBLIC KEY"}
)

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9][A-Z0-9 #._/-]{0,62}?)-----")
_END = re.compile(r"-----END ([A-Z0-9][A-Z0-9 #._/-]{0,62}?)-----")
_HEADER_LINE = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]{0,40}):[ \t]*(.*)")
_FLAT_HEADERS = re.compile(r"\s*Proc-Type: ?(4, ?ENCRYPTED)\s+DEK-Info: ?([A-Za-z0-9-]+,\s*[0-9A-Fa-f]+)\s")
_ESCAPES = re.compile(r"\\(?:r\\n|n|r|t|/|u00(?:0[aAdD]|2[bBfF]|3[dD]))")
_ESCAPED = {r"\/": "/", r"\u002b": "+", r"\u002f": "/", r"\u003d": "="}
_BLANKS = str.maketrans("", "", " \t\n\v\f")
_LINE = 64


@dataclass(frozen=True, slots=True)
class PemBlock:
    """One BEGIN/END block.

    ``label`` as written (``TRUSTED CERTIFICATE`` stays so), ``der`` its decoded content, ``headers`` the RFC 1421
    headers in order (``Proc-Type``, ``DEK-Info``), ``preamble`` the text between the block before and this one, bytes
    as Latin-1 characters, ``line`` the line of BEGIN (from 1), counted after unescaping.
    """

    label: str
    der: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    preamble: str = field(default="", repr=False)
    line: int = 1

    def header(self, name: str) -> str | None:
        """The value of a header by its name (any case), None when it is not there."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def looks_like_pem(data: bytes) -> bool:
    """Whether there is a BEGIN line in these bytes, in whatever encoding."""
    return b"-----BEGIN " in data or (b"\0" in data and b"-----BEGIN " in data.replace(b"\0", b""))


def read_pem(data: bytes) -> tuple[PemBlock, ...]:
    """All blocks of a PEM text in file order, empty when there is none.

    Blocks with a label that nobody here understands and with content that is no base64 (PGP armour) are left out.
    Raises FormatError, with the line: a block without END, an END of another label, damaged base64, over
    ``MAX_PEM_BYTES`` or ``MAX_PEM_BLOCKS``.
    """
    if len(data) > MAX_PEM_BYTES:
        raise FormatError(f"the PEM text is larger than {MAX_PEM_BYTES} bytes")
    blocks: list[PemBlock] = []
    for block in _blocks(_as_text(data)):
        blocks.append(block)
        if len(blocks) > MAX_PEM_BLOCKS:
            raise FormatError(f"the PEM text has more than {MAX_PEM_BLOCKS} blocks")
    return tuple(blocks)


def write_pem(label: str, der: bytes, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """One block in the strict form of RFC 7468 2: 64 columns, LF, nothing outside."""
    text = binascii.b2a_base64(der, newline=False)
    lines = [f"-----BEGIN {label}-----".encode("ascii")]
    lines += [f"{name}: {value}".encode("ascii") for name, value in headers]
    if len(lines) > 1:
        lines.append(b"")
    lines += [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    lines.append(f"-----END {label}-----".encode("ascii"))
    return b"\n".join(lines) + b"\n"


def _as_text(data: bytes) -> str:
    """The bytes as characters with LF alone.

    PEM is ASCII: without its NULs, UTF-16 and UTF-32 text reads as ASCII in both byte orders, and so does a file of
    which only a part was appended by PowerShell. A BOM is noise before the first block.
    """
    text = data.replace(b"\0", b"").decode("latin-1")
    if "\\" in text:
        text = _ESCAPES.sub(lambda match: _ESCAPED.get(match[0].lower(), "\n"), text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _blocks(text: str) -> Iterator[PemBlock]:
    position, line, counted = 0, 1, 0
    while begin := _BEGIN.search(text, position):
        line += text.count("\n", counted, begin.start())
        counted = begin.start()
        label = begin[1]
        end = _END.search(text, begin.end())
        following = _BEGIN.search(text, begin.end(), end.start() if end else len(text))
        if end is None or following is not None:
            raise FormatError(f"BEGIN {label} in line {line} has no END", hint="was the file cut off when copied?")
        if end[1] != label:
            raise FormatError(f"BEGIN {label} in line {line} is closed by END {end[1]}")
        headers, body = _split_headers(text[begin.end() : end.start()])
        der = _decode(body, label, line)
        if der is not None:
            yield PemBlock(label, der, headers, text[position : begin.start()], line)
        position = end.end()


def _split_headers(body: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """The RFC 1421 headers and the base64 after them. Base64 has no colon, so a line with one is a header."""
    if ":" not in body:
        return (), body
    if flat := _FLAT_HEADERS.match(body):  # the line breaks became blanks
        return (("Proc-Type", flat[1]), ("DEK-Info", flat[2])), body[flat.end() :]
    lines = body.split("\n")
    last = max(index for index, text in enumerate(lines) if ":" in text)
    headers: list[tuple[str, str]] = []
    for text in lines[: last + 1]:
        if match := _HEADER_LINE.fullmatch(text):
            headers.append((match[1], match[2].strip()))
    return tuple(headers), "\n".join(lines[last + 1 :])


def _decode(body: str, label: str, line: int) -> bytes | None:
    try:
        return binascii.a2b_base64(body.translate(_BLANKS).encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        if label not in _UNDERSTOOD:
            return None
        raise FormatError(f"the block {label} in line {line} is damaged: not base64") from error
