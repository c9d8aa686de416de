"""Security contexts for LDAP and RPC (through pyspnego), and the rule that a wrong password is sent once only."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pkitools.errors import (
    AuthenticationError,
    DeadlineExceededError,
    InputError,
    LogonRefusedError,
    NameResolutionError,
    PkiToolsError,
    ProtocolError,
)
from pkitools.transport import kerberos
from pkitools.transport.credentials import AuthMethod, Credentials
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint, is_address
from pkitools.transport.logon_errors import kerberos_refusal

if TYPE_CHECKING:
    from spnego import ContextProxy, ContextReq
    from spnego._credential import Credential

T = TypeVar("T")

MAX_UNANSWERED = 3
"""Attempts without an answer at the same time: a wrong password counts at most so often, fewer than lockout takes."""
_KERBEROS_ERRORS = 0x96C73A00
"""What MIT's error table adds to a code of RFC 4120 7.5.9, as an unsigned number."""
_FIRST_LIBRARY_ERROR = 128
"""From here on MIT's table has errors of its own."""


@dataclass(frozen=True, slots=True)
class Target:
    """The service to log on to: ``ldap``, ``host``, …; the host's name as the user or DNS gave it, never as the server
    says; and the realm it is in (a DNS domain in upper case), where known."""

    service: str
    host: str
    realm: str | None = None


@dataclass(frozen=True, slots=True)
class ContextOptions:
    """What the security context shall do.

    ``protect`` asks for signing and sealing; without it the channel around the context protects, and ``binding`` ties
    the two (application data as of RFC 5929). ``negotiate`` wraps the tokens in SPNEGO. ``dce_style`` is for RPC.
    """

    protect: bool = True
    binding: bytes | None = None
    negotiate: bool = True
    dce_style: bool = False


class SecurityContext:
    """One authenticated context with a server. ``step`` until ``complete``, then ``wrap`` and ``unwrap``.

    ``proxy`` is pyspnego's own object, for RPC's ``wrap_iov`` and ``unwrap_iov``.
    """

    def __init__(self, proxy: ContextProxy, method: AuthMethod, logon: Logon, target: Target) -> None:
        self.proxy = proxy
        self.method = method
        self._logon = logon
        self._target = target

    @property
    def complete(self) -> bool:
        """Whether nothing is left to send or to expect."""
        return self.proxy.complete

    @property
    def protects(self) -> bool:
        """Whether signing and sealing were agreed."""
        import spnego

        wanted = spnego.ContextReq.integrity | spnego.ContextReq.confidentiality
        return self.proxy.context_attr & wanted == wanted

    def step(self, token: bytes | None, deadline: Deadline) -> bytes | None:
        """The next token for the server; None when there is none. Raises AuthenticationError, ProtocolError."""
        if self.method is not AuthMethod.KERBEROS:
            return self._step(token)
        with self._logon.kerberos_configuration.applied(deadline):
            return bounded(lambda: self._step(token), deadline, "asking the KDC for a service ticket")

    def wrap(self, data: bytes) -> bytes:
        """Signed and sealed."""
        with self._translated():
            return self.proxy.wrap(data).data

    def unwrap(self, token: bytes) -> bytes:
        """The plain bytes. Raises ProtocolError when the token is not authentic or was not encrypted."""
        with self._translated():
            result = self.proxy.unwrap(token)
        if not result.encrypted:
            raise ProtocolError(f"{self._target.host} answered without encryption on a sealed connection")
        return result.data

    def _step(self, token: bytes | None) -> bytes | None:
        with self._translated():
            return self.proxy.step(token)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        import struct

        from spnego.exceptions import SpnegoError

        try:
            yield
        except SpnegoError as error:
            raise _refusal(error, self._logon.credentials.who, self._target, self.complete) from error
        except (ValueError, TypeError, LookupError, ArithmeticError, struct.error) as error:
            # what pyspnego makes of a token that is no token
            raise ProtocolError(f"{self._target.host} sent a security token that cannot be read") from error


class Logon:
    """Credentials at work in one run, shared by every connection of it. Thread-safe; ``close`` removes its tickets.

    After the first refusal of the account no further attempt is made. Until the first success attempts go one by one.
    """

    def __init__(self, credentials: Credentials, dns_server: str | None = None) -> None:
        """KDCs that ``add_kdcs`` has not told are looked up at ``dns_server``, or with the system's resolver."""
        self.credentials = credentials
        self.kerberos_configuration = kerberos.KerberosConfiguration()
        self._dns_server = dns_server
        self._gate = threading.Condition()
        self._unanswered = 0
        self._tried_at = 0.0
        self._proven = False
        self._refusal: LogonRefusedError | None = None
        self._ticket_lock = threading.Lock()
        self._tickets: kerberos.TicketCache | None = None

    def __enter__(self) -> Logon:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes the tickets that were fetched."""
        with self._ticket_lock:
            tickets, self._tickets = self._tickets, None
        if tickets is not None:
            tickets.destroy()
        self.kerberos_configuration.close()

    def add_kdcs(self, realm: str, addresses: Sequence[str]) -> None:
        """Domain controllers of a realm, which are its KDCs."""
        self.kerberos_configuration.add(realm.upper(), addresses)

    @property
    def refused(self) -> LogonRefusedError | None:
        """Why no further attempt is made; None while the credentials may be used."""
        return self._refusal

    @contextlib.contextmanager
    def attempt(self, deadline: Deadline, patience: float = math.inf) -> Iterator[None]:
        """Around whatever shows these credentials to a server: refused once, they are not sent again in this run.

        Until the first success attempts go one by one. Where each attempt asks another server, ``patience`` are the
        seconds after which a silent one no longer holds up the next, at most ``MAX_UNANSWERED`` at the same time.
        Raises the first refusal again instead of entering.
        """
        alone = self._enter(deadline, patience)
        try:
            yield
            self._proven = True
        except LogonRefusedError as error:
            self._refusal = self._refusal or error
            raise
        finally:
            if alone:
                with self._gate:
                    self._unanswered -= 1
                    self._gate.notify_all()

    def _enter(self, deadline: Deadline, patience: float) -> bool:
        """Waits for the turn; whether the attempt counts as unproven. Raises the first refusal."""
        with self._gate:
            while True:
                if self._refusal is not None:
                    first = self._refusal
                    raise LogonRefusedError(
                        first.message,
                        hint=f"not tried again, so that the account is not locked; {first.hint}",
                        code=first.code,
                    ) from first
                if self._proven:
                    return False
                silence = time.monotonic() - self._tried_at
                if not self._unanswered or (silence >= patience and self._unanswered < MAX_UNANSWERED):
                    self._unanswered += 1
                    self._tried_at = time.monotonic()
                    return True
                left = deadline.require("waiting for the first logon, which a server has not answered")
                self._gate.wait(min(left, patience - silence) if silence < patience else left)

    def methods(self, host: str) -> tuple[AuthMethod, ...]:
        """The methods to try with a host, best first; the next one only when the one before is not possible at all."""
        chosen = self.credentials.method
        if chosen is not None:
            return (chosen,)
        if self.credentials.nt_hash is not None:
            return (AuthMethod.NTLM,)
        if self.credentials.password is None:
            return (AuthMethod.KERBEROS,)
        if is_address(host):
            return (AuthMethod.NTLM,)  # no service principal name has an address in it
        return (AuthMethod.KERBEROS, AuthMethod.NTLM)

    def initiate(
        self, target: Target, method: AuthMethod, options: ContextOptions, deadline: Deadline
    ) -> SecurityContext:
        """A context with a server, before its first token. Call within ``attempt``.

        For Kerberos this may fetch the account's ticket. Raises MissingDependencyError, AuthenticationError,
        NoAnswerError (no KDC).
        """
        import spnego
        from spnego.channel_bindings import GssChannelBindings
        from spnego.exceptions import SpnegoError

        if method is AuthMethod.KERBEROS:
            kerberos.require_library()
            if is_address(target.host):
                raise InputError(
                    f"Kerberos needs the server's name, not its address {target.host}",
                    hint="give --server the full DNS name, or --auth ntlm",
                )
        arguments: dict[str, Any] = {
            "hostname": target.host,
            "service": target.service,
            "channel_bindings": GssChannelBindings(application_data=options.binding) if options.binding else None,
            "context_req": _requirements(method, options),
        }
        try:
            credential = self._spnego_credential(method, target, deadline)
            with self._library(method, deadline):
                proxy = spnego.client(credential, protocol=method.value, **arguments)
            if method is AuthMethod.NTLM and not options.protect:
                _leave_key_exchange_out(proxy)
            if options.negotiate:
                proxy = _negotiated(proxy, method, arguments)
        except SpnegoError as error:
            raise _refusal(error, self.credentials.who, target, False) from error
        return SecurityContext(proxy, method, self, target)

    def _library(self, method: AuthMethod, deadline: Deadline) -> contextlib.AbstractContextManager[None]:
        if method is AuthMethod.KERBEROS:
            return self.kerberos_configuration.applied(deadline)
        return contextlib.nullcontext()

    def _spnego_credential(self, method: AuthMethod, target: Target, deadline: Deadline) -> Credential:
        import spnego

        credentials = self.credentials
        if method is AuthMethod.NTLM:
            return spnego.NTLMHash(credentials.user or "", nt_hash=_nt_hash(credentials))
        if credentials.user is not None and self._has_key():
            return spnego.KerberosCCache(self._own_tickets(target, deadline).name)
        user_at_realm = f"{credentials.name}@{self._realm(target)}" if credentials.user else None
        return spnego.CredentialCache(user_at_realm)

    def _has_key(self) -> bool:
        parts = (self.credentials.password, self.credentials.nt_hash, self.credentials.aes_key, self.credentials.keytab)
        return any(item is not None for item in parts)

    def _own_tickets(self, target: Target, deadline: Deadline) -> kerberos.TicketCache:
        with self._ticket_lock:
            if self._tickets is None:
                realm = self._realm(target)
                kdcs = self._kdcs(realm, deadline)
                self._tickets = kerberos.TicketCache(kerberos.fetch_ticket(self.credentials, realm, kdcs, deadline))
            return self._tickets

    def _realm(self, target: Target) -> str:
        written = self.credentials.domain
        if written and "." in written:
            return written.upper()
        if target.realm:
            return target.realm.upper()
        found = self.kerberos_configuration.first_realm() or kerberos.default_realm() or _domain_of(target.host)
        if found is None:
            raise InputError(f"the realm of {self.credentials.who} is not known", hint="write --user as name@domain")
        return found

    def _kdcs(self, realm: str, deadline: Deadline) -> Sequence[Endpoint]:
        if not self.kerberos_configuration.kdcs(realm):
            from pkitools.transport.dc_locator import KERBEROS, Locator

            locator = Locator(self._dns_server)
            try:
                hosts = locator.services(KERBEROS, realm.lower(), deadline)[:4]
                self.add_kdcs(realm, [item for host in hosts for item in locator.addresses(host.host, deadline)])
            except NameResolutionError as error:
                raise AuthenticationError(
                    f"no KDC is known for the realm {realm} of {self.credentials.who}",
                    hint="check the domain's name behind the @, or give --domain and --dns",
                    code="ERROR_NO_SUCH_DOMAIN",
                ) from error
        return [Endpoint(address, kerberos.KDC_PORT) for address in self.kerberos_configuration.kdcs(realm)]


def _domain_of(host: str) -> str | None:
    """The realm that a host's name suggests."""
    return None if is_address(host) else host.partition(".")[2].upper() or None


def _requirements(method: AuthMethod, options: ContextOptions) -> ContextReq:
    from spnego import ContextReq

    if options.protect:
        request = ContextReq.default
    elif method is AuthMethod.KERBEROS:
        request = ContextReq.mutual_auth | ContextReq.no_integrity
    else:
        request = ContextReq.none
    return request | ContextReq.dce_style if options.dce_style else request


def _leave_key_exchange_out(proxy: ContextProxy) -> None:
    """NTLM that neither signs nor seals, for a channel that TLS protects, exchanges no key (MS-NLMP 3.1.5.1.2).

    pyspnego asks for the exchange all the same and then sends a key of one byte, which Samba refuses.
    """
    from spnego._ntlm_raw.messages import NegotiateFlags

    proxy._context_req &= ~NegotiateFlags.key_exch


def _negotiated(proxy: ContextProxy, method: AuthMethod, arguments: dict[str, Any]) -> ContextProxy:
    """The context inside SPNEGO, as the only mechanism: pyspnego left alone would offer the other one too."""
    import spnego
    from spnego._context import GSSMech

    mechanism = GSSMech.kerberos if method is AuthMethod.KERBEROS else GSSMech.ntlm
    return spnego.client(protocol="negotiate", _negotiate_contexts={mechanism: proxy}, **arguments)


def _nt_hash(credentials: Credentials) -> str:
    """The NT hash in hexadecimal digits: given, or that of the password (MS-NLMP 3.3.1 NTOWFv1)."""
    from spnego._ntlm_raw.md4 import md4  # loaded already; other MD4s cost more to import than the logon takes

    if credentials.nt_hash_digits is not None:
        return credentials.nt_hash_digits.reveal()
    assert credentials.password is not None
    return md4(credentials.password.reveal().encode("utf-16-le", "surrogatepass")).hex()


def bounded(call: Callable[[], T], deadline: Deadline, doing: str) -> T:
    """The result of a call into a library that knows no timeout; left alone in its thread when the deadline passes."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="kerberos")
    thread.start()
    thread.join(deadline.require(doing))
    if errors:
        raise errors[0]
    if not results:
        deadline.require(doing)
        raise DeadlineExceededError(f"timed out while {doing}")
    return results[0]


def _refusal(error: Exception, who: str, target: Target, complete: bool) -> PkiToolsError:
    """pyspnego's or the Kerberos library's error as one of ours."""
    library = _library_error(error)
    minor = (getattr(library, "min_code", 0) - _KERBEROS_ERRORS) & 0xFFFFFFFF if library else 0
    if 0 < minor < _FIRST_LIBRARY_ERROR:
        return kerberos_refusal(minor, f"no Kerberos ticket for {target.service}/{target.host} as {who}")
    if complete:
        return ProtocolError(
            f"{target.host} sent a message that is not authentic: the connection is not to be trusted",
            hint="try again; if it stays so, look for what stands between",
            code="SEC_E_MESSAGE_ALTERED",
        )
    if library is not None:
        words = _words(library)
        return AuthenticationError(
            f"no Kerberos logon to {target.host} as {who}: {words}",
            hint=_library_hint(words),
            code="SEC_E_NO_CREDENTIALS",
        )
    return AuthenticationError(
        f"the logon to {target.host} as {who} failed: {_words(error)}", hint="try another --auth"
    )


def _library_error(error: BaseException) -> BaseException | None:
    """The Kerberos library's own error inside pyspnego's; None when the error is pyspnego's."""
    waiting: list[BaseException] = [error]
    while waiting:
        found = waiting.pop(0)
        if isinstance(getattr(found, "min_code", None), int):
            return found
        inner = (getattr(found, "base_error", None), found.__cause__)
        waiting += [item for item in inner if isinstance(item, BaseException)]
    return None


def _words(error: BaseException) -> str:
    """What a library says, without its numbers: ``Server not found in Kerberos database``."""
    text = str(error).partition(", Context:")[0]
    return text.rpartition("): ")[2].strip() or type(error).__name__


def _library_hint(words: str) -> str:
    if "credentials cache" in words.lower() or "no kerberos credentials" in words.lower():
        return "run kinit, or give --user with a password, key or keytab"
    return "klist shows the tickets; kinit gets new ones; --auth ntlm does without"
