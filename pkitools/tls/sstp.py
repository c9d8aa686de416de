"""Is there an SSTP listener? Both halves of the question: the HTTP request, then a call that is left at once.

MS-SSTP 3.2 (client), 2.2.9 to 2.2.13 (messages). A real listener is proven only by its Call Connect
Acknowledge: any web server answers 200 to something.
"""

from __future__ import annotations

import time
import uuid

from pkitools.errors import DeadlineExceededError, NoAnswerError, PkiToolsError, ProtocolError
from pkitools.models.tls import HttpAnswer, Sstp, SstpVerdict
from pkitools.protocol import sstp
from pkitools.protocol.http1 import ResponseHead, build_request
from pkitools.transport.deadline import Deadline
from pkitools.transport.stream import Stream, read_head

_HEADER_BYTES = 4
_GOODBYE_SECONDS = 0.2
_FULL = "an SSTP server whose ports are all in use answers with an HTTP error too"


def ask_sstp(stream: Stream, host_field: str, deadline: Deadline) -> Sstp:
    """Asks over an open TLS stream and leaves the call with an Abort. Never raises for what the server does."""
    try:
        return _Call(stream, deadline).run(host_field)
    except DeadlineExceededError:
        return Sstp(SstpVerdict.SILENT, f"no answer to {sstp.SSTP_METHOD} within the deadline")
    except ProtocolError as error:
        verdict = SstpVerdict.TLS_NO_HTTP if error.error_id == "NotHttp" else SstpVerdict.HTTP_NO_SSTP
        return Sstp(verdict, f"{error.message}: this is no SSTP server")
    except PkiToolsError as error:
        return Sstp(SstpVerdict.TLS_NO_HTTP, error.message)


def build_duplex_post(host_field: str) -> bytes:
    """The client's HTTP request (MS-SSTP 3.2), with a new correlation id."""
    headers = (
        ("Content-Length", str(sstp.SSTP_CONTENT_LENGTH)),
        ("Host", host_field),
        ("SSTPCORRELATIONID", f"{{{str(uuid.uuid4()).upper()}}}"),
    )
    return build_request(sstp.SSTP_METHOD, sstp.SSTP_PATH, headers)


def ask_http(stream: Stream, method: str, path: str, host_field: str, deadline: Deadline) -> HttpAnswer:
    """One plain request, for its status line only. Never raises for what the server does."""
    request = f"{method} {path}"
    try:
        headers = (("Host", host_field), ("User-Agent", "pkitools"), ("Connection", "close"))
        stream.send(build_request(method, path, headers), deadline)
        answer = read_head(stream, deadline)
    except PkiToolsError as error:
        return HttpAnswer(request, error=error.message)
    if answer is None:
        return HttpAnswer(request, error="the server closed the connection without an answer")
    head = answer[0]
    return HttpAnswer(request, head.status, head.status_text, head.get("server"), head.get("location"))


class _Call:
    """One call: request, answer, Call Connect Request, Acknowledge, Abort."""

    def __init__(self, stream: Stream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline
        self._buffer = b""

    def run(self, host_field: str) -> Sstp:
        started = time.monotonic()
        self._stream.send(build_duplex_post(host_field), self._deadline)
        answer = read_head(self._stream, self._deadline)
        http_ms = _milliseconds_since(started)
        if answer is None:
            return Sstp(SstpVerdict.TLS_NO_HTTP, "the server closed the connection without an HTTP answer")
        head, self._buffer = answer
        seen = Sstp(SstpVerdict.HTTP_NO_SSTP, "", head.status_text, head.get("server"), http_latency_ms=http_ms)
        refusal = _http_refusal(head)
        if refusal:
            return _with(seen, SstpVerdict.HTTP_NO_SSTP, refusal)
        return self._connect(seen)

    def _connect(self, seen: Sstp) -> Sstp:
        started = time.monotonic()
        try:
            self._stream.send(sstp.call_connect_request().pack(), self._deadline)
            packet = self._read_packet()
        except DeadlineExceededError:
            return _with(seen, SstpVerdict.SILENT, "the HTTP half answered, the Call Connect Request was not answered")
        except NoAnswerError as error:
            return _with(seen, SstpVerdict.REJECTED, f"the call was cut off: {error.message}")
        except ProtocolError as error:
            return _with(
                seen, SstpVerdict.HTTP_NO_SSTP, f"the HTTP half answered, what followed is not SSTP: {error.message}"
            )
        if packet is None:
            return _with(seen, SstpVerdict.REJECTED, "the server closed the connection instead of acknowledging")
        return self._judge(seen, packet, _milliseconds_since(started))

    def _judge(self, seen: Sstp, packet: sstp.ControlPacket, ack_ms: float) -> Sstp:
        if packet.message_type != sstp.MessageType.SSTP_MSG_CALL_CONNECT_ACK:
            refusals = tuple(_refusals(packet))
            text = f"the server answered with {_message_name(packet)}" + (f" ({', '.join(refusals)})" * bool(refusals))
            return _with(seen, SstpVerdict.REJECTED, text, refusals=refusals)
        value = packet.attribute(sstp.AttributeId.SSTP_ATTRIB_CRYPTO_BINDING_REQ)
        try:
            binding = sstp.CryptoBindingRequest.unpack(value or b"")
        except ProtocolError as error:
            return _with(seen, SstpVerdict.HTTP_NO_SSTP, f"the acknowledgement is malformed: {error.message}")
        self._leave()
        names = tuple(
            (item.name or "").removeprefix("CERT_HASH_PROTOCOL_")
            for item in sstp.HashProtocol
            if binding.hash_protocols & item
        )
        return Sstp(
            verdict=SstpVerdict.LISTENER,
            detail="the server acknowledged an SSTP call",
            http_status=seen.http_status,
            server=seen.server,
            hash_protocols=names,
            nonce_length=len(binding.nonce),
            http_latency_ms=seen.http_latency_ms,
            ack_latency_ms=ack_ms,
        )

    def _read_packet(self) -> sstp.ControlPacket | None:
        """One control packet; None when the connection ended before its first byte."""
        header = self._read_exactly(_HEADER_BYTES)
        if header is None:
            return None
        rest = self._read_exactly(sstp.read_length(header) - _HEADER_BYTES)
        return sstp.ControlPacket.unpack(header + (rest or b""))

    def _read_exactly(self, count: int) -> bytes | None:
        while len(self._buffer) < count:
            data = self._stream.receive(count - len(self._buffer), self._deadline)
            if not data:
                if self._buffer:
                    raise ProtocolError("the connection ended inside an SSTP packet")
                return None
            self._buffer += data
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def _leave(self) -> None:
        """The Abort, and its answer when that comes at once: so no call is left open on the server."""
        goodbye = Deadline(min(_GOODBYE_SECONDS, self._deadline.remaining()))
        try:
            status = sstp.StatusInfo(sstp.AttributeId.SSTP_ATTRIB_NO_ERROR, sstp.StatusCode.ATTRIB_STATUS_NO_ERROR)
            self._stream.send(sstp.call_abort(status).pack(), goodbye)
            self._read_packet_until(goodbye)
        except PkiToolsError:
            pass  # the listener has proven itself; closing the connection ends the call as well

    def _read_packet_until(self, goodbye: Deadline) -> None:
        self._deadline = goodbye
        self._read_packet()


def _with(seen: Sstp, verdict: SstpVerdict, detail: str, refusals: tuple[str, ...] = ()) -> Sstp:
    return Sstp(verdict, detail, seen.http_status, seen.server, http_latency_ms=seen.http_latency_ms, refusals=refusals)


def _http_refusal(head: ResponseHead) -> str:
    """Why this answer is not that of an SSTP server; empty when it is."""
    if 400 <= head.status < 600:
        return f"the server answered {head.status_text} to {sstp.SSTP_METHOD}: a web server, or {_FULL}"
    if head.status != 200:
        return f"the server answered {head.status_text} to {sstp.SSTP_METHOD}: a web server"
    try:
        length = head.content_length
    except ProtocolError:
        length = None
    if length != sstp.SSTP_CONTENT_LENGTH:
        return (
            "the server answered 200 without the Content-Length of an SSTP stream: a web server that answers anything"
        )
    return ""


def _refusals(packet: sstp.ControlPacket) -> list[str]:
    names = []
    for attribute in packet.attributes:
        if attribute.id == sstp.AttributeId.SSTP_ATTRIB_STATUS_INFO:
            try:
                names.append(sstp.StatusInfo.unpack(attribute.value).name)
            except ProtocolError:
                names.append("malformed status info")
    return names


def _message_name(packet: sstp.ControlPacket) -> str:
    try:
        return sstp.MessageType(packet.message_type).name
    except ValueError:
        return f"message type {packet.message_type}"


def _milliseconds_since(moment: float) -> float:
    return round((time.monotonic() - moment) * 1000, 2)
