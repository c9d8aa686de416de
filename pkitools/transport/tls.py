"""TLS to a server that may be old, broken or hostile: sees TLS 1.0 to 1.3 and verifies nothing.

Whether the certificate is good is not asked here (``trust`` judges it), so that a bad one is shown instead of an alert.
OpenSSL comes through pyOpenSSL, that is, from the wheel of ``cryptography``: Debian's own settings do not hide TLS 1.0.
"""

from __future__ import annotations

import os
import re
from enum import IntEnum
from functools import lru_cache, partial
from typing import NamedTuple

from OpenSSL import SSL, crypto

from pkitools.errors import ConnectError, DeadlineExceededError, PkiToolsError, ProtocolError, RefusedError
from pkitools.transport.deadline import Deadline
from pkitools.transport.stream import RECEIVE_BYTES, SocketStream, lost
from pkitools.transport.tls_pump import Pump

_CIPHERS = b"ALL:COMPLEMENTOFDEFAULT:@SECLEVEL=0"
_CONTENT_HANDSHAKE = 22
_CONTENT_ALERT = 21


class TlsVersion(IntEnum):
    """The versions that can be seen; the numbers are those on the wire (RFC 8446 4.2.1)."""

    TLS1_0 = 0x0301
    TLS1_1 = 0x0302
    TLS1_2 = 0x0303
    TLS1_3 = 0x0304

    @property
    def label(self) -> str:
        """``TLS 1.2``"""
        return f"TLS 1.{self - 0x0301}"


class _Seen:
    """What the callbacks of one handshake saw."""

    def __init__(self) -> None:
        self.ocsp_response: bytes | None = None
        self.certificate_requested = False


class Session(NamedTuple):
    """What a handshake told. ``chain`` is DER, the leaf first, exactly as sent."""

    version: TlsVersion
    cipher: str
    group: str | None
    chain: tuple[bytes, ...]
    ocsp_response: bytes | None
    client_certificate_requested: bool


class TlsStream:
    """A TLS connection over a TCP stream, which it closes with itself.

    ``failure`` is set when the handshake ended after the certificate was read: there is a session to look at, and
    nothing can be sent.
    """

    def __init__(
        self,
        stream: SocketStream,
        connection: SSL.Connection,
        pump: Pump,
        session: Session,
        failure: PkiToolsError | None = None,
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._pump = pump
        self.session = session
        self.failure = failure

    def send(self, data: bytes, deadline: Deadline) -> None:
        """See ``Stream``."""
        sent = 0
        while sent < len(data):
            try:
                sent += self._pump.run(
                    partial(self._connection.send, data[sent:]), deadline, f"sending to {self._stream.peer}"
                )
            except (SSL.Error, OSError) as error:
                raise self._broken(error) from error

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        """See ``Stream``; an end without a close_notify is an end too."""
        step = partial(self._connection.recv, min(limit, RECEIVE_BYTES))
        try:
            return self._pump.run(step, deadline, f"waiting for an answer from {self._stream.peer}")
        except SSL.ZeroReturnError:
            return b""
        except (SSL.Error, OSError) as error:
            if _is_end(error):
                return b""
            raise self._broken(error) from error

    def close(self) -> None:
        """Sends a close_notify when that needs no waiting, then closes."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            pass  # the handshake did not complete: closing the socket says the same
        self._pump.send_ready()
        self._stream.close()

    def _broken(self, error: Exception) -> PkiToolsError:
        return _handshake_error(self._stream.peer, error, b"", "after the handshake")


def handshake(
    stream: SocketStream,
    deadline: Deadline,
    *,
    server_name: str | None,
    versions: tuple[TlsVersion, TlsVersion] = (TlsVersion.TLS1_0, TlsVersion.TLS1_3),
) -> TlsStream:
    """Speaks TLS over a connected stream, offering the versions of the range; SNI only when ``server_name`` is given.

    Raises ConnectError (the server hung up), RefusedError (it sent an alert), ProtocolError (what it sent is no TLS, or
    malformed), DeadlineExceededError; but when the certificate was read before, the error is the result's ``failure``.
    The stream is closed when it fails.
    """
    connection = SSL.Connection(_context(*versions))
    seen = _Seen()
    connection.set_app_data(seen)
    connection.request_ocsp()
    if server_name is not None:
        connection.set_tlsext_host_name(server_name.encode("ascii"))
    connection.set_connect_state()
    pump = Pump(connection, stream)
    failure = _run(connection, pump, stream.peer, deadline)
    if failure is not None:
        stream.close()
        if not connection.get_peer_cert_chain():
            raise failure
    return TlsStream(stream, connection, pump, _describe(connection, seen), failure)


def _run(connection: SSL.Connection, pump: Pump, peer: str, deadline: Deadline) -> PkiToolsError | None:
    """The handshake itself; what ended it early."""
    try:
        pump.run(connection.do_handshake, deadline, f"waiting for the TLS handshake of {peer}")
    except (SSL.Error, OSError) as error:
        failure = _handshake_error(peer, error, pump.first, "during the TLS handshake")
        failure.__cause__ = error
        return failure
    except DeadlineExceededError as error:
        return error
    return None


@lru_cache
def _context(least: TlsVersion, most: TlsVersion) -> SSL.Context:
    """One context for each range, shared by all threads: OpenSSL only reads it once it is set up."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(_CIPHERS)
    context.set_min_proto_version(least)
    context.set_max_proto_version(most)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_options(SSL.OP_LEGACY_SERVER_CONNECT)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_ocsp_client_callback(_on_ocsp)
    context.set_info_callback(_on_state)
    return context


def _on_ocsp(connection: SSL.Connection, response: bytes, _data: object) -> bool:
    seen = connection.get_app_data()
    seen.ocsp_response = response or None
    return True


def _on_state(connection: SSL.Connection, where: int, _result: int) -> None:
    if where & SSL.SSL_CB_LOOP and connection.get_state_string().endswith(b"server certificate request"):
        connection.get_app_data().certificate_requested = True


def _describe(connection: SSL.Connection, seen: _Seen) -> Session:
    chain = connection.get_peer_cert_chain() or []
    return Session(
        version=TlsVersion(connection.get_protocol_version()),
        cipher=connection.get_cipher_name() or "",
        group=connection.get_group_name(),
        chain=tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, item) for item in chain),
        ocsp_response=seen.ocsp_response,
        client_certificate_requested=seen.certificate_requested,
    )


def _is_end(error: Exception) -> bool:
    if isinstance(error, SSL.SysCallError):
        return bool(error.args[0] == -1)  # "Unexpected EOF": closed without close_notify
    return "unexpected eof" in _reason(error)


def _reason(error: Exception) -> str:
    """OpenSSL's own words for the last thing that went wrong."""
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return str(queue[-1][2]).lower() if queue else ""


def _handshake_error(peer: str, error: Exception, first: bytes, when: str) -> PkiToolsError:
    """The typed error for what OpenSSL or the system said."""
    foreign = first and first[0] not in (_CONTENT_HANDSHAKE, _CONTENT_ALERT)
    if foreign or (not first and _reason(error) in _FOREIGN):
        return ProtocolError(
            f"{peer} does not speak TLS: it sent {_printable(first) if first else 'something else'}",
            hint="check the port; behind TLS offload probe the load balancer",
            error_id="NotTls",
        )
    if _is_end(error):
        return ConnectError(f"{peer} closed the connection {when}", hint=_CLOSED_HINT)
    if isinstance(error, SSL.SysCallError):
        error = OSError(error.args[0], os.strerror(error.args[0]))
    if isinstance(error, OSError):
        return lost(f"{peer} {when}", error)
    reason = _reason(error)
    alert = _ALERT.match(reason)
    if alert is not None:
        return _alert_error(peer, alert[1], when)
    return ProtocolError(f"{peer} broke the TLS protocol {when}: {reason or 'no reason given'}")


_FOREIGN = ("wrong version number", "http request", "https proxy request")
_CLOSED_HINT = "is this a TLS port? a server may also hang up on an unknown name (--sni), or a firewall in between"
# OpenSSL's words for a received alert: "tlsv1 alert protocol version", "tls alert handshake failure", but also
# "tlsv1 unrecognized name"
_ALERT = re.compile(r"(?:tlsv1(?:3)? (?:alert )?|(?:ssl/)?tls alert |sslv3 alert )(.+)")
_ALERT_HINTS = {
    "unrecognized name": "the server has no certificate for this name: check the name, or give another with --sni",
    "protocol version": "the server speaks no TLS version between 1.0 and 1.3 that was offered",
    "handshake failure": "no cipher in common, or the server wants another name (--sni) or a client certificate",
    "certificate required": "the server wants a client certificate; an SSTP client has none to show",
}


def _alert_error(peer: str, name: str, when: str) -> RefusedError:
    hint = next((text for key, text in _ALERT_HINTS.items() if key in name), "")
    return RefusedError(f"{peer} refused {when} with the TLS alert {name.replace(' ', '_')}", hint=hint)


def _printable(data: bytes) -> str:
    line = data.split(b"\n")[0].rstrip(b"\r")[:48]
    if line.isascii() and line.decode("ascii").isprintable() and line:
        return repr(line.decode("ascii"))
    return f"the bytes {data[:8].hex(' ')}"
