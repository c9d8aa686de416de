"""What a Windows error code means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class CodeMeaning:
    """One meaning of a number: the family that gives it (ras, rras, ipsec, win32, hresult, ntstatus), its names in the
    Windows SDK, and a text of our own (None where we have none)."""

    PS_TYPE: ClassVar[str] = "PkiTools.CodeMeaning"

    family: str
    name: str
    aliases: tuple[str, ...]
    message: str | None


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """A code with its first meaning (family, name, message), what it means for Always On VPN, what to check in turn and
    which commands confirm it; then what else the same number means.

    ``error_code`` is the number as a signed 32-bit integer, as PowerShell holds it; ``hex_code`` its eight digits.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.ErrorMessage"

    error_code: int
    hex_code: str
    family: str
    name: str
    message: str | None
    aliases: tuple[str, ...]
    meaning: str | None
    checks: tuple[str, ...]
    commands: tuple[str, ...]
    other_meanings: tuple[CodeMeaning, ...] = field(default=())
