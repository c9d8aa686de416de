"""A reader over bytes that never reads past the end and complains of what is left over."""

from __future__ import annotations

from pkitools.errors import ProtocolError


class Reader:
    """Big-endian reader of one IKE structure. ``what`` names the structure in errors.

    Every method raises ProtocolError when the bytes end too early.
    """

    __slots__ = ("_data", "_offset", "_what")

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._offset = 0
        self._what = what

    @property
    def remaining(self) -> int:
        """Number of bytes not yet read."""
        return len(self._data) - self._offset

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if count < 0 or count > self.remaining:
            raise ProtocolError(f"the IKE {self._what} is cut short: {count} bytes wanted, {self.remaining} left")
        self._offset += count
        return self._data[self._offset - count : self._offset]

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.remaining)

    def number(self, size: int) -> int:
        """An unsigned big-endian number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big")

    def finish(self) -> None:
        """Raises ProtocolError when bytes are left over."""
        if self.remaining:
            raise ProtocolError(f"the IKE {self._what} has {self.remaining} bytes too many")
