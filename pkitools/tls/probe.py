"""One address of a server: connect, TLS handshake, and what is asked over further connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pkitools.errors import DeadlineExceededError, PkiToolsError
from pkitools.models.tls import HttpAnswer, Sstp, SstpVerdict
from pkitools.protocol.sstp import SSTP_PATH
from pkitools.tls.concurrency import Side
from pkitools.tls.options import NO_SNI, ProbeOptions
from pkitools.tls.service import Service
from pkitools.tls.sstp import ask_http, ask_sstp
from pkitools.tls.targets import Target
from pkitools.transport import dns, proxy, tcp, tls
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.tls import Session, TlsStream, TlsVersion

Versions = tuple[tuple[TlsVersion, ...], tuple[TlsVersion, ...]]
"""The versions that a server accepts, and those of which the deadline kept us from knowing."""

TRIED_VERSIONS = tuple(TlsVersion)
ANY_VERSION = (TlsVersion.TLS1_0, TlsVersion.TLS1_3)
_HTTP_REQUESTS = (("HEAD", SSTP_PATH), ("GET", "/"))


class Address(NamedTuple):
    """Where to connect: endpoints of which the first that answers is taken, or (through a proxy) a name to hand on.

    ``label`` names it in results.
    """

    endpoints: tuple[Endpoint, ...]
    label: str
    tunnel_host: str | None = None


class Follow(NamedTuple):
    """What was asked after the handshake. ``versions`` is None unless every TLS version was tried."""

    sstp: Sstp
    http: tuple[HttpAnswer, ...] = ()
    versions: Versions | None = None


class Probe:
    """A server seen through one address. The first connection serves the handshake and SSTP, others the rest."""

    def __init__(self, target: Target, options: ProbeOptions, address: Address, deadline: Deadline) -> None:
        """Connects and shakes hands. Raises the errors of ``transport`` when no certificate was read."""
        self._target = target
        self._options = options
        self._deadline = deadline
        self.sni = server_name(target, options)
        connection = _open(address, target, options, deadline)
        self.failed_attempts = connection.failed
        self._address = Address((connection.endpoint,), address.label, address.tunnel_host)
        self.label = address.label or str(connection.endpoint)
        self._stream: TlsStream = tls.handshake(connection.stream, deadline, server_name=self.sni)

    @property
    def session(self) -> Session:
        """The negotiated session and the chain as sent."""
        return self._stream.session

    @property
    def failure(self) -> PkiToolsError | None:
        """What ended the handshake after the certificate."""
        return self._stream.failure

    def follow(self) -> Follow:
        """Asks what the options want, closes the connection. Never raises for what the server does.

        The questions go side by side: a server that is silent to one may answer the others.
        """
        http = Side(self._ask_every_http) if self._options.http else None
        versions = Side(self._accepted_versions) if self._options.tls_versions else None
        sstp = self._ask_sstp()
        self._stream.close()
        return Follow(
            sstp,
            http.wait(self._deadline, lambda: ()) if http else (),
            versions.wait(self._deadline, lambda: ((), TRIED_VERSIONS)) if versions else None,
        )

    def _ask_sstp(self) -> Sstp:
        if self.failure is not None:
            return Sstp(SstpVerdict.NOT_ASKED, "the TLS handshake did not complete")
        if self._options.service is not Service.SSTP:
            return Sstp(SstpVerdict.NOT_ASKED, "SSTP was not asked for")
        return ask_sstp(self._stream, self._host_field, self._deadline)

    @property
    def _host_field(self) -> str:
        return self._target.authority.removesuffix(":443")

    def _ask_http(self, method: str, path: str) -> HttpAnswer:
        try:
            stream = self._connect_again(ANY_VERSION)
        except PkiToolsError as error:
            return HttpAnswer(f"{method} {path}", error=error.message)
        try:
            return ask_http(stream, method, path, self._host_field, self._deadline)
        finally:
            stream.close()

    def _ask_every_http(self) -> tuple[HttpAnswer, ...]:
        return tuple(self._ask_http(*request) for request in _HTTP_REQUESTS)

    def _accepted_versions(self) -> Versions:
        tried = {version: self._accepts(version) for version in TRIED_VERSIONS}
        return (
            tuple(version for version, accepted in tried.items() if accepted),
            tuple(version for version, accepted in tried.items() if accepted is None),
        )

    def _accepts(self, version: TlsVersion) -> bool | None:
        if version is self.session.version:
            return True
        try:
            self._connect_again((version, version)).close()
        except DeadlineExceededError:
            return None
        except PkiToolsError:
            return False
        return True

    def _connect_again(self, versions: tuple[TlsVersion, TlsVersion]) -> TlsStream:
        connection = _open(self._address, self._target, self._options, self._deadline)
        stream = tls.handshake(connection.stream, self._deadline, server_name=self.sni, versions=versions)
        if stream.failure is not None:
            raise stream.failure
        return stream


def server_name(target: Target, options: ProbeOptions) -> str | None:
    """The name for SNI: the target's unless another is wanted; never an address (RFC 6066 3)."""
    if options.sni is not None:
        return None if options.sni == NO_SNI else options.sni
    return None if target.is_address else target.host


def find_addresses(target: Target, options: ProbeOptions, deadline: Deadline) -> Sequence[Address]:
    """The addresses to probe: one that stands for all, or with ``all_addresses`` each of its own.

    Through a proxy the name goes to the proxy as it is, unless each address is wanted.
    """
    host = options.connect or target.host
    if options.web_proxy is not None and not options.all_addresses:
        return (Address((), str(Endpoint(host, target.port)), host),)
    endpoints = dns.resolve(host, target.port, deadline)
    if not options.all_addresses:
        return (Address(endpoints, ""),)
    return tuple(
        Address((endpoint,), str(endpoint), endpoint.address if options.web_proxy is not None else None)
        for endpoint in endpoints
    )


def _open(address: Address, target: Target, options: ProbeOptions, deadline: Deadline) -> tcp.Connection:
    if options.web_proxy is not None and address.tunnel_host is not None:
        return proxy.open_tunnel(options.web_proxy, address.tunnel_host, target.port, deadline)
    return tcp.connect(address.endpoints, deadline)
