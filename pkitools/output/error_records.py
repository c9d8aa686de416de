"""Our errors as PowerShell's error records: id and category by cause."""

from __future__ import annotations

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
E_FAIL = 0x80004005


def category_of(error: PkiToolsError) -> ErrorCategory:
    """The category of an error, by its id or else by its class."""
    if error.error_id in _BY_ID:
        return _BY_ID[error.error_id]
    return next((category for kind, category in _CATEGORIES if isinstance(error, kind)), ErrorCategory.NotSpecified)


def category_of_id(error_id: str) -> ErrorCategory:
    """The category for the id of an error or a reason."""
    if error_id in _BY_ID:
        return _BY_ID[error_id]
    for kind, category in _CATEGORIES:
        if kind.error_id == error_id:
            return category
    return ErrorCategory.NotSpecified


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
