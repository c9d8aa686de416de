"""Look-up of Windows codes by name or number, of their texts, and of what to do about them.

The tables are searched as text: a lookup on a command's way up costs a read and a search, not 4,700 objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WindowsCode:
    """One code: its name in the Windows SDK, its unsigned 32-bit number, and the family that gives it meaning."""

    name: str
    value: int
    family: str

    @property
    def hex(self) -> str:
        """``0x`` and eight upper-case digits, as Windows shows an HRESULT."""
        return f"0x{self.value:08X}"


@dataclass(frozen=True, slots=True)
class Guidance:
    """What a code means for Always On VPN, what to check in turn, and the commands of ours that confirm it."""

    meaning: str
    checks: tuple[str, ...]
    commands: tuple[str, ...]


@cache
def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text("ascii")


def _code(table: str, at: int) -> WindowsCode:
    """The code whose line holds position ``at``."""
    start = table.rfind("\n", 0, at) + 1
    end = table.find("\n", at)
    number, name, family = table[start : end if end >= 0 else len(table)].split("\t")
    return WindowsCode(name, int(number, 0), family)


@cache
def by_name(name: str) -> WindowsCode:
    """The code called ``name``. Raises KeyError: a name that is not in the table is a bug of the caller."""
    table = _read("windows-codes.tsv")
    at = table.find(f"\t{name}\t") if name.isidentifier() else -1
    if at < 0:
        raise KeyError(name)
    return _code(table, at + 1)


def by_number(number: int) -> tuple[WindowsCode, ...]:
    """Every code with this unsigned number, in the table's order; empty when there is none."""
    table = _read("windows-codes.tsv")
    unsigned = number & 0xFFFFFFFF
    found = [at for text in (f"\n0x{unsigned:08X}\t", f"\n{unsigned}\t") for at in _positions(table, text)]
    return tuple(_code(table, at + 1) for at in sorted(found))


def _positions(table: str, text: str) -> Iterator[int]:
    at = table.find(text)
    while at >= 0:
        yield at
        at = table.find(text, at + 1)


def hex_of(name: str) -> str:
    """``0x800B0101`` for ``CERT_E_EXPIRED``."""
    return by_name(name).hex


def text_of(code: WindowsCode) -> str | None:
    """What the code means, in our own words; None where we have none."""
    table = _read("texts.tsv")
    head = f"\n{code.family}\t{code.name}\t"
    at = table.find(head)
    return table[at + len(head) : table.index("\n", at + 1)] if at >= 0 else None


@cache
def _guidance() -> dict[str, Guidance]:
    import json

    found: dict[str, Guidance] = {}
    for item in json.loads(_read("guidance.json")):
        guidance = Guidance(item["meaning"], tuple(item["checks"]), tuple(item["commands"]))
        found |= dict.fromkeys(item["codes"], guidance)
    return found


def guidance_of(code: WindowsCode) -> Guidance | None:
    """What to do about the code; None where nothing certain can be said. Keys of the data are ``family:NAME``."""
    return _guidance().get(f"{code.family}:{code.name}")
