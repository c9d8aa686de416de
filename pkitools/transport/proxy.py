"""A web proxy between us and the server: CONNECT (RFC 9110 9.3.6) for TLS, absolute addresses for plain http."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pkitools.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConnectError,
    InputError,
    PkiToolsError,
    ProtocolError,
)
from pkitools.models.secret import Secret
from pkitools.protocol.http1 import ResponseHead, build_request
from pkitools.transport import dns, tcp
from pkitools.transport.deadline import Deadline
from pkitools.transport.stream import read_head

USER_VARIABLE = "PKITOOLS_PROXY_USER"
PASSWORD_VARIABLE = "PKITOOLS_PROXY_PASSWORD"
_HINT = f"set {USER_VARIABLE} and {PASSWORD_VARIABLE} (Basic authentication)"


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy is and, if it wants them, the credentials for Basic authentication (RFC 7617)."""

    host: str
    port: int
    user: str | None = None
    password: Secret | None = None

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Proxy-Authorization, when there are credentials."""
        if self.user is None:
            return ()
        pair = f"{self.user}:{self.password.reveal() if self.password else ''}"
        return (("Proxy-Authorization", "Basic " + base64.b64encode(pair.encode()).decode()),)


def parse_proxy(text: str, environment: Mapping[str, str] = os.environ) -> Proxy:
    """``http://host:port``, with user and password from the environment. Raises InputError.

    Credentials inside the address are refused: everybody on the machine could read them in the process list.
    """
    if "@" in text:
        raise InputError("user and password do not belong into the proxy's address", hint=_HINT)
    malformed = InputError(f"the proxy {text!r} is not of the form http://host:port")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise malformed from error
    if parts.scheme != "http" or not host or parts.path not in ("", "/") or parts.query:
        raise malformed
    password = environment.get(PASSWORD_VARIABLE)
    return Proxy(host, port or 80, environment.get(USER_VARIABLE), Secret(password) if password is not None else None)


def open_proxy(proxy: Proxy, deadline: Deadline) -> tcp.Connection:
    """A connection to the proxy itself; errors say that it is the proxy that failed."""
    try:
        return tcp.connect(dns.resolve(proxy.host, proxy.port, deadline), deadline)
    except PkiToolsError as error:
        error.message = f"proxy {proxy.host}:{proxy.port}: {error.message}"
        raise


def open_tunnel(proxy: Proxy, host: str, port: int, deadline: Deadline) -> tcp.Connection:
    """A connection to ``host:port`` through the proxy, which resolves the name.

    Raises AuthenticationError (407), AccessDeniedError (other 4xx), ConnectError (5xx, or the proxy is down),
    ProtocolError.
    """
    connection = open_proxy(proxy, deadline)
    try:
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        request = build_request("CONNECT", authority, (("Host", authority), *proxy.headers))
        connection.stream.send(request, deadline)
        answer = read_head(connection.stream, deadline)
        if answer is None:
            raise ConnectError(f"the proxy {proxy.host}:{proxy.port} closed the connection without an answer")
        head, rest = answer
        if not 200 <= head.status < 300:
            raise refusal(proxy, head, authority)
        if rest:
            raise ProtocolError(f"{authority} spoke first through the proxy: no TLS server does that")
    except BaseException:
        connection.stream.close()
        raise
    connection.stream.peer = f"{authority} (through the proxy {proxy.host}:{proxy.port})"
    return connection


def refusal(proxy: Proxy, head: ResponseHead, wanted: str) -> PkiToolsError:
    """The error for a proxy's answer other than 2xx."""
    said = f"the proxy {proxy.host}:{proxy.port} answered {head.status_text} when asked for {wanted}"
    if head.status == 407:
        schemes = head.get("proxy-authenticate") or "no scheme"
        return AuthenticationError(f"{said} (it offers: {schemes[:80]})", hint=_HINT)
    if 400 <= head.status < 500:
        return AccessDeniedError(said, hint="the proxy does not allow this address or port")
    return ConnectError(said, hint="the proxy cannot reach the server, or does not know its name")
