"""Look-up of Windows codes by name or number in the table beside this module."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


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


@cache
def _table() -> tuple[dict[str, WindowsCode], dict[int, tuple[WindowsCode, ...]]]:
    by_name: dict[str, WindowsCode] = {}
    by_number: dict[int, list[WindowsCode]] = {}
    text = files("pkitools.codes").joinpath("windows-codes.tsv").read_text("ascii")
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        number, name, family = line.split("\t")
        code = WindowsCode(name, int(number, 0), family)
        by_name.setdefault(name, code)
        by_number.setdefault(code.value, []).append(code)
    return by_name, {number: tuple(codes) for number, codes in by_number.items()}


def by_name(name: str) -> WindowsCode:
    """The code called ``name``. Raises KeyError: a name that is not in the table is a bug of the caller."""
    return _table()[0][name]


def by_number(number: int) -> tuple[WindowsCode, ...]:
    """Every code with this unsigned number, in the table's order; empty when there is none."""
    return _table()[1].get(number & 0xFFFFFFFF, ())


def hex_of(name: str) -> str:
    """``0x800B0101`` for ``CERT_E_EXPIRED``."""
    return by_name(name).hex
