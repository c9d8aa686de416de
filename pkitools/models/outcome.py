"""What a command says of each target: an outcome with its findings, or a notice beside the results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Generic, TypeAlias, TypeVar

from pkitools import codes
from pkitools.errors import ExitCode, PkiToolsError

T = TypeVar("T")


class Severity(Enum):
    """How grave a finding is: an error is what a Windows client refuses, a warning works today and will bite, a note
    does not change the exit code."""

    ERROR = "Error"
    WARNING = "Warning"
    NOTE = "Note"


class Status(Enum):
    """How it went for one target. Each status has one exit code."""

    OK = "OK"
    FINDING = "Finding"
    UNUSABLE = "Unusable"
    NO_ANSWER = "NoAnswer"
    REFUSED = "Refused"
    PROTOCOL_ERROR = "ProtocolError"

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that this status alone gives."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Status.OK: ExitCode.OK,
    Status.FINDING: ExitCode.FINDING,
    Status.UNUSABLE: ExitCode.USAGE,
    Status.NO_ANSWER: ExitCode.NO_ANSWER,
    Status.REFUSED: ExitCode.REFUSED,
    Status.PROTOCOL_ERROR: ExitCode.PROTOCOL,
}
_STATUSES = {code: status for status, code in _EXIT_CODES.items()}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth saying about a target.

    ``id`` is stable, PascalCase and documented; ``code`` the Windows code's name (None where Windows has none) and
    ``code_hex`` its number; ``message`` says what is so, ``next_step`` what to do (may be empty).
    """

    PS_TYPE: ClassVar[str] = "PkiTools.Finding"

    severity: Severity
    id: str
    message: str
    next_step: str = ""
    code: str | None = None
    code_hex: str | None = None


def finding(severity: Severity, id: str, message: str, next_step: str = "", *, code: str | None = None) -> Finding:  # noqa: A002
    """A finding whose number is looked up by the code's name. KeyError when the name is in no table: a bug."""
    return Finding(severity, id, message, next_step, code, codes.hex_of(code) if code else None)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a target has no (complete) answer. Fields as in ``Finding``."""

    PS_TYPE: ClassVar[str] = "PkiTools.Reason"

    id: str
    message: str
    next_step: str = ""
    code: str | None = None
    code_hex: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The result for one target, as the user named it.

    ``value`` may be there although ``status`` is not OK: what was learnt before it failed stays.
    """

    target: str
    status: Status
    value: T | None = None
    reason: Reason | None = None


def reason_of(error: PkiToolsError) -> Reason:
    """An error of ours as data."""
    return Reason(
        error.error_id, error.message, error.hint, error.code, codes.hex_of(error.code) if error.code else None
    )


def failed(target: str, error: PkiToolsError, value: T | None = None) -> Outcome[T]:
    """The outcome for a target on which ``error`` ended the work."""
    return Outcome(target, _STATUSES[error.exit_code], value, reason_of(error))


def judged(target: str, value: T, findings: tuple[Finding, ...]) -> Outcome[T]:
    """The outcome for a target that answered: FINDING when a finding is an error or a warning, else OK."""
    grave = any(item.severity is not Severity.NOTE for item in findings)
    return Outcome(target, Status.FINDING if grave else Status.OK, value)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to say beside the results, on stderr: ``--insecure`` is on, a file was skipped."""

    message: str
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class RawOutput:
    """Bytes that are the result themselves (a PEM with ``-O -``): written to stdout as they are, alone."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """Outcomes of which the number is known beforehand, so that a progress bar can be shown."""

    total: int
    outcomes: Iterable[Outcome[T] | Notice | RawOutput]


Results: TypeAlias = "Iterable[Outcome[T] | Notice | RawOutput] | Batch[T]"
"""What a command returns: outcomes, with notices between them, mostly as a generator so that they stream."""
