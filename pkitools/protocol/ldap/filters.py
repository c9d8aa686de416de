"""LDAP search filters with every value escaped (RFC 4515 3)."""

from __future__ import annotations

from collections.abc import Iterable

_PLAIN = frozenset(range(0x21, 0x7F)) - frozenset(b"*()\\")  # blanks too: ldap3 strips those at the ends


def escape(value: str | bytes) -> str:
    """``value`` for use in a filter: all but harmless ASCII as ``\\xx``.

    Text is taken as UTF-8, lone surrogates as what no UTF-8 matches; bytes (a SID, a GUID) are escaped byte by byte.
    """
    if isinstance(value, bytes):
        return "".join(f"\\{byte:02x}" for byte in value)
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:02x}" for byte in value.encode("utf-8", "surrogatepass"))


def equals(attribute: str, value: str | bytes) -> str:
    """``(attribute=value)``."""
    return f"({attribute}={escape(value)})"


def present(attribute: str) -> str:
    """``(attribute=*)``."""
    return f"({attribute}=*)"


def contains_in_order(attribute: str, parts: Iterable[str]) -> str:
    """``(attribute=a*b*c)``: the literal parts around the wildcards; an empty first or last part is an open end."""
    text = "*".join(escape(part) for part in parts)
    while "**" in text:
        text = text.replace("**", "*")
    return f"({attribute}={text or '*'})"


def any_of(filters: Iterable[str]) -> str:
    """``(|…)``; a single filter stays as it is."""
    return _join("|", filters)


def all_of(filters: Iterable[str]) -> str:
    """``(&…)``; a single filter stays as it is."""
    return _join("&", filters)


def _join(operator: str, filters: Iterable[str]) -> str:
    items = list(filters)
    return items[0] if len(items) == 1 else f"({operator}{''.join(items)})"
