"""Why a logon failed, in one sentence with the Windows code and the next step: for LDAP, RPC and Kerberos alike."""

from __future__ import annotations

from dataclasses import dataclass

from pkitools.errors import AuthenticationError, LogonRefusedError


@dataclass(frozen=True, slots=True)
class _Cause:
    """One reason: Windows' name, the end of the sentence, what to do, whether the account itself is refused."""

    code: str
    says: str
    hint: str
    account: bool = True


_PASSWORD = "check user and password; a second wrong try may lock the account"
_WINDOWS = {
    0x525: _Cause("ERROR_NO_SUCH_USER", "there is no such account", "check the user's name and domain"),
    0x52E: _Cause("ERROR_LOGON_FAILURE", "user name or password is wrong", _PASSWORD),
    0x52F: _Cause("ERROR_ACCOUNT_RESTRICTION", "a restriction of the account forbids it", "ask for its logon rights"),
    0x530: _Cause("ERROR_INVALID_LOGON_HOURS", "the account may not log on at this hour", "try within its hours"),
    0x531: _Cause("ERROR_INVALID_WORKSTATION", "the account may not log on from here", "see its 'Log on to' list"),
    0x532: _Cause("ERROR_PASSWORD_EXPIRED", "its password has expired", "change the password, then try again"),
    0x533: _Cause("ERROR_ACCOUNT_DISABLED", "the account is disabled", "enable it, or take another account"),
    0x569: _Cause("ERROR_LOGON_TYPE_NOT_GRANTED", "the account may not log on over the network", "grant it the right"),
    0x701: _Cause("ERROR_ACCOUNT_EXPIRED", "the account has expired", "extend it, or take another account"),
    0x773: _Cause("ERROR_PASSWORD_MUST_CHANGE", "its password must be changed first", "change it, then try again"),
    0x775: _Cause("ERROR_ACCOUNT_LOCKED_OUT", "the account is locked", "wait, or have it unlocked; do not try again"),
}

_SPN = "use the host's full DNS name as the domain knows it (setspn -Q shows it), or --auth ntlm"
_CLOCK = "set this machine's clock: Kerberos allows five minutes"
_REALM = "check the domain's name behind the @, or give --domain"
_KERBEROS_CAUSES = {
    6: _Cause("ERROR_NO_SUCH_USER", "the KDC knows no such account", "check the user's name and domain", account=False),
    7: _Cause("SEC_E_TARGET_UNKNOWN", "the KDC knows no such service", _SPN, account=False),
    12: _Cause("ERROR_ACCOUNT_RESTRICTION", "a restriction of the account forbids it", "ask for its logon rights"),
    14: _Cause(
        "SEC_E_KDC_UNKNOWN_ETYPE",
        "the KDC does not take the encryption type of this key",
        "give an AES key or the password",
        account=False,
    ),
    18: _Cause("ERROR_ACCOUNT_DISABLED", "the account is disabled, locked or expired", "have its state looked at"),
    23: _Cause("ERROR_PASSWORD_EXPIRED", "its password has expired", "change the password, then try again"),
    24: _Cause("ERROR_LOGON_FAILURE", "the password or key is wrong", _PASSWORD),
    25: _Cause("ERROR_LOGON_FAILURE", "the KDC wants another way to prove it", "try --auth ntlm", account=False),
    31: _Cause("SEC_E_MESSAGE_ALTERED", "the answer does not fit the key", "check user, password and clock"),
    32: _Cause("SEC_E_CONTEXT_EXPIRED", "the Kerberos ticket has expired", "get a new one with kinit", account=False),
    37: _Cause("SEC_E_TIME_SKEW", "the clocks differ too much", _CLOCK, account=False),
    41: _Cause("SEC_E_WRONG_PRINCIPAL", "the server does not have the key of this ticket", _SPN, account=False),
    68: _Cause("ERROR_NO_SUCH_DOMAIN", "the KDC does not serve this realm", _REALM, account=False),
}
_KERBEROS_NAMES = {
    6: "KDC_ERR_C_PRINCIPAL_UNKNOWN",
    7: "KDC_ERR_S_PRINCIPAL_UNKNOWN",
    12: "KDC_ERR_POLICY",
    14: "KDC_ERR_ETYPE_NOSUPP",
    18: "KDC_ERR_CLIENT_REVOKED",
    23: "KDC_ERR_KEY_EXPIRED",
    24: "KDC_ERR_PREAUTH_FAILED",
    25: "KDC_ERR_PREAUTH_REQUIRED",
    31: "KRB_AP_ERR_BAD_INTEGRITY",
    32: "KRB_AP_ERR_TKT_EXPIRED",
    37: "KRB_AP_ERR_SKEW",
    41: "KRB_AP_ERR_MODIFIED",
    60: "KRB_ERR_GENERIC",
    68: "KDC_ERR_WRONG_REALM",
}


def windows_refusal(number: int, who: str, where: str) -> AuthenticationError | None:
    """The error for a logon code of Windows (``data 52e`` in LDAP, a Win32 code in RPC); None for an unknown one."""
    cause = _WINDOWS.get(number)
    return _error(cause, f"{where} refused {who}: {cause.says}") if cause else None


def kerberos_refusal(number: int, tried: str, status: int | None = None) -> AuthenticationError:
    """The error for a KRB-ERROR code (RFC 4120 7.5.9); ``tried`` begins the sentence (``no ticket for …``).

    ``status`` is the NTSTATUS that a Windows KDC adds to some.
    """
    name = _KERBEROS_NAMES.get(number, f"Kerberos error {number}")
    cause = _STATUSES.get(status or 0) or _KERBEROS_CAUSES.get(number)
    if cause is None:
        return AuthenticationError(f"{tried}: {name}", hint="look into the event log of the domain controller")
    return _error(cause, f"{tried}: {cause.says} ({name})")


def _error(cause: _Cause, message: str) -> AuthenticationError:
    kind = LogonRefusedError if cause.account else AuthenticationError
    return kind(message, hint=cause.hint, code=cause.code)


_STATUSES = {
    0xC0000064: _WINDOWS[0x525],
    0xC000006D: _WINDOWS[0x52E],
    0xC000006E: _WINDOWS[0x52F],
    0xC000006F: _WINDOWS[0x530],
    0xC0000070: _WINDOWS[0x531],
    0xC0000071: _WINDOWS[0x532],
    0xC0000072: _WINDOWS[0x533],
    0xC000015B: _WINDOWS[0x569],
    0xC0000193: _WINDOWS[0x701],
    0xC0000224: _WINDOWS[0x773],
    0xC0000234: _WINDOWS[0x775],
}
