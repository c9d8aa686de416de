"""Our errors as PowerShell's error records: id and category by cause."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from pkitools import codes
from pkitools.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConnectError,
    DeadlineExceededError,
    FileAccessError,
    FormatError,
    InputError,
    MissingDependencyError,
    NameResolutionError,
    NoAnswerError,
    PasswordError,
    PkiToolsError,
    ProtocolError,
    RefusedError,
)
from pkitools.models.outcome import Status
from pkitools.output.clixml import ErrorRecord


class ErrorCategory(IntEnum):
    """System.Management.Automation.ErrorCategory, as far as we use it."""

    NotSpecified = 0
    InvalidArgument = 5
    InvalidData = 6
    InvalidOperation = 7
    NotInstalled = 12
    ObjectNotFound = 13
    OperationTimeout = 15
    PermissionDenied = 18
    ResourceExists = 20
    ResourceUnavailable = 21
    ReadError = 22
    SecurityError = 25
    ProtocolError = 26
    ConnectionError = 27
    AuthenticationError = 28


# the first class that fits decides, so the more exact ones stand first
_CATEGORIES: tuple[tuple[type[PkiToolsError], ErrorCategory], ...] = (
    (PasswordError, ErrorCategory.SecurityError),
    (FileAccessError, ErrorCategory.ReadError),
    (FormatError, ErrorCategory.InvalidData),
    (MissingDependencyError, ErrorCategory.NotInstalled),
    (InputError, ErrorCategory.InvalidArgument),
    (NameResolutionError, ErrorCategory.ResourceUnavailable),
    (DeadlineExceededError, ErrorCategory.OperationTimeout),
    (ConnectError, ErrorCategory.ConnectionError),
    (NoAnswerError, ErrorCategory.ResourceUnavailable),
    (AuthenticationError, ErrorCategory.AuthenticationError),
    (AccessDeniedError, ErrorCategory.PermissionDenied),
    (RefusedError, ErrorCategory.PermissionDenied),
    (ProtocolError, ErrorCategory.ProtocolError),
)
_BY_ID = {
    "FileExists": ErrorCategory.ResourceExists,
    "ObjectNotFound": ErrorCategory.ObjectNotFound,
    "NotFound": ErrorCategory.ObjectNotFound,
}
_BY_STATUS = {
    Status.UNUSABLE: ErrorCategory.InvalidData,
    Status.NO_ANSWER: ErrorCategory.ResourceUnavailable,
    Status.REFUSED: ErrorCategory.PermissionDenied,
    Status.PROTOCOL_ERROR: ErrorCategory.ProtocolError,
}
E_FAIL = 0x80004005


def category_of(error: PkiToolsError) -> ErrorCategory:
    """The category of an error, by its id or else by its class."""
    if error.error_id in _BY_ID:
        return _BY_ID[error.error_id]
    return next((category for kind, category in _CATEGORIES if isinstance(error, kind)), ErrorCategory.NotSpecified)


def category_of_reason(error_id: str, status: Status) -> ErrorCategory:
    """The category for the reason of an outcome: by the class whose id it has, else by the status."""
    if error_id in _BY_ID:
        return _BY_ID[error_id]
    kind = next((item for item in _subclasses(PkiToolsError) if item.error_id == error_id), None)
    if kind is not None:
        return next((category for base, category in _CATEGORIES if issubclass(kind, base)), ErrorCategory.NotSpecified)
    return _BY_STATUS.get(status, ErrorCategory.NotSpecified)


def _subclasses(kind: type[PkiToolsError]) -> Iterator[type[PkiToolsError]]:
    for item in kind.__subclasses__():
        yield item
        yield from _subclasses(item)


def hresult_of(code: str | None) -> int:
    """The signed HRESULT of a code by its name; E_FAIL without one."""
    number = codes.by_name(code).value if code else E_FAIL
    if number <= 0xFFFF:
        number |= 0x80070000  # HRESULT_FROM_WIN32
    return number - 0x100000000 if number & 0x80000000 else number


def record_of(error: PkiToolsError, command: str, target: str | None = None) -> ErrorRecord:
    """The error record of an error that ``command`` met."""
    return ErrorRecord(
        message=error.message + (f" Next: {error.hint}." if error.hint else ""),
        error_id=error.error_id,
        category=int(category_of(error)),
        target=target,
        activity=command,
        hresult=hresult_of(error.code),
        hint=error.hint,
    )
