"""LDAP result codes (RFC 4511 A) as errors of ours, with Windows' name for the reason where the server tells one."""

from __future__ import annotations

import re

from pkitools.errors import (
    AccessDeniedError,
    AuthenticationError,
    NoAnswerError,
    PkiToolsError,
    ProtocolError,
    RefusedError,
)
from pkitools.protocol.ldap.messages import Result
from pkitools.transport.logon_errors import windows_refusal

SUCCESS = 0
SASL_BIND_IN_PROGRESS = 14

_DATA = re.compile(r"\bdata ([0-9a-fA-F]{1,8})\b")
_NT_STATUS = re.compile(r"\bNT_STATUS_[A-Z_]+")
_STATUS_NUMBERS = {
    "NT_STATUS_NO_SUCH_USER": 0x525,
    "NT_STATUS_WRONG_PASSWORD": 0x52E,
    "NT_STATUS_LOGON_FAILURE": 0x52E,
    "NT_STATUS_ACCOUNT_RESTRICTION": 0x52F,
    "NT_STATUS_INVALID_LOGON_HOURS": 0x530,
    "NT_STATUS_INVALID_WORKSTATION": 0x531,
    "NT_STATUS_PASSWORD_EXPIRED": 0x532,
    "NT_STATUS_ACCOUNT_DISABLED": 0x533,
    "NT_STATUS_ACCOUNT_EXPIRED": 0x701,
    "NT_STATUS_PASSWORD_MUST_CHANGE": 0x773,
    "NT_STATUS_ACCOUNT_LOCKED_OUT": 0x775,
}
_BAD_BINDINGS = 0x80090346
_STRONG_AUTH = (8, 13, 53)
"""strongerAuthRequired, confidentialityRequired, and what Samba says to signing inside TLS (unwillingToPerform)."""

_REASONS = {
    1: ("operationsError", None),
    2: ("protocolError", None),
    3: ("timeLimitExceeded", "ERROR_DS_TIMELIMIT_EXCEEDED"),
    4: ("sizeLimitExceeded", "ERROR_DS_SIZELIMIT_EXCEEDED"),
    7: ("authMethodNotSupported", "ERROR_DS_AUTH_METHOD_NOT_SUPPORTED"),
    8: ("strongerAuthRequired", "ERROR_DS_STRONG_AUTH_REQUIRED"),
    10: ("referral", "ERROR_DS_REFERRAL"),
    11: ("adminLimitExceeded", "ERROR_DS_ADMIN_LIMIT_EXCEEDED"),
    12: ("unavailableCriticalExtension", "ERROR_DS_UNAVAILABLE_CRIT_EXTENSION"),
    13: ("confidentialityRequired", "ERROR_DS_CONFIDENTIALITY_REQUIRED"),
    32: ("noSuchObject", "ERROR_DS_NO_SUCH_OBJECT"),
    34: ("invalidDNSyntax", "ERROR_DS_INVALID_DN_SYNTAX"),
    48: ("inappropriateAuthentication", "ERROR_DS_INAPPROPRIATE_AUTH"),
    49: ("invalidCredentials", "SEC_E_LOGON_DENIED"),
    50: ("insufficientAccessRights", "ERROR_DS_INSUFF_ACCESS_RIGHTS"),
    51: ("busy", "ERROR_DS_BUSY"),
    52: ("unavailable", "ERROR_DS_UNAVAILABLE"),
    53: ("unwillingToPerform", "ERROR_DS_UNWILLING_TO_PERFORM"),
}


class ProtectionRefusedError(AuthenticationError):
    """The server wants another protection than this one; the account was not judged."""

    error_id = "StrongAuthRequired"


def bind_error(result: Result, server: str, who: str, how: str) -> PkiToolsError:
    """Why a bind failed; ``how`` names method and protection (``NTLM, sealed``)."""
    found = _DATA.search(result.diagnostic)
    number = int(found[1], 16) if found else _STATUS_NUMBERS.get(_first(_NT_STATUS, result.diagnostic), 0)
    if number == _BAD_BINDINGS:
        return AuthenticationError(
            f"{server} refused {who}: the logon is not tied to this TLS connection ({how})",
            hint="something between here and the server opens the TLS connection; try without --ldaps and --starttls",
            code="SEC_E_BAD_BINDINGS",
        )
    if result.code in _STRONG_AUTH:
        return ProtectionRefusedError(
            f"{server} refuses this protection ({how}): {_named(result)}",
            hint="leave --ldaps and --starttls out, or use --ldaps with --auth simple",
            code="ERROR_DS_STRONG_AUTH_REQUIRED",
        )
    refusal = windows_refusal(number, who, server)
    if refusal is not None:
        return refusal
    if result.code in {51, 52}:
        return result_error(result, server, "the logon")
    code = _REASONS.get(result.code, ("", None))[1]
    return AuthenticationError(
        f"{server} refused the logon of {who} ({how}): {_named(result)}", hint="try another --auth", code=code
    )


def result_error(result: Result, server: str, doing: str) -> PkiToolsError:
    """Why a request failed; ``doing`` names it (``the search below CN=…``)."""
    says = f"{server} refused {doing}: {_named(result)}"
    code = _REASONS.get(result.code, ("", None))[1]
    if result.code == 50:
        return AccessDeniedError(says, hint="ask for the right to read it", code=code)
    if result.code in {51, 52}:
        return NoAnswerError(says, hint="try again, or another server with --server", code=code)
    if result.code in {3, 4, 11}:
        return RefusedError(says, hint="the server limits its answers; ask for less, or another server", code=code)
    if result.code == 10:
        return RefusedError(
            says, hint="another server holds it: give --server, --domain or --forest of that directory", code=code
        )
    if result.code in {32, 34}:
        return RefusedError(says, hint="check --config-dn, and whether this forest ever had AD CS", code=code)
    if result.code == 2:
        return ProtocolError(says)
    return RefusedError(says, code=code)


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[0] if found else ""


def _named(result: Result) -> str:
    name = _REASONS.get(result.code, (f"result {result.code}", None))[0]
    return f"{name} ({result.diagnostic[:300]})" if result.diagnostic else name
