"""The options of every command that talks to a domain: account, secret, directory. Defined once, here."""

from __future__ import annotations

import functools
import getpass
import inspect
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from pkitools.errors import InputError
from pkitools.models.outcome import Notice
from pkitools.models.secret import Secret
from pkitools.transport.credentials import AuthMethod, Credentials, DirectoryAddress, Protection

_ACCOUNT = "Account"
_DIRECTORY = "Directory"
_MAX_SECRET_BYTES = 64 * 1024


class AuthChoice(str, Enum):  # noqa: UP042 - the command line wants text
    """Values of ``--auth``."""

    KERBEROS = "kerberos"
    NTLM = "ntlm"
    SIMPLE = "simple"


@dataclass(frozen=True, slots=True)
class Connection:
    """What the options say: where, who, how long (seconds), and what to warn of."""

    address: DirectoryAddress
    credentials: Credentials
    timeout: float
    notices: tuple[Notice, ...] = ()


def _account(flag: str, text: str, **settings: Any) -> Any:
    return typer.Option(flag, help=text, rich_help_panel=_ACCOUNT, show_default=False, **settings)


def _directory(flag: str, text: str, **settings: Any) -> Any:
    return typer.Option(flag, help=text, rich_help_panel=_DIRECTORY, show_default=False, **settings)


def _options(
    *,
    user: Annotated[
        str | None,
        _account("--user", "DOMAIN\\name or name@domain. Default: the Kerberos ticket that is there.", metavar="NAME"),
    ] = None,
    password_file: Annotated[
        Path | None, _account("--password-file", "Read the password from this file.", metavar="PATH")
    ] = None,
    password_env: Annotated[
        str | None, _account("--password-env", "Read the password from this environment variable.", metavar="VARIABLE")
    ] = None,
    nt_hash_file: Annotated[
        Path | None, _account("--nt-hash-file", "Read the NT hash (32 hex digits) from this file.", metavar="PATH")
    ] = None,
    aes_key_file: Annotated[
        Path | None,
        _account("--aes-key-file", "Read the Kerberos AES key (32 or 64 hex digits) from this file.", metavar="PATH"),
    ] = None,
    keytab: Annotated[
        Path | None, _account("--keytab", "Take the Kerberos key from this keytab.", metavar="PATH")
    ] = None,
    auth: Annotated[
        AuthChoice | None, _account("--auth", "How to log on. Default: Kerberos where it is possible, else NTLM.")
    ] = None,
    server: Annotated[
        str | None, _directory("--server", "Ask this domain controller. Default: found through DNS.", metavar="HOST")
    ] = None,
    domain: Annotated[
        str | None, _directory("--domain", "DNS name of the domain. Default: that of the account.", metavar="DOMAIN")
    ] = None,
    forest: Annotated[
        str | None, _directory("--forest", "Ask another forest: DNS name of its root domain.", metavar="DOMAIN")
    ] = None,
    config_dn: Annotated[
        str | None,
        _directory("--config-dn", "Configuration naming context. Default: what the server names.", metavar="DN"),
    ] = None,
    dns: Annotated[
        str | None, _directory("--dns", "Ask this DNS server instead of the system's.", metavar="ADDRESS")
    ] = None,
    site: Annotated[
        str | None, _directory("--site", "Prefer the domain controllers of this site.", metavar="SITE")
    ] = None,
    ldaps: Annotated[bool, _directory("--ldaps", "Use TLS (port 636).")] = False,
    starttls: Annotated[bool, _directory("--starttls", "Use StartTLS on port 389.")] = False,
    gc: Annotated[bool, _directory("--gc", "Ask a global catalog (it holds only some attributes).")] = False,
    ca_file: Annotated[
        Path | None,
        _directory(
            "--ca-file", "Trust these CA certificates (PEM) for LDAP over TLS. Default: the system's.", metavar="PATH"
        ),
    ] = None,
    insecure: Annotated[bool, _directory("--insecure", "Do not verify the server's TLS certificate.")] = False,
    timeout: Annotated[
        float,
        typer.Option("--timeout", help="Seconds for the whole work.", rich_help_panel=_DIRECTORY, min=0.1, max=3600),
    ] = 20.0,
) -> Connection:
    secret = _read_secret(
        user=user,
        password_file=password_file,
        password_env=password_env,
        nt_hash_file=nt_hash_file,
        aes_key_file=aes_key_file,
        keytab=keytab,
        auth=auth,
    )
    credentials = Credentials(user=user, method=AuthMethod(auth.value) if auth else None, **secret)
    if ldaps and starttls:
        raise InputError("--ldaps and --starttls exclude each other", hint="give one of them")
    if domain and forest:
        raise InputError("--domain and --forest exclude each other", hint="for another forest give --forest alone")
    protection = Protection.LDAPS if ldaps else Protection.STARTTLS if starttls else None
    address = DirectoryAddress(
        server=server,
        domain=forest or domain,
        config_dn=config_dn,
        dns_server=dns,
        site=site,
        protection=protection,
        global_catalog=gc,
        ca_file=ca_file,
        verify=not insecure,
    )
    warned = (Notice("the server's TLS certificate is not verified (--insecure)"),) if insecure else ()
    return Connection(address, credentials, timeout, warned)


def with_connection(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command all the options above; the function receives them as one keyword, ``connection``.

    The options stand in the command's help behind its own. ``connection`` must be a parameter of ``function``.
    """
    own = inspect.signature(function, eval_str=True)
    shared = inspect.signature(_options, eval_str=True).parameters.values()
    mine = [item for item in own.parameters.values() if item.name != "connection"]

    @functools.wraps(function)
    def command(**arguments: Any) -> Any:
        given = {item.name: arguments.pop(item.name) for item in shared if item.name in arguments}
        return function(connection=_options(**given), **arguments)

    parameters = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in (*mine, *shared)]
    command.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {item.name: item.annotation for item in parameters}
    return command


def _read_secret(
    *,
    user: str | None,
    password_file: Path | None,
    password_env: str | None,
    nt_hash_file: Path | None,
    aes_key_file: Path | None,
    keytab: Path | None,
    auth: AuthChoice | None,
) -> dict[str, Any]:
    given = [item for item in (password_file, password_env, nt_hash_file, aes_key_file, keytab) if item is not None]
    if len(given) > 1:
        raise InputError("more than one secret is given", hint="give one of the password, hash, key and keytab options")
    if password_file is not None:
        return {"password": _secret_in_file(password_file)}
    if password_env is not None:
        return {"password": _secret_in_environment(password_env)}
    if nt_hash_file is not None:
        return {"nt_hash": Secret(_secret_in_file(nt_hash_file).reveal().strip())}
    if aes_key_file is not None:
        return {"aes_key": Secret(_secret_in_file(aes_key_file).reveal().strip())}
    if keytab is not None:
        return {"keytab": keytab}
    if user is None or auth is AuthChoice.KERBEROS:
        return {}  # a ticket that is there
    return {"password": ask_password(f"Password of {user}: ")}


def _secret_in_file(path: Path | Secret) -> Secret:
    """The bridge to PowerShell hands over the secret itself in a file name's place."""
    if isinstance(path, Secret):
        return path
    from pkitools.files.reading import read_capped

    data = read_capped(path, limit=_MAX_SECRET_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"the secret in {str(path)!r} is not UTF-8", hint="store it as UTF-8 text") from error
    return Secret(text.removesuffix("\n").removesuffix("\r"))


def _secret_in_environment(variable: str) -> Secret:
    value = os.environ.get(variable)
    if value is None:
        raise InputError(f"the environment variable {variable!r} is not set", hint="export it, or use --password-file")
    return Secret(value)


def ask_password(prompt: str) -> Secret:
    """A password typed at the terminal, unseen; standard input stays free for data. Raises InputError without one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return Secret(getpass.getpass(prompt))
        except (getpass.GetPassWarning, EOFError, OSError) as error:
            raise InputError(
                "no password is given and there is no terminal to ask at", hint="use --password-file or --password-env"
            ) from error
