"""Distinguished names as directories write them (RFC 4514)."""

from __future__ import annotations

import re

_ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)


def split_dn(dn: str) -> list[str]:
    """The RDNs of ``dn``, still escaped, without blanks around them; a stray backslash at the end stays as it is."""
    parts: list[str] = []
    start = at = 0
    quoted = False
    while at < len(dn):
        if dn[at] == "\\":
            at += 2
            continue
        if dn[at] == '"':
            quoted = not quoted
        elif dn[at] == "," and not quoted:
            parts.append(_trimmed(dn[start:at]))
            start = at + 1
        at += 1
    parts.append(_trimmed(dn[start:]))
    return [part for part in parts if part]


def _trimmed(part: str) -> str:
    part = part.lstrip(" ")
    bare = part.rstrip(" ")
    return bare + " " if bare.endswith("\\") and len(bare) < len(part) else bare


def rdn_value(rdn: str) -> str:
    """The value of ``CN=value`` without its escapes."""
    value = rdn.partition("=")[2]
    raw = _ESCAPE.sub(_unescaped, value.encode("utf-8", "surrogatepass"))
    return raw.decode("utf-8", "replace")


def _unescaped(match: re.Match[bytes]) -> bytes:
    escaped = match[1]
    return bytes.fromhex(escaped.decode("ascii")) if len(escaped) == 2 else escaped


def is_below(dn: str, ancestor: str) -> bool:
    """Whether ``dn`` is ``ancestor`` or stands below it; case does not matter."""
    names, tops = folded_dn(dn), folded_dn(ancestor)
    return len(names) >= len(tops) and names[len(names) - len(tops) :] == tops


def dns_domain(dn: str) -> str:
    """``ad.example.test`` of ``…,DC=ad,DC=example,DC=test``."""
    return ".".join(rdn_value(rdn) for rdn in split_dn(dn) if rdn[:3].lower() == "dc=")


def folded_dn(dn: str) -> tuple[str, ...]:
    """The RDNs of a name in a form in which equal names are equal: unescaped, without regard to case."""
    return tuple(f"{rdn.partition('=')[0].strip()}={rdn_value(rdn)}".casefold() for rdn in split_dn(dn))
