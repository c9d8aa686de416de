"""PowerShell's ``-like``: case-insensitive, ``*`` any text, ``?`` one character, ``[a-z]`` one of a set, backtick."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from pkitools.protocol.ldap.filters import contains_in_order

_SPECIAL = re.compile(r"`(.)|\*|\?|\[([^\]]+)\]|(.)", re.DOTALL)


def is_wildcard(pattern: str) -> bool:
    """Whether the pattern has a wildcard that no backtick takes away."""
    return any(match[1] is None and match[3] is None for match in _SPECIAL.finditer(pattern))


def like(pattern: str, text: str) -> bool:
    """Whether ``text`` matches the whole of ``pattern``."""
    return compile_pattern(pattern).fullmatch(text) is not None


def like_any(patterns: Iterable[str], text: str) -> bool:
    """Whether one of the patterns matches."""
    return any(like(pattern, text) for pattern in patterns)


@functools.lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression.

    The first place where the text between two ``*`` fits is kept (``(?>…)``): a later one never fits better, and trying
    them all takes time without bounds.
    """
    between: list[str] = [""]
    for match in _SPECIAL.finditer(pattern):
        if match[0] == "*":
            between.append("")
        else:
            between[-1] += _translated(match)
    first, *rest = between
    if not rest:
        return re.compile(first, re.IGNORECASE | re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1] if part)
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.IGNORECASE | re.DOTALL)


def _translated(match: re.Match[str]) -> str:
    if match[1] is not None or match[3] is not None:
        return re.escape(match[1] or match[3])
    if match[2] is not None:
        return _character_set(match[2])
    return "."


def _character_set(inside: str) -> str:
    members: list[str] = []
    at = 0
    while at < len(inside):
        low = inside[at]
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            low, high = sorted((low, inside[at + 2]))
            members.append(f"{re.escape(low)}-{re.escape(high)}")
            at += 3
            continue
        members.append(re.escape(low))
        at += 1
    return f"[{''.join(members)}]"


def superset_filter(attribute: str, pattern: str) -> str | None:
    """An LDAP filter that lets through all that the pattern matches (and perhaps more), None when only all will do.

    Patterns beyond ASCII are left to ``like``: servers differ in how they fold case there.
    """
    if not pattern.isascii():
        return None
    parts, literal = [], ""
    for match in _SPECIAL.finditer(pattern):
        if match[1] is None and match[3] is None:
            parts.append(literal)
            literal = ""
        else:
            literal += match[1] or match[3]
    parts.append(literal)
    return contains_in_order(attribute, parts) if any(parts) else None
