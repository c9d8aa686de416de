"""A connection to a directory that works where administrators are: found by DNS, protected, and authenticated.

``Directory.open`` finds a domain controller, logs on with what the credentials allow and the server accepts, and reads
the naming contexts; ``search`` yields entries with raw values.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pkitools.errors import (
    AuthenticationError,
    ConnectError,
    DeadlineExceededError,
    FileAccessError,
    InputError,
    LogonRefusedError,
    MissingDependencyError,
    NoAnswerError,
    PkiToolsError,
    ProtocolError,
    RefusedError,
)
from pkitools.protocol.ldap.messages import Entry, Result
from pkitools.transport import dc_locator, kerberos
from pkitools.transport.channel_binding import tls_server_end_point
from pkitools.transport.credentials import AuthMethod, DirectoryAddress, Protection
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.ldap_channel import LdapChannel
from pkitools.transport.ldap_client import LdapClient, Scope
from pkitools.transport.ldap_errors import (
    SASL_BIND_IN_PROGRESS,
    SUCCESS,
    ProtectionRefusedError,
    bind_error,
    result_error,
)
from pkitools.transport.security import ContextOptions, Logon, SecurityContext, Target
from pkitools.transport.tcp import connect

__all__ = ["Directory", "Entry", "RootDSE", "Scope"]

PAGE_SIZE = 1000
NEXT_SERVER_SECONDS = 2.0
"""How long one domain controller may be silent while there is another to ask."""

_GSS_SPNEGO = "GSS-SPNEGO"
_MAX_BIND_LEGS = 10
_PORTS = {
    (Protection.SEALED, False): 389,
    (Protection.STARTTLS, False): 389,
    (Protection.LDAPS, False): 636,
    (Protection.SEALED, True): 3268,
    (Protection.STARTTLS, True): 3268,
    (Protection.LDAPS, True): 3269,
}
_RANGE = re.compile(r"(.+);range=([0-9]{1,10})-([0-9]{1,10}|\*)", re.IGNORECASE)
_ROOT_DSE = (
    "configurationNamingContext",
    "defaultNamingContext",
    "dnsHostName",
    "ldapServiceName",
    "rootDomainNamingContext",
    "schemaNamingContext",
)


@dataclass(frozen=True, slots=True)
class RootDSE:
    """What a server says of itself (MS-ADTS 3.1.1.3.2). Names are DNs; None where the server does not tell."""

    configuration: str | None
    domain: str | None
    root_domain: str | None
    schema: str | None
    host: str | None
    realm: str | None
    token_groups: tuple[bytes, ...]


class Directory:
    """An authenticated connection to one domain controller. Not for use by several threads at a time.

    ``config_dn`` is the configuration naming context, ``host`` the server's name as it was found, ``method`` and
    ``protection`` what was agreed. ``token_groups`` are the SIDs (binary) of the account and its groups as the server
    sees them. ``accounts_dn`` is where accounts are: the server's domain, everything for a global catalog. ``requests``
    counts the searches that were sent, each page as one, opening included.
    """

    def __init__(self, session: _Session, root: RootDSE, config_dn: str, *, global_catalog: bool = False) -> None:
        self._session = session
        self.root = root
        self.config_dn = config_dn
        self.host = session.host
        self.realm = session.realm
        self.protection = session.protection
        self.method = session.method
        self.token_groups = root.token_groups
        self.accounts_dn = "" if global_catalog else root.domain or ""

    @classmethod
    def open(cls, address: DirectoryAddress, logon: Logon, deadline: Deadline) -> Directory:
        """Finds a domain controller, logs on and reads the rootDSE; all and every later search within ``deadline``.

        Raises NoAnswerError when no controller answers, LogonRefusedError for the account, AuthenticationError for all
        else about the logon, RefusedError for an untrusted certificate, InputError when no domain is known.
        """
        session = _Opening(address, logon, deadline).run()
        try:
            root = session.read_root_dse()
            config_dn = address.config_dn or root.configuration
            if config_dn is None:
                raise ProtocolError(
                    f"{session.host} names no configuration naming context: it is no Active Directory",
                    hint="give --server a domain controller, or --config-dn",
                )
            return cls(session, root, config_dn, global_catalog=address.global_catalog)
        except BaseException:
            session.close()
            raise

    def __enter__(self) -> Directory:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Says good-bye and ends the connection."""
        self._session.close()

    @property
    def requests(self) -> int:
        """Searches sent so far."""
        return self._session.client.requests

    def search(
        self,
        base: str,
        query: str,
        attributes: Sequence[str],
        *,
        scope: Scope = Scope.SUBTREE,
        descriptors: bool = False,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[Entry]:
        """The objects below ``base`` that match, page by page; ``query`` is a filter whose values are escaped already.

        ``descriptors`` asks for owner, group and access list of nTSecurityDescriptor, which a plain user is not given
        otherwise. Values that the server hands out in ranges are collected. Raises RefusedError and its kin with the
        server's reason, and what a connection can raise.
        """
        for entry in self._session.search(
            base, query, attributes, scope=scope, descriptors=descriptors, page_size=page_size
        ):
            yield self._completed(entry, descriptors)

    def _completed(self, entry: Entry, descriptors: bool) -> Entry:
        """The entry with all values of attributes that came in ranges (MS-ADTS 3.1.1.3.1.3.3)."""
        ranged = [name for name in entry.attributes if ";" in name and _RANGE.fullmatch(name)]
        if not ranged:
            return entry
        attributes = {name: values for name, values in entry.attributes.items() if name not in ranged}
        for name in ranged:
            attribute, values = self._all_ranges(entry.dn, name, entry.attributes[name], descriptors)
            attributes[attribute] = values
        return Entry(entry.dn, attributes)

    def _all_ranges(
        self, dn: str, name: str, values: tuple[bytes, ...], descriptors: bool
    ) -> tuple[str, tuple[bytes, ...]]:
        found = _RANGE.fullmatch(name)
        assert found is not None
        attribute, last = found[1], found[3]
        collected = list(values)
        while last != "*":
            wanted = f"{attribute};range={int(last) + 1}-*"
            more = list(
                self._session.search(dn, "(objectClass=*)", [wanted], scope=Scope.BASE, descriptors=descriptors)
            )
            part = next(
                (
                    (match, held)
                    for entry in more
                    for key, held in entry.attributes.items()
                    if (match := _RANGE.fullmatch(key)) and match[1].lower() == attribute.lower() and held
                ),
                None,
            )
            if part is None:
                break
            if part[0][2] != str(int(last) + 1):
                raise ProtocolError(f"{self.host} sends other values of {attribute} than those that were asked for")
            collected += part[1]
            last = part[0][3]
        return attribute, tuple(collected)


@dataclass(slots=True)
class _Session:
    """A connection to ``host``, before and after the logon."""

    client: LdapClient
    host: str
    address: str
    protection: Protection
    realm: str | None = None
    method: AuthMethod | None = None

    @property
    def channel(self) -> LdapChannel:
        return self.client.channel

    def close(self) -> None:
        try:
            self.client.unbind()
        except PkiToolsError:
            pass  # it is over anyway
        self.channel.close()

    def search(
        self,
        base: str,
        query: str,
        attributes: Sequence[str],
        *,
        scope: Scope,
        descriptors: bool = False,
        page_size: int | None = None,
    ) -> Iterator[Entry]:
        found = self.client.search(base, query, attributes, scope=scope, descriptors=descriptors, page_size=page_size)
        for item in found:
            if isinstance(item, Result):
                if item.code != SUCCESS:
                    raise result_error(item, self.host, f"the search below {base!r}" if base else "to show its rootDSE")
            else:
                yield item

    def read_root_dse(self) -> RootDSE:
        wanted = (*_ROOT_DSE, "tokenGroups") if self.method is not None else _ROOT_DSE
        entries = list(self.search("", "(objectClass=*)", wanted, scope=Scope.BASE))
        values = {name.lower(): held for entry in entries for name, held in entry.attributes.items()}

        def text(name: str) -> str | None:
            held = values.get(name.lower())
            return held[0].decode("utf-8", "backslashreplace") if held else None

        realm = (text("ldapServiceName") or "").rpartition("@")[2].upper()
        return RootDSE(
            configuration=text("configurationNamingContext"),
            domain=text("defaultNamingContext"),
            root_domain=text("rootDomainNamingContext"),
            schema=text("schemaNamingContext"),
            host=text("dnsHostName"),
            realm=realm if kerberos.is_realm(realm) else None,
            token_groups=values.get("tokengroups", ()),
        )


class _Opening:
    """Finding a server that answers, a protection it accepts, and a method that works."""

    def __init__(self, address: DirectoryAddress, logon: Logon, deadline: Deadline) -> None:
        self._address = address
        self._logon = logon
        self._deadline = deadline
        self._locator = dc_locator.Locator(address.dns_server)
        # a file that is none is told at once; the system's store takes a while to load, and sealing does without
        self._tls = _tls_context(address) if address.ca_file else None

    def run(self) -> _Session:
        hosts = self._hosts()
        failures: list[PkiToolsError] = []
        for protection in self._protections():
            try:
                session = self._first_answer(hosts, protection)
            except (ProtectionRefusedError, NoAnswerError) as error:
                failures.append(error)
                if self._deadline.expired():
                    break
                continue
            try:
                return self._log_on(session)
            except ProtectionRefusedError as error:
                # only this asks again: a connection that breaks in a logon may have counted as a wrong password
                failures.append(error)
        raise failures[0]

    def _protections(self) -> tuple[Protection, ...]:
        """What to try, in order. The next one only when a server refuses the one before or does not offer it."""
        asked = self._address.protection
        if self._logon.credentials.method is AuthMethod.SIMPLE:
            if asked is Protection.SEALED:
                raise InputError("a simple bind cannot be sealed", hint="take --ldaps or --starttls")
            return (asked,) if asked else (Protection.LDAPS, Protection.STARTTLS)
        if asked in {Protection.LDAPS, Protection.STARTTLS}:
            return (asked, Protection.SEALED)
        return (Protection.SEALED, Protection.LDAPS)

    def _hosts(self) -> list[str]:
        if self._address.server:
            return [self._address.server.strip("[]").rstrip(".")]
        domain = self._domain()
        services = [dc_locator.LDAP]
        if self._address.global_catalog:
            services.insert(0, dc_locator.GLOBAL_CATALOG)
        for service in services:
            try:
                found = self._locator.services(service, domain, self._deadline, site=self._address.site)
                return self._vouched_for([item.host for item in found], domain)
            except NoAnswerError:
                if service is services[-1]:
                    raise
        raise AssertionError("unreachable")

    def _vouched_for(self, hosts: list[str], domain: str) -> list[str]:
        """Those of ``hosts`` that may see the credentials.

        DNS is not protected, and a certificate proves only the name that DNS gave (RFC 6125 1.8). A simple bind shows
        the password itself, so names outside the domain are left out; Kerberos and NTLM show none.
        """
        if self._logon.credentials.method is not AuthMethod.SIMPLE:
            return hosts
        suffix = f".{domain.lower()}"
        inside = [host for host in hosts if host.lower().endswith(suffix)]
        if not inside:
            raise RefusedError(
                f"DNS names {hosts[0]} for {domain}, outside the domain: a simple bind would show it the password",
                hint="if it is right, give it with --server; or take another --auth",
                code="SEC_E_WRONG_PRINCIPAL",
            )
        return inside

    def _domain(self) -> str:
        named = self._address.domain or self._logon.credentials.domain
        if named and "." in named:
            return named.rstrip(".")
        found = kerberos.default_realm() or _machine_domain()
        if not found:
            raise InputError("no domain is known", hint="give --domain with its DNS name, or --server")
        return found.lower()

    def _first_answer(self, hosts: Sequence[str], protection: Protection) -> _Session:
        failures: list[str] = []
        first: PkiToolsError | None = None
        for index, host in enumerate(hosts):
            others = index + 1 < len(hosts)
            try:
                return self._connect(host, protection, self._patience(others))
            except (NoAnswerError, ProtocolError) as error:
                first = first or error
                failures.append(error.message)
                if self._deadline.expired():
                    break
        assert first is not None
        if len(failures) == 1:
            raise first
        kind = DeadlineExceededError if self._deadline.expired() else ConnectError
        raise kind(f"no domain controller answers: {'; '.join(failures)}", hint=first.hint) from first

    def _patience(self, others: bool) -> Deadline:
        return Deadline(min(NEXT_SERVER_SECONDS, self._deadline.remaining())) if others else self._deadline

    def _connect(self, host: str, protection: Protection, deadline: Deadline) -> _Session:
        """An open connection whose server has shown that it speaks LDAP; no credentials are sent yet."""
        port = _PORTS[protection, self._address.global_catalog]
        endpoints = [Endpoint(item, port) for item in self._locator.addresses(host, deadline)]
        connection = connect(endpoints, deadline)
        handle = connection.stream.handle
        channel = LdapChannel(handle, host, deadline)
        session = _Session(LdapClient(channel), host, connection.endpoint.address, protection)
        try:
            if protection is Protection.LDAPS:
                channel.replace_handle(self._start_tls(handle, host, deadline))
            elif protection is Protection.STARTTLS:
                result = session.client.start_tls()
                if result.code != SUCCESS:
                    raise ProtectionRefusedError(
                        result_error(result, host, "StartTLS").message, hint="try --ldaps, or leave --starttls out"
                    )
                channel.replace_handle(self._start_tls(handle, host, deadline))
            session.realm = self._realm(session)
        except BaseException:
            channel.close()
            raise
        channel.deadline = self._deadline
        return session

    def _realm(self, session: _Session) -> str | None:
        """The realm of the server, and with the same question whether it answers at all."""
        told = session.read_root_dse().realm
        domain = self._address.domain if self._address.server is None or self._address.domain else None
        realm = domain.upper() if domain else told
        if realm:
            self._logon.add_kdcs(realm, [session.address])
        return realm

    def _start_tls(self, handle: socket.socket, host: str, deadline: Deadline) -> ssl.SSLSocket:
        doing = f"agreeing on TLS with {host}"
        handle.settimeout(deadline.require(doing))
        self._tls = self._tls or _tls_context(self._address)
        try:
            return self._tls.wrap_socket(handle, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            raise _untrusted(error, host) from error
        except TimeoutError as error:
            raise DeadlineExceededError(f"timed out while {doing}", hint="try another server with --server") from error
        except (ssl.SSLError, ConnectionError, OSError, ValueError) as error:
            raise ConnectError(f"no TLS with {host}: {_words(error)}", hint="has the server a certificate?") from error

    def _log_on(self, session: _Session) -> _Session:
        """Binds with the first method that is possible; a refusal of the account ends it."""
        failures: list[PkiToolsError] = []
        for method in self._logon.methods(session.host):
            if failures:
                session = self._connect(session.host, session.protection, self._deadline)
            try:
                with self._logon.attempt(self._deadline):
                    self._bind(session, method)
                session.method = method
                return session
            except (LogonRefusedError, ProtectionRefusedError):
                session.channel.close()
                raise
            except (AuthenticationError, MissingDependencyError, NoAnswerError, InputError) as error:
                session.channel.close()
                failures.append(error)
            except BaseException:
                session.channel.close()
                raise
        # what a server said tells more than what is not installed here
        raise next((error for error in failures if isinstance(error, AuthenticationError)), failures[0])

    def _bind(self, session: _Session, method: AuthMethod) -> None:
        if method is AuthMethod.SIMPLE:
            self._bind_simple(session)
            return
        in_tls = session.protection is not Protection.SEALED
        binding = _binding(session.channel) if in_tls else None
        target = Target("ldap", session.host, session.realm)
        options = ContextOptions(protect=not in_tls, binding=binding)
        context = self._logon.initiate(target, method, options, self._deadline)
        self._exchange(session, context, f"{method.value}, {session.protection.value}")
        if not in_tls:
            if not context.protects:
                raise ProtocolError(f"{session.host} does not agree to sign and seal", code="SEC_E_DOWNGRADE_DETECTED")
            session.channel.seal(context)

    def _bind_simple(self, session: _Session) -> None:
        assert isinstance(session.channel.handle, ssl.SSLSocket), "a simple bind outside TLS"
        credentials = self._logon.credentials
        assert credentials.password is not None
        name = credentials.user or ""
        if credentials.domain is None and session.realm:
            name = f"{name}@{session.realm.lower()}"
        result = session.client.bind_simple(name, credentials.password.reveal())
        if result.code != SUCCESS:
            raise bind_error(result, session.host, credentials.who, f"simple, {session.protection.value}")

    def _exchange(self, session: _Session, context: SecurityContext, how: str) -> None:
        token = context.step(None, self._deadline)
        for _ in range(_MAX_BIND_LEGS):
            result = session.client.bind_sasl(_GSS_SPNEGO, token or b"")
            if result.code not in {SUCCESS, SASL_BIND_IN_PROGRESS}:
                self._blame(context, result)
                raise bind_error(result, session.host, self._logon.credentials.who, how)
            if result.sasl_credentials and not context.complete:
                token = context.step(result.sasl_credentials, self._deadline)
            else:
                token = None
            if result.code == SUCCESS:
                if not context.complete:
                    raise ProtocolError(f"{session.host} accepts the logon without proving who it is")
                return
        raise ProtocolError(f"{session.host} does not come to an end with the logon")

    def _blame(self, context: SecurityContext, result: Result) -> None:
        """A Kerberos error may come as a token, and says more than the result."""
        if result.sasl_credentials and not context.complete and context.method is AuthMethod.KERBEROS:
            try:
                context.step(result.sasl_credentials, self._deadline)
            except ProtocolError:
                pass  # it is no token; the result speaks


def _binding(channel: LdapChannel) -> bytes:
    assert isinstance(channel.handle, ssl.SSLSocket)
    certificate = channel.handle.getpeercert(binary_form=True)
    if certificate is None:
        raise ProtocolError(f"{channel.peer} has no TLS certificate")
    return tls_server_end_point(certificate)


def _tls_context(address: DirectoryAddress) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not address.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif address.ca_file is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(cafile=str(address.ca_file))
        except ssl.SSLError as error:
            raise InputError(
                f"{str(address.ca_file)!r} holds no PEM certificate", hint="give --ca-file the CA's certificate as PEM"
            ) from error
        except OSError as error:
            raise FileAccessError(
                f"cannot read {str(address.ca_file)!r}: {_words(error)}", hint="check the path behind --ca-file"
            ) from error
    return context


_UNTRUSTED = {
    9: ("CERT_E_EXPIRED", "its TLS certificate is not valid yet", "check this machine's clock"),
    10: ("CERT_E_EXPIRED", "its TLS certificate has expired", "renew the domain controller's certificate"),
    62: (
        "CERT_E_CN_NO_MATCH",
        "its TLS certificate is for another name",
        "give --server the full DNS name that stands in the certificate",
    ),
    64: (
        "CERT_E_CN_NO_MATCH",
        "its TLS certificate has no such address in it",
        "give --server the full DNS name that stands in the certificate",
    ),
}


def _untrusted(error: ssl.SSLCertVerificationError, host: str) -> RefusedError:
    code, says, hint = _UNTRUSTED.get(
        error.verify_code,
        (
            "CERT_E_UNTRUSTEDROOT",
            f"its TLS certificate is not trusted ({error.verify_message})",
            "give --ca-file the certificate of the CA that issued it",
        ),
    )
    return RefusedError(f"{host} is not to be trusted: {says}", hint=hint, code=code, error_id="UntrustedCertificate")


def _machine_domain() -> str | None:
    """The domain in this machine's own name, or the first one that its resolver searches."""
    named = socket.gethostname().partition(".")[2]
    return named or dc_locator.search_domain()


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return str(error.reason).lower().replace("_", " ")
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]
