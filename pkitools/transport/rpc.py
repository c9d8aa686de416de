"""A small DCE/RPC client over TCP (C706 12, MS-RPCE 3.3.1): one deadline, every verifier checked, no shared state.

Protection is the client's decision: PKT_PRIVACY or none at all (ServerAlive2, endpoint mapper), never what a server
hints at. An answer that is not protected as agreed is an error, not an answer.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from pkitools.errors import ConnectError, DeadlineExceededError, ProtocolError
from pkitools.protocol.dcom.ids import Interface
from pkitools.protocol.dcom.pdu import (
    HEADER_SIZE,
    MAX_FRAGMENT,
    RESPONSE_BODY,
    TRAILER_SIZE,
    AuthLevel,
    AuthTrailer,
    AuthType,
    BindAck,
    Pdu,
    PduFlag,
    PduType,
    fragment_length,
    pack_bind,
    pack_header,
    pack_request_head,
    unpack_bind_nak,
    unpack_fault,
    unpack_pdu,
)
from pkitools.transport.deadline import Deadline
from pkitools.transport.rpc_errors import BindNakError, BindRejectedError, NotAuthenticError, RpcFaultError

MAX_REPLY = 1024 * 1024
MAX_FRAGMENTS = 1024
MAX_LEGS = 6
SEAL_ALIGNMENT = 16
AUTH_CONTEXT_ID = 79231
WHOLE = PduFlag.FIRST | PduFlag.LAST


class RpcSecurity(Protocol):
    """What a connection needs of a security context: its tokens, and sealing with the headers signed along."""

    auth_type: int

    @property
    def complete(self) -> bool:
        """Whether the context is established."""

    def step(self, token: bytes | None) -> bytes | None:
        """The next token to send, given the peer's. Raises AuthenticationError."""

    def signature_size(self) -> int:
        """Octets of a signature over one fragment."""

    def seal(self, head: bytes, data: bytes, tail: bytes, *, sign_header: bool) -> tuple[bytes, bytes]:
        """Sealed ``data`` and the signature that covers head, data and tail."""

    def unseal(self, head: bytes, data: bytes, tail: bytes, signature: bytes, *, sign_header: bool) -> bytes:
        """The plain data. Raises NotAuthenticError when the signature does not hold."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: operation number, request stub, and the object (IPID) for ORPC."""

    interface: Interface
    opnum: int
    stub: bytes
    ipid: UUID | None = None


class RpcConnection:
    """One TCP connection with at most one security context and any number of presentation contexts."""

    def __init__(self, address: str, port: int, deadline: Deadline, max_reply: int = MAX_REPLY) -> None:
        """Connect to ``address`` (an IP address). ``max_reply`` are the octets that the answers to calls sent together
        may have. Raises ConnectError, DeadlineExceededError."""
        self._deadline = deadline
        self._max_reply = max_reply
        self._call_id = 0
        self._contexts: dict[Interface, int] = {}
        self._security: RpcSecurity | None = None
        self._sign_header = False
        self._multiplexed = False
        self._unsent = b""
        self.is_bound = False
        self._received = bytearray()
        self.round_trips = 0
        where = f"{address}:{port}" if ":" not in address else f"[{address}]:{port}"
        self._where = where
        self.port = port
        try:
            self._socket = socket.create_connection((address, port), timeout=deadline.require(f"connecting to {where}"))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError as error:
            raise DeadlineExceededError(
                f"no answer from {where} within {deadline.seconds:g} s", hint="is a firewall dropping the packets?"
            ) from error
        except OSError as error:
            raise ConnectError(f"cannot connect to {where}: {error.strerror or error}") from error
        self.round_trips += 1

    def __enter__(self) -> RpcConnection:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; nothing is sent."""
        self._socket.close()

    def use_deadline(self, deadline: Deadline) -> None:
        """From now on another deadline holds: connecting may have had a shorter one."""
        self._deadline = deadline

    def bind(
        self, interfaces: Sequence[Interface], security: RpcSecurity | None = None, *, any_of: bool = False
    ) -> None:
        """Bind the first interface, and the others as further presentation contexts where the server takes them.

        Raises BindRejectedError when the first is refused (``any_of``: when all are), BindNakError,
        AuthenticationError.
        """
        self._security = security
        contexts = tuple(enumerate(interfaces))
        token = security.step(None) if security else None
        flags = WHOLE | PduFlag.SUPPORT_HEADER_SIGN | PduFlag.CONC_MPX if security else WHOLE
        reply = self._negotiate(PduType.BIND, pack_bind(contexts), token, flags)
        self._sign_header = bool(reply.flags & PduFlag.SUPPORT_HEADER_SIGN)
        self._multiplexed = bool(reply.flags & PduFlag.CONC_MPX)
        self._take_results(reply, contexts, any_of=any_of)
        if security is not None:
            self._finish_authentication(security, reply)
        self.is_bound = True

    def _finish_authentication(self, security: RpcSecurity, reply: Pdu) -> None:
        """Further legs: auth3 when the server has nothing more to say, alter_context otherwise (MS-RPCE 3.3.1.5.2)."""
        for _ in range(MAX_LEGS):
            token = security.step(reply.auth.value if reply.auth else b"")
            if security.complete and (token is None or self._is_last_leg(security)):
                if token:
                    self._unsent = self._auth_pdu(PduType.AUTH3, bytes(4), token, WHOLE).pack()
                return
            if token is None:
                raise ProtocolError("the server's authentication ended early")
            interface, context_id = next(iter(self._contexts.items()))
            body = pack_bind(((context_id, interface),))
            reply = self._negotiate(PduType.ALTER_CONTEXT, body, token, WHOLE)
            if security.complete and not (reply.auth and reply.auth.value):
                return
        raise ProtocolError("the authentication has no end")

    @staticmethod
    def _is_last_leg(security: RpcSecurity) -> bool:
        """NTLM's third message gets no answer; Kerberos' and SPNEGO's last one travels in an alter_context."""
        return security.auth_type == AuthType.NTLM

    def add_interface(self, interface: Interface) -> None:
        """A further presentation context (alter_context), unless there is one already. Raises BindRejectedError."""
        if interface in self._contexts:
            return
        contexts = ((max(self._contexts.values()) + 1, interface),)
        reply = self._negotiate(PduType.ALTER_CONTEXT, pack_bind(contexts), None, WHOLE)
        self._take_results(reply, contexts)

    def offers(self, interface: Interface) -> bool:
        """Whether the server took the interface when it was bound."""
        return interface in self._contexts

    def _take_results(self, reply: Pdu, contexts: tuple[tuple[int, Interface], ...], *, any_of: bool = False) -> None:
        results = BindAck.unpack(reply.body).results
        if len(results) < len(contexts):
            raise ProtocolError(f"the server judged {len(results)} of {len(contexts)} presentation contexts")
        for (context_id, interface), result in zip(contexts, results, strict=False):
            if result.result == 0:
                self._contexts[interface] = context_id
        first = contexts[0][1]
        if first not in self._contexts and not (any_of and self._contexts):
            raise BindRejectedError(first, results[0].reason)

    def _negotiate(self, pdu_type: PduType, body: bytes, token: bytes | None, flags: PduFlag) -> Pdu:
        pdu = self._auth_pdu(pdu_type, body, token, flags)
        self._send(pdu.pack())
        reply = self._receive(pdu.call_id)
        expected = PduType.BIND_ACK if pdu_type is PduType.BIND else PduType.ALTER_CONTEXT_RESP
        if reply.type == PduType.BIND_NAK:
            raise BindNakError(unpack_bind_nak(reply.body))
        if reply.type == PduType.FAULT:
            raise RpcFaultError(unpack_fault(reply.body))
        if reply.type != expected:
            raise ProtocolError(f"{self._where} answered a {pdu_type.name} with PDU type {reply.type}")
        if reply.auth is not None and self._security is not None:
            self._check_trailer(reply.auth)
        return reply

    def _auth_pdu(self, pdu_type: PduType, body: bytes, token: bytes | None, flags: PduFlag) -> Pdu:
        if pdu_type is not PduType.AUTH3:
            self._call_id += 1
        auth = None
        if token is not None and self._security is not None:
            pad = -len(body) % 4
            body += bytes(pad)
            auth = AuthTrailer(self._security.auth_type, AuthLevel.PKT_PRIVACY, pad, AUTH_CONTEXT_ID, token)
        return Pdu(pdu_type, flags, self._call_id, body, auth)

    def call(self, call: Call) -> bytes:
        """The reply stub of one call. Raises RpcFaultError, NotAuthenticError and the connection's errors."""
        result = self.call_all((call,))[0]
        if isinstance(result, RpcFaultError):
            raise result
        return result

    def call_all(self, calls: Sequence[Call]) -> list[bytes | RpcFaultError]:
        """Reply stubs or faults of several calls, in their order; sent together where the server multiplexes."""
        if not self._multiplexed and len(calls) > 1:
            return [reply for call in calls for reply in self.call_all((call,))]
        pending: dict[int, tuple[int, int]] = {}
        data = b""
        for index, call in enumerate(calls):
            self._call_id += 1
            pending[self._call_id] = (index, self._contexts[call.interface])
            data += self._pack_request(call)
        self._send(data)
        replies: list[bytes | RpcFaultError] = [b""] * len(calls)
        budget = _Budget(self._max_reply)
        while pending:
            call_id, reply = self._receive_reply(pending, budget)
            replies[pending.pop(call_id)[0]] = reply
        return replies

    def _pack_request(self, call: Call) -> bytes:
        flags = WHOLE | PduFlag.OBJECT_UUID if call.ipid else WHOLE
        prefix = pack_request_head(self._contexts[call.interface], call.opnum, len(call.stub), call.ipid)
        if self._security is None:
            size = HEADER_SIZE + len(prefix) + len(call.stub)
            return pack_header(PduType.REQUEST, flags, size, 0, self._call_id) + prefix + call.stub
        return self._pack_sealed(flags, prefix, call.stub, self._security)

    def _pack_sealed(self, flags: PduFlag, prefix: bytes, stub: bytes, security: RpcSecurity) -> bytes:
        pad = -len(stub) % SEAL_ALIGNMENT
        trailer = AuthTrailer(security.auth_type, AuthLevel.PKT_PRIVACY, pad, AUTH_CONTEXT_ID, b"").pack_head()
        signature_size = security.signature_size()
        size = HEADER_SIZE + len(prefix) + len(stub) + pad + TRAILER_SIZE + signature_size
        if size > MAX_FRAGMENT:
            raise ProtocolError(f"a request of {size} octets does not fit into one fragment")
        head = pack_header(PduType.REQUEST, flags, size, signature_size, self._call_id) + prefix
        sealed, signature = security.seal(head, stub + bytes(pad), trailer, sign_header=self._sign_header)
        return head + sealed + trailer + signature

    def _receive_reply(self, pending: dict[int, tuple[int, int]], budget: _Budget) -> tuple[int, bytes | RpcFaultError]:
        """One reply, put together from its fragments; fragments of different calls must not be mixed."""
        stub = bytearray()
        call_id: int | None = None
        while True:
            pdu = self._receive(call_id)
            if call_id is None and pdu.call_id not in pending:
                raise NotAuthenticError(f"call id {pdu.call_id} was not asked for")
            first = call_id is None
            call_id = pdu.call_id
            if pdu.type == PduType.FAULT:
                return call_id, self._fault(pdu)
            if pdu.type != PduType.RESPONSE:
                raise ProtocolError(f"{self._where} answered a request with PDU type {pdu.type}")
            if bool(pdu.flags & PduFlag.FIRST) != first:
                raise ProtocolError("fragments of a reply are out of order")
            stub += self._open_response(pdu, pending[call_id][1])
            budget.take(len(pdu.raw))
            if pdu.flags & PduFlag.LAST:
                return call_id, bytes(stub)

    def _open_response(self, pdu: Pdu, context_id: int) -> bytes:
        if len(pdu.body) < RESPONSE_BODY - HEADER_SIZE:
            raise ProtocolError("malformed DCE/RPC response: too short")
        if int.from_bytes(pdu.body[4:6], "little") != context_id:
            raise NotAuthenticError("the answer belongs to another presentation context")
        if self._security is None:
            return pdu.body[RESPONSE_BODY - HEADER_SIZE :]
        return self._unseal(pdu, self._security)

    def _unseal(self, pdu: Pdu, security: RpcSecurity) -> bytes:
        if pdu.auth is None:
            raise NotAuthenticError("a plaintext answer on a protected connection")
        self._check_trailer(pdu.auth)
        data = pdu.body[RESPONSE_BODY - HEADER_SIZE :]
        if pdu.auth.pad > len(data):
            raise ProtocolError("malformed DCE/RPC response: more padding than data")
        tail_at = len(pdu.raw) - len(pdu.auth.value) - TRAILER_SIZE
        head, tail = pdu.raw[:RESPONSE_BODY], pdu.raw[tail_at : tail_at + TRAILER_SIZE]
        plain = security.unseal(head, data, tail, pdu.auth.value, sign_header=self._sign_header)
        return plain[: len(plain) - pdu.auth.pad]

    def _check_trailer(self, auth: AuthTrailer) -> None:
        expected = (self._security.auth_type if self._security else 0, AuthLevel.PKT_PRIVACY, AUTH_CONTEXT_ID)
        if (auth.type, auth.level, auth.context_id) != expected:
            raise NotAuthenticError(
                f"authentication type {auth.type}, level {auth.level}, context {auth.context_id} were not agreed"
            )

    def _fault(self, pdu: Pdu) -> RpcFaultError:
        """A fault may come without a verifier: it can end a call, it never makes one succeed or weakens the next."""
        if pdu.auth is not None and self._security is not None:
            self._unseal(pdu, self._security)  # keeps the sequence numbers in step
        return RpcFaultError(unpack_fault(pdu.body))

    def _send(self, data: bytes) -> None:
        data, self._unsent = self._unsent + data, b""
        try:
            self._socket.settimeout(self._deadline.require(f"sending to {self._where}"))
            self._socket.sendall(data)
        except TimeoutError as error:
            raise self._timeout() from error
        except OSError as error:
            raise ConnectError(f"{self._where} closed the connection: {error.strerror or error}") from error
        self.round_trips += 1

    def _receive(self, call_id: int | None) -> Pdu:
        """The next fragment. Raises NotAuthenticError when it belongs to another call."""
        self._fill(HEADER_SIZE)
        size = fragment_length(bytes(self._received[:HEADER_SIZE]))
        self._fill(size)
        raw = bytes(self._received[:size])
        del self._received[:size]
        pdu = unpack_pdu(raw)
        if call_id is not None and pdu.call_id != call_id:
            raise NotAuthenticError(f"an answer to call {pdu.call_id} where call {call_id} was asked")
        return pdu

    def _fill(self, size: int) -> None:
        while len(self._received) < size:
            try:
                self._socket.settimeout(self._deadline.require(f"waiting for {self._where}"))
                data = self._socket.recv(65536)
            except TimeoutError as error:
                raise self._timeout() from error
            except OSError as error:
                raise ConnectError(f"{self._where} reset the connection: {error.strerror or error}") from error
            if not data:
                after = "in the middle of an answer" if self._received else "without an answer"
                raise ConnectError(f"{self._where} closed the connection {after}")
            self._received += data

    def _timeout(self) -> DeadlineExceededError:
        return DeadlineExceededError(
            f"no answer from {self._where} within {self._deadline.seconds:g} s",
            hint="the port is open and the service behind it is silent: look at the host",
        )


class _Budget:
    """Caps over all the fragments of an answer."""

    def __init__(self, octets: int) -> None:
        self._octets = octets
        self._fragments = MAX_FRAGMENTS

    def take(self, octets: int) -> None:
        self._octets -= octets
        self._fragments -= 1
        if self._octets < 0 or self._fragments < 0:
            raise ProtocolError(f"an answer too long, or of more than {MAX_FRAGMENTS} fragments")
