"""What ``pkitools demo`` shows: one server of its own, and whether the verdict on it is the expected one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pkitools.models.tls import WebServerSsl


@dataclass(frozen=True, slots=True)
class DemoResult:
    """``expected`` is the Windows code that the server must earn, None when there must be no finding; ``codes`` those
    that it did earn."""

    PS_TYPE: ClassVar[str] = "PkiTools.DemoResult"

    name: str
    expected: str | None
    as_expected: bool
    codes: tuple[str, ...]
    result: WebServerSsl
