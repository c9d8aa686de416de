"""Typed reading of the attributes of one directory object.

A value that is not of its form does not end the reading: it is left out (None, or a shorter tuple) and kept in
``undecodable`` as it was, so that one broken attribute hides neither its object nor the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from pkitools.errors import FormatError
from pkitools.models.directory import UndecodableValue
from pkitools.protocol.ldap.periods import unpack_period

T = TypeVar("T")

_INTEGER = re.compile(rb"-?[0-9]{1,20}")
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,]\d{1,9})?Z")


class AttributeReader:
    """Reads attributes by name, case-insensitively. ``undecodable`` grows while values are asked for."""

    __slots__ = ("_values", "undecodable")

    def __init__(self, attributes: Mapping[str, Sequence[bytes]]) -> None:
        self._values = {name.lower(): values for name, values in attributes.items()}
        self.undecodable: list[UndecodableValue] = []

    def has(self, name: str) -> bool:
        """Whether the attribute is there at all: absent also when the account may not read it."""
        return bool(self._values.get(name.lower()))

    def octets(self, name: str) -> bytes | None:
        """The (first) value as it is."""
        values = self._values.get(name.lower())
        return bytes(values[0]) if values else None

    def all_octets(self, name: str) -> tuple[bytes, ...]:
        """Every value as it is."""
        return tuple(bytes(value) for value in self._values.get(name.lower(), ()))

    def text(self, name: str) -> str | None:
        """The first value as text; bytes that are not UTF-8 stand in it as ``\\xNN`` and are noted."""
        return self._first(name, self._text)

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value as text."""
        return tuple(self._text(name, value) for value in self._values.get(name.lower(), ()))

    def int32(self, name: str) -> int | None:
        """A signed 32-bit integer in decimal digits (LDAP syntax Integer, MS-ADTS 3.1.1.2.2.2)."""
        return self._converted(name, decode_int32)

    def flags(self, name: str) -> int | None:
        """A signed 32-bit integer taken as 32 flag bits: never negative."""
        value = self.int32(name)
        return None if value is None else value & 0xFFFFFFFF

    def time(self, name: str) -> datetime | None:
        """A generalized time, in UTC."""
        return self._converted(name, decode_time)

    def period_hours(self, name: str) -> int | None:
        """A template's period in whole hours."""
        return self._converted(name, unpack_period)

    def converted(self, name: str, decode: Callable[[bytes], T]) -> T | None:
        """The first value through ``decode``, which raises FormatError for what it does not understand."""
        return self._converted(name, decode)

    def note(self, name: str, value: bytes, problem: str) -> None:
        """Keep a value that could not be understood."""
        self.undecodable.append(UndecodableValue(name, bytes(value), problem))

    def _first(self, name: str, decode: Callable[[str, bytes], T]) -> T | None:
        values = self._values.get(name.lower())
        return decode(name, values[0]) if values else None

    def _text(self, name: str, value: bytes) -> str:
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            self.note(name, value, "not UTF-8")
            return bytes(value).decode("utf-8", "backslashreplace")

    def _converted(self, name: str, decode: Callable[[bytes], T]) -> T | None:
        value = self.octets(name)
        if value is None:
            return None
        try:
            return decode(value)
        except FormatError as error:
            self.note(name, value, error.message)
            return None


def decode_int32(value: bytes) -> int:
    """``-1509949440``. Raises FormatError: not decimal digits, or outside signed 32 bits."""
    if not _INTEGER.fullmatch(value):
        raise FormatError("not an integer")
    number = int(value)
    if not -(1 << 31) <= number < 1 << 31:
        raise FormatError("outside the range of a signed 32-bit integer")
    return number


def decode_time(value: bytes) -> datetime:
    """``20231105081530.0Z`` (X.680 generalized time in UTC). Raises FormatError for anything else."""
    match = _TIME.fullmatch(value.decode("ascii", "replace"))
    if match is None:
        raise FormatError("not a generalized time in UTC")
    try:
        return datetime(*(int(part) for part in match.groups()), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError as error:
        raise FormatError("no such moment") from error
