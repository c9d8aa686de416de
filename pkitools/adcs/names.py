"""CA names: the sanitized form that stands in the directory, and the way back (MS-WCCE 3.1.1.4.1.1)."""

from __future__ import annotations

import re

_ESCAPED_ASCII = frozenset("!\"#%&'()*+,/:;<=>?[\\]^`{|}")
_MAX_SANITIZED = 51
_HASH_DIGITS = 5
_ESCAPE = re.compile(r"!([0-9a-fA-F]{4})")
_TRUNCATED = re.compile(r".{47,51}-\d{5}", re.DOTALL)


def sanitize(name: str) -> str:
    """The sanitized short name of a CA: escapes as ``!xxxx`` per UTF-16 unit, at most 51 characters and a hash.

    A lone surrogate is escaped like any other unit.
    """
    full = "".join(_sanitized_character(character) for character in name)
    if len(full) <= _MAX_SANITIZED:
        return full
    cut = _cut_position(full)
    return f"{full[:cut]}-{_hash(full[cut:]):0{_HASH_DIGITS}d}"


def is_truncated(sanitized: str) -> bool:
    """Whether a sanitized name ends in the hash of what was cut off, so that it cannot be decoded."""
    return bool(_TRUNCATED.fullmatch(sanitized))


def decode(sanitized: str) -> str:
    """The name behind a sanitized name that was not truncated; escapes that pair as surrogates become one character."""
    units = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), sanitized)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass" if _lone(units) else "strict")


def display_name(sanitized: str, directory_name: str | None, subject_cn: str | None) -> str:
    """The plain name of a CA: displayName where it says more than the sanitized name, else what decodes to it.

    A truncated name is taken from displayName or the CN of the CA certificate's subject, if that sanitizes to the
    same; when nothing does, the sanitized name itself is all there is.
    """
    for candidate in (directory_name, subject_cn):
        if candidate and sanitize(candidate) == sanitized:
            return candidate
    if directory_name and directory_name != sanitized:
        return directory_name
    return sanitized if is_truncated(sanitized) else decode(sanitized)


def _sanitized_character(character: str) -> str:
    if 0x20 <= ord(character) <= 0x7E and character not in _ESCAPED_ASCII:
        return character
    raw = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"!{raw[at]:02x}{raw[at + 1]:02x}" for at in range(0, len(raw), 2))


def _cut_position(full: str) -> int:
    escape = full.rfind("!", _MAX_SANITIZED - 4, _MAX_SANITIZED)
    return _MAX_SANITIZED if escape < 0 else escape


def _hash(removed: str) -> int:
    value = 0
    for character in removed:
        rotated = (value << 1 | value >> 15) & 0xFFFF
        value = (rotated + ord(character)) & 0xFFFF
    return value


def _lone(text: str) -> bool:
    try:
        text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return True
    return False
