"""Validity and renewal periods of certificate templates: pKIExpirationPeriod and pKIOverlapPeriod.

Eight octets, a little-endian signed number of 100 ns units, negative because it is a span (MS-CRTD 2.10, 2.11).
"""

from __future__ import annotations

from pkitools.errors import FormatError

_PER_HOUR = 36_000_000_000
_UNITS = ((8760, "years"), (720, "months"), (168, "weeks"), (24, "days"), (1, "hours"))


def unpack_period(data: bytes) -> int:
    """The span in whole hours, rounded down. Raises FormatError: not eight octets, or not a span (positive)."""
    if len(data) != 8:
        raise FormatError(f"a period has 8 octets, here are {len(data)}")
    ticks = int.from_bytes(data, "little", signed=True)
    if ticks > 0:
        raise FormatError("a period is a negative number of 100 ns units, this one is positive")
    return -ticks // _PER_HOUR


def pack_period(hours: int) -> bytes:
    """The eight octets of a span in hours."""
    return (-hours * _PER_HOUR).to_bytes(8, "little", signed=True)


def period_text(hours: int) -> str:
    """The span in the largest unit that fits exactly, always plural: 1008 hours are ``6 weeks``, a year ``1 years``."""
    for size, unit in _UNITS:
        if hours and hours % size == 0:
            return f"{hours // size} {unit}"
    return "0 hours"
