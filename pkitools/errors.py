"""The error tree and the exit codes: what pkitools raises, and nothing else leaves it.

An error says what was tried and on which target, carries the Windows code by name where there is one, and a hint: the
next thing to do. Exceptions of other libraries become one of these where pkitools meets them (in ``transport``,
``protocol`` and ``files``), with the original as ``__cause__``.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command; with several targets the highest number decides (130 aside)."""

    OK = 0
    FINDING = 1
    USAGE = 2
    NO_ANSWER = 3
    REFUSED = 4
    PROTOCOL = 5
    INTERRUPTED = 130


EXIT_CODE_HELP: dict[ExitCode, str] = {
    ExitCode.OK: "all well",
    ExitCode.FINDING: "a finding: something a Windows client refuses, or a warning",
    ExitCode.USAGE: "wrong usage, or input that cannot be read",
    ExitCode.NO_ANSWER: "no answer: name not found, connection refused, timeout",
    ExitCode.REFUSED: "refused: authentication failed, access denied",
    ExitCode.PROTOCOL: "the peer broke the protocol, or a bug in pkitools",
    ExitCode.INTERRUPTED: "interrupted",
}


class PkiToolsError(Exception):
    """Base of all errors of pkitools.

    ``message`` is one sentence without line breaks, ``hint`` the next step (may be empty), ``code`` the name of a
    Windows code in ``pkitools.codes`` such as ``CERT_E_EXPIRED`` (None where Windows has none), ``error_id`` the
    stable identifier that scripts and PowerShell see.
    """

    exit_code: ExitCode = ExitCode.PROTOCOL
    error_id: str = "PkiToolsError"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None, error_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        if error_id is not None:
            self.error_id = error_id

    def __str__(self) -> str:
        return self.message


class InputError(PkiToolsError):
    """The user's input cannot be used: a target, an option's value, a file's content or a directory's path."""

    exit_code = ExitCode.USAGE
    error_id = "InvalidInput"


class FileAccessError(InputError):
    """A file cannot be read or written: missing, not permitted, exists already, disk full."""

    error_id = "FileAccess"


class FormatError(InputError):
    """A file or a value is not of the format that it should be, or it is damaged; says where."""

    error_id = "InvalidFormat"


class PasswordError(InputError):
    """A file's password is missing or wrong."""

    error_id = "WrongPassword"


class MissingDependencyError(InputError):
    """An optional part (a library, a program) is not installed; the hint says how to get it."""

    error_id = "MissingDependency"


class NoAnswerError(PkiToolsError):
    """The peer could not be asked."""

    exit_code = ExitCode.NO_ANSWER
    error_id = "NoAnswer"


class NameResolutionError(NoAnswerError):
    """A host name does not resolve."""

    error_id = "NameNotResolved"


class ConnectError(NoAnswerError):
    """The connection was refused, reset or unreachable."""

    error_id = "ConnectionFailed"


class DeadlineExceededError(NoAnswerError):
    """The deadline passed before the answer was complete."""

    error_id = "Timeout"


class RefusedError(PkiToolsError):
    """The peer answered and said no."""

    exit_code = ExitCode.REFUSED
    error_id = "Refused"


class AuthenticationError(RefusedError):
    """The credentials were not accepted: wrong password, expired, locked, clock skew, unknown realm."""

    error_id = "AuthenticationFailed"


class LogonRefusedError(AuthenticationError):
    """The account itself was refused: wrong password, locked, disabled, expired. Trying again may lock it."""

    error_id = "LogonRefused"


class AccessDeniedError(RefusedError):
    """The credentials are good and the right is missing."""

    error_id = "AccessDenied"


class ProtocolError(PkiToolsError):
    """The peer sent what the protocol does not allow: malformed, too long, not authentic."""

    exit_code = ExitCode.PROTOCOL
    error_id = "ProtocolViolation"
