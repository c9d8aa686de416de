"""Does the certificate name the host that was asked for? RFC 9525, and Windows' fall-back to the common name.

Windows looks at the common name when the certificate has no dNSName at all; browsers and most libraries no longer do.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from enum import Enum

from pkitools.errors import FormatError, InputError
from pkitools.models.certificate import Certificate, NameKind
from pkitools.protocol.names import common_names

_LABEL = re.compile(r"[a-z0-9_-]+")
_DOTS = str.maketrans("。．｡", "...")


class NameMatch(Enum):
    """How a name was found in a certificate."""

    SAN = "san"
    COMMON_NAME = "cn"
    NONE = "none"


def ascii_name(name: str) -> str:
    """A host name in lower case as A-labels (RFC 5890), without its trailing dot; an IP address in its usual form.

    Labels beyond ASCII are normalised (NFKC, lower case) and kept as IDNA2008 has it: ``ß`` and final sigma stay what
    they are. InputError: empty or over-long labels or names, NUL and other control characters.
    """
    bare = name.strip().removeprefix("[").removesuffix("]") if name.startswith("[") else name.strip()
    address = _address(bare.partition("%")[0])
    if address is not None:
        return str(address)
    text = unicodedata.normalize("NFKC", bare.translate(_DOTS)).lower()
    labels = text.removesuffix(".").split(".")
    encoded = [_ascii_label(label, name) for label in labels]
    result = ".".join(encoded)
    if len(result) > 253:
        raise InputError(f"{name[:60]!r}… is longer than a host name can be (253 characters)")
    return result


def _ascii_label(label: str, name: str) -> str:
    if not label:
        raise InputError(f"{name[:80]!r} is no host name: it has an empty part")
    if not label.isascii():
        try:
            label = "xn--" + label.encode("punycode").decode("ascii")
        except UnicodeError as error:
            raise InputError(f"{name[:80]!r} is no host name: {error}") from error
    if not _LABEL.fullmatch(label):
        raise InputError(f"{name[:80]!r} is no host name: it has characters that none can have")
    if len(label) > 63:
        raise InputError(f"{name[:80]!r} is no host name: a part is longer than 63 characters")
    return label


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def match_name(certificate: Certificate, subject: bytes, name: str) -> NameMatch:
    """Whether ``name`` (a host name or an IP address) is in the certificate; ``subject`` is its encoded subject.

    Raises InputError when ``name`` is no name.
    """
    wanted = ascii_name(name)
    names = certificate.names(NameKind.DNS)
    if _address(wanted) is not None:
        found = wanted in certificate.names(NameKind.IP)
    else:
        found = any(matches(pattern, wanted) for pattern in names)
    if found:
        return NameMatch.SAN
    if names:
        return NameMatch.NONE
    return NameMatch.COMMON_NAME if _in_common_names(subject, wanted) else NameMatch.NONE


def _in_common_names(subject: bytes, wanted: str) -> bool:
    try:
        return any(matches(name, wanted) for name in common_names(subject))
    except FormatError:
        return False


def matches(pattern: str, wanted: str) -> bool:
    """RFC 9525 6.3: the same labels, or ``*`` as the whole first label in place of exactly one. ``wanted`` is the
    outcome of ``ascii_name``."""
    presented = pattern.lower().removesuffix(".")
    if "*" not in presented:
        return presented == wanted
    first, dot, rest = presented.partition(".")
    if first != "*" or not dot or "*" in rest or _address(wanted) is not None:
        return False
    label, _, parent = wanted.partition(".")
    return bool(label) and parent == rest
