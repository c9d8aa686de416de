"""A command for the tests of the command line itself, with every kind of record a command can give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, Flag
from typing import Annotated, ClassVar

import typer

from pkitools.errors import ConnectError, InputError
from pkitools.models.outcome import Finding, Notice, Outcome, RawOutput, Severity, failed, finding, judged


class Colour(Enum):
    RED = "Red"


class Rights(Flag):
    READ = 1
    WRITE = 2


@dataclass(frozen=True, slots=True)
class Inner:
    serial_number: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    PS_TYPE: ClassVar[str] = "PkiTools.Sample"

    display_name: str
    oid: str = field(metadata={"name": "OID"})
    when: datetime
    colour: Colour
    rights: Rights
    inner: Inner | None
    names: tuple[str, ...]
    findings: tuple[Finding, ...]


def sample(
    names: Annotated[list[str], typer.Argument(help="What to make.")],
    boom: Annotated[bool, typer.Option(help="Raise a bug.")] = False,
) -> Iterator[Outcome[Sample] | Notice | RawOutput]:
    """Make samples.

    \b
    Examples:
      pkitools sample Zoë
    """
    for name in names:
        yield from _one(name, boom)


def _one(name: str, boom: bool) -> Iterator[Outcome[Sample] | Notice | RawOutput]:
    if boom:
        raise ZeroDivisionError("hunter2")
    if name == "bad-option":
        raise InputError("the option is bad", hint="use a good one")
    if name == "dead":
        yield failed(
            name, ConnectError("connection to dead:443 refused", hint="is it up?", code="RPC_S_SERVER_UNAVAILABLE")
        )
        return
    if name == "notice":
        yield Notice("look \x1b[31mout")
        return
    if name == "raw":
        yield RawOutput(b"\x00raw\n")
        return
    findings: tuple[Finding, ...] = ()
    if name == "expired":
        findings = (finding(Severity.ERROR, "Expired", "expired", "renew it", code="CERT_E_EXPIRED"),)
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    inner = Inner("0A", b"\xff\x00")
    yield judged(name, Sample(name, "1.2.3", moment, Colour.RED, Rights(3), inner, ("a", name), findings), findings)
