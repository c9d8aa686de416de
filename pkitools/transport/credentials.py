"""Who logs on and where: one immutable type for LDAP and RPC. Nothing here opens a connection.

A logon itself, with what it learns (tickets, a refusal), is ``transport.security.Logon``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pkitools.errors import InputError
from pkitools.models.secret import Secret

_HEX = re.compile(r"[0-9A-Fa-f]+")


class AuthMethod(Enum):
    """How to authenticate; None in ``Credentials`` leaves the choice to what is there."""

    KERBEROS = "kerberos"
    NTLM = "ntlm"
    SIMPLE = "simple"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account and at most one secret.

    ``user`` is ``DOMAIN\\name`` or ``name@domain``; None means the owner of the Kerberos ticket that is there.
    ``nt_hash`` is 32 hexadecimal digits (``LM:NT`` is understood), ``aes_key`` 32 or 64. Raises InputError when the
    parts do not fit together.
    """

    user: str | None = None
    password: Secret | None = None
    nt_hash: Secret | None = None
    aes_key: Secret | None = None
    keytab: Path | None = None
    method: AuthMethod | None = None

    def __post_init__(self) -> None:
        secrets = (self.password, self.nt_hash, self.aes_key, self.keytab)
        if sum(item is not None for item in secrets) > 1:
            raise InputError("more than one secret is given", hint="give one of password, NT hash, AES key and keytab")
        if self.user is None and any(item is not None for item in secrets):
            raise InputError("a secret without a user", hint="say whose it is with --user DOMAIN\\name or name@domain")
        if self.user is not None and not self.name:
            raise InputError(f"{self.user!r} names no account", hint="write DOMAIN\\name or name@domain")
        if self.method is AuthMethod.SIMPLE and self.password is None:
            raise InputError("a simple bind needs a user and a password", hint="add --user, or take another --auth")
        if self.method is AuthMethod.NTLM and self.password is None and self.nt_hash is None:
            raise InputError(
                "NTLM needs a user with a password or an NT hash", hint="add --user, or take another --auth"
            )
        if self.password is not None and not self.password:
            # RFC 4513 5.1.2: a name with an empty password is a bind that authenticates nobody and succeeds
            raise InputError("the password is empty", hint="give the account's password")
        _check_hex("NT hash", self.nt_hash_digits, (32,))
        _check_hex("AES key", self.aes_key, (32, 64))

    @property
    def name(self) -> str:
        """The account's name without its domain; empty without a user."""
        user = self.user or ""
        return user.partition("\\")[2] if "\\" in user else user.rpartition("@")[0] or user

    @property
    def domain(self) -> str | None:
        """The domain as written before ``\\`` or behind ``@``."""
        user = self.user or ""
        domain = user.partition("\\")[0] if "\\" in user else user.rpartition("@")[2] if "@" in user else ""
        return domain or None

    @property
    def nt_hash_digits(self) -> Secret | None:
        """The NT half of the hash."""
        return Secret(self.nt_hash.reveal().rpartition(":")[2]) if self.nt_hash else None

    @property
    def who(self) -> str:
        """The account in a sentence."""
        return self.user or "the owner of the Kerberos ticket"


def _check_hex(what: str, secret: Secret | None, lengths: tuple[int, ...]) -> None:
    if secret is None:
        return
    text = secret.reveal()
    if len(text) not in lengths or not _HEX.fullmatch(text):
        wanted = " or ".join(str(length) for length in lengths)
        raise InputError(f"the {what} is not {wanted} hexadecimal digits", hint="check the file it was read from")


class Protection(Enum):
    """What protects a connection to a directory."""

    SEALED = "sealed"
    LDAPS = "ldaps"
    STARTTLS = "starttls"


@dataclass(frozen=True, slots=True)
class DirectoryAddress:
    """Which directory to ask, and how to get there. Everything may be left out that DNS or the account tells.

    ``server`` is one domain controller's name or address; ``domain`` a DNS domain name whose controllers are looked up
    (the root domain of another forest for that forest). ``config_dn`` overrides the configuration naming context that
    the server names. ``dns_server`` (``ADDRESS`` or ``ADDRESS:PORT``) is asked instead of the system's resolver.
    ``protection`` None lets pkitools choose what the server accepts. ``verify`` False (``--insecure``) takes any
    certificate.
    """

    server: str | None = None
    domain: str | None = None
    config_dn: str | None = None
    dns_server: str | None = None
    site: str | None = None
    protection: Protection | None = None
    global_catalog: bool = False
    ca_file: Path | None = None
    verify: bool = True
