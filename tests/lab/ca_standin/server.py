"""The stand-in's two listeners and what is said on them: endpoint mapper, activation, the CA's process."""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
import uuid
from typing import Any

from tests.lab.ca_standin import ntlm
from tests.lab.ca_standin.faults import Faults
from tests.lab.ca_standin.host import (
    ADMIN_CLASS,
    ADMIN_D,
    ADMIN_D2,
    CLASS_OF,
    REM_UNKNOWN,
    REM_UNKNOWN2,
    REQUEST_CLASS,
    REQUEST_D,
    REQUEST_D2,
    CaData,
    Calls,
)
from tests.lab.ca_standin.wire import ORPC_THAT, Bad, In, Out, dual_string_array, pdu

NDR = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860")
FEATURES = bytes.fromhex("2c1cb76c129840450300000000000000")
EPM = uuid.UUID("e1af8308-5d1f-11c9-91a4-08002b14a0fa")
EXPORTER = uuid.UUID("99fcfec4-5260-101b-bbcb-00aa0021347a")
ACTIVATOR = uuid.UUID("000001a0-0000-0000-c000-000000000046")
ACTIVATION = uuid.UUID("4d9f4ab8-7d1c-11cf-861e-0020af6e7c57")
PASSAGE = uuid.UUID("91ae6020-9e3c-11cf-8d7c-00aa00c091be")
SVCCTL = uuid.UUID("367abb81-9844-35f1-ad32-98f038001003")
IN_PROPS = (uuid.UUID("000001a2-0000-0000-c000-000000000046"), uuid.UUID("00000338-0000-0000-c000-000000000046"))
OUT_PROPS = (uuid.UUID("000001a3-0000-0000-c000-000000000046"), uuid.UUID("00000339-0000-0000-c000-000000000046"))
PROPS_OUT_INFO = uuid.UUID("00000339-0000-0000-c000-000000000046")
SCM_REPLY = uuid.UUID("000001b6-0000-0000-c000-000000000046")
INSTANTIATION = uuid.UUID("000001ab-0000-0000-c000-000000000046")

BIND, BIND_ACK, BIND_NAK, ALTER, ALTER_RESP, AUTH3, REQUEST, RESPONSE, FAULT = 11, 12, 13, 14, 15, 16, 0, 2, 3
FIRST_LAST, HEADER_SIGN, MPX = 3, 4, 0x10
NTLM, KERBEROS, SPNEGO = 10, 16, 9


class Fault(Exception):
    """Ends a call with a fault PDU."""

    def __init__(self, status: int) -> None:
        super().__init__(hex(status))
        self.status = status


class CaStandin:
    """One CA host on one loopback address. Use as context manager. ``log`` holds what happened, as dictionaries."""

    def __init__(
        self,
        ca: CaData | None = None,
        faults: Faults | None = None,
        *,
        address: str = "127.0.0.1",
        mapper_port: int = 0,
        users_file: str | None = None,
    ) -> None:
        """``users_file`` has lines ``DOMAIN:user:password`` for NTLM (NTLM_USER_FILE is read by the acceptor)."""
        self.ca = ca or CaData()
        self.faults = faults or Faults()
        self.log: list[dict[str, Any]] = []
        self.references: dict[uuid.UUID, int] = {}
        self.objects: dict[uuid.UUID, uuid.UUID] = {}
        self.oxid = random.getrandbits(63)
        self.rem_unknown = uuid.uuid4()
        self.users_file = users_file
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.mapper = self._listen(address, mapper_port)
        self.process = self._listen(address, 0)
        self.mapper_port: int = self.mapper.getsockname()[1]
        self.process_port: int = self.process.getsockname()[1]
        if self.faults.process_closed:
            self.process.close()
        self._fillers: list[socket.socket] = []
        if self.faults.process_drops_syn:
            self._drop_further_connections()

    def _drop_further_connections(self) -> None:
        """A full backlog drops further SYNs, as a firewall does."""
        self.process.listen(0)
        for _ in range(4):
            filler = socket.socket(self.process.family)
            filler.setblocking(False)
            filler.connect_ex(self.process.getsockname())
            self._fillers.append(filler)

    @staticmethod
    def _listen(address: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
        return listener

    def __enter__(self) -> CaStandin:
        for listener, kind in ((self.mapper, "scm"), (self.process, "process")):
            if listener.fileno() >= 0 and not (kind == "process" and self._fillers):
                threading.Thread(target=self._accept, args=(listener, kind), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for filler in self._fillers:
            filler.close()
        for listener in (self.mapper, self.process):
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        with self._lock:
            for sock in self._open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    @property
    def is_busy(self) -> bool:
        """Whether a connection is still served."""
        return bool(self._open)

    def note(self, **entry: Any) -> None:
        with self._lock:
            self.log.append(entry)

    def calls(self) -> list[str]:
        return [entry["method"] for entry in self.log if "method" in entry]

    def _accept(self, listener: socket.socket, kind: str) -> None:
        while not self._stop.is_set():
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            self.note(event="connection", kind=kind, peer=peer[0])
            threading.Thread(target=self._serve, args=(sock, kind), daemon=True).start()

    def _serve(self, sock: socket.socket, kind: str) -> None:
        with self._lock:
            self._open.add(sock)
        try:
            if (kind == "scm" and self.faults.mapper_silent) or (kind == "process" and self.faults.process_silent):
                self._stop.wait(60)
                return
            if kind == "scm" and self.faults.mapper_banner is not None:
                sock.sendall(self.faults.mapper_banner)
                return
            Session(self, sock, kind).run()
        except (OSError, EOFError):
            pass
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def wait(self, seconds: float) -> None:
        self._stop.wait(seconds)


class Session:
    """One connection: its contexts, its security, its requests."""

    def __init__(self, server: CaStandin, sock: socket.socket, kind: str) -> None:
        self.server = server
        self.faults = server.faults
        self.sock = sock
        self.kind = kind
        self.contexts: dict[int, uuid.UUID] = {}
        self.acceptor: Any = None
        self.auth: tuple[int, int, int] | None = None  # type, level, context id
        self.failed = False
        self.header_sign = False
        self.stage = "bind-scm" if kind == "scm" else "bind-process"
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # -- reading and writing

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def send(self, data: bytes, stage: str) -> None:
        faults = self.faults
        if faults.delay:
            time.sleep(faults.delay)
        if faults.silent_on == stage:
            self.server.wait(60)
            raise EOFError
        if faults.close_on == stage:
            raise EOFError
        if faults.garbage_on == stage:
            data = random.Random(7).randbytes(len(data))
        if faults.lying_length_on == stage:
            data = data[:8] + struct.pack("<H", len(data) + 400) + data[10:]
        if faults.half_reply_on == stage:
            self.sock.sendall(data[: len(data) // 2])
            raise EOFError
        if faults.flipped_bit_on and faults.flipped_bit_on[0] == stage:
            at = faults.flipped_bit_on[1] % (len(data) * 8)
            data = data[: at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1 :]
        if faults.mutate_bytes is not None:
            data = faults.mutate_bytes(stage, data)
        if faults.trickle:
            for index in range(len(data)):
                self.sock.sendall(data[index : index + 1])
                if index < 40:
                    time.sleep(faults.trickle_pause)
            return
        self.sock.sendall(data)

    def run(self) -> None:
        while True:
            head = self.read(16)
            _, _, kind, flags, _, size, auth_size, call_id = struct.unpack("<BBBB4sHHI", head)
            rest = self.read(size - 16)
            trailer, value, body = None, b"", rest
            if auth_size:
                at = len(rest) - auth_size - 8
                trailer, value, body = struct.unpack_from("<BBBBI", rest, at), rest[at + 8 :], rest[:at]
            if kind in (BIND, ALTER):
                self.bind(kind, flags, call_id, body, trailer, value)
            elif kind == AUTH3:
                self.step(value)
            elif kind == REQUEST:
                self.request(flags, call_id, head, body, trailer, value, rest)

    # -- association

    def bind(self, kind: int, flags: int, call_id: int, body: bytes, trailer: Any, value: bytes) -> None:
        stage = self.stage
        self.server.note(
            event="bind" if kind == BIND else "alter", kind=self.kind, auth=trailer[:2] if trailer else None
        )
        if self.faults.bind_nak is not None and trailer:
            self.send(pdu(BIND_NAK, FIRST_LAST, call_id, struct.pack("<HBxx", self.faults.bind_nak, 0)), stage)
            return
        if self.faults.only_spnego and trailer and trailer[0] != SPNEGO:
            self.send(pdu(BIND_NAK, FIRST_LAST, call_id, struct.pack("<HBxx", 8, 0)), stage)
            return
        reader = In(body)
        reader.take(8)
        results = b""
        for _ in range(struct.unpack("<B3x", reader.take(4))[0]):
            context, syntaxes = struct.unpack("<HBx", reader.take(4))
            abstract = uuid.UUID(bytes_le=reader.take(16))
            reader.take(4)
            offered = [reader.take(20) for _ in range(syntaxes)]
            results += self.judge(context, abstract, offered)
        token = b""
        if trailer:
            if kind == BIND or self.acceptor is None or self.acceptor.complete:
                # a client may authenticate anew with each alter_context, under another auth context id
                self.auth = (trailer[0], trailer[1], trailer[4])
                self.make_acceptor(trailer[0])
            if kind == BIND:
                self.header_sign = bool(flags & HEADER_SIGN)
            token = self.step(value)
            if self.failed and trailer[0] == SPNEGO:
                self.send(pdu(FAULT, FIRST_LAST, call_id, struct.pack("<IHBxII", 0, 0, 0, 5, 0)), stage)
                return
        address = f"{self.sock.getsockname()[1]}\0".encode() if kind == BIND else b""
        ack = struct.pack("<HHIH", 5840, 5840, 0x1234, len(address)) + address
        ack += b"\0" * (-len(ack) % 4) + struct.pack("<B3x", len(results) // 24) + results
        out_flags = FIRST_LAST | (HEADER_SIGN if self.header_sign else 0)
        if flags & MPX and self.faults.multiplexing:
            out_flags |= MPX
        auth = b""
        if token and self.auth:
            auth = struct.pack("<BBBBI", self.auth[0], self.auth[1], 0, 0, self.auth[2]) + token
        self.send(pdu(BIND_ACK if kind == BIND else ALTER_RESP, out_flags, call_id, ack, auth, len(token)), stage)

    def judge(self, context: int, abstract: uuid.UUID, offered: list[bytes]) -> bytes:
        if offered and offered[0][:8] == FEATURES[:8]:
            return struct.pack("<HH", 3, 3) + bytes(20)
        scm = {EXPORTER, ACTIVATOR, ACTIVATION, EPM}
        if self.faults.only_remote_activation:
            scm.discard(ACTIVATOR)
        own = {REQUEST_D, ADMIN_D, REM_UNKNOWN, REM_UNKNOWN2, PASSAGE, SVCCTL}
        if not self.faults.only_old_interfaces:
            own |= {REQUEST_D2, ADMIN_D2}
        known = scm if self.kind == "scm" else own
        names = {REQUEST_D2: "ICertRequestD2", ADMIN_D2: "ICertAdminD2"}
        names |= {ACTIVATOR: "IRemoteSCMActivator", ACTIVATION: "IActivation"}
        if abstract not in known or names.get(abstract) in self.faults.reject_interfaces:
            return struct.pack("<HH", 2, 1) + bytes(20)
        if NDR.bytes_le not in [item[:16] for item in offered]:
            return struct.pack("<HH", 2, 2) + bytes(20)
        self.contexts[context] = abstract
        return struct.pack("<HH", 0, 0) + NDR.bytes_le + struct.pack("<I", 2)

    def make_acceptor(self, kind: int) -> None:
        import spnego

        if self.server.users_file:
            os.environ["NTLM_USER_FILE"] = self.server.users_file
        protocol = {NTLM: "ntlm", KERBEROS: "kerberos", SPNEGO: "negotiate"}[kind]
        request = spnego.ContextReq.default | spnego.ContextReq.dce_style
        self.acceptor = spnego.server(hostname="", service="host", protocol=protocol, context_req=request)

    def step(self, value: bytes) -> bytes:
        from spnego.exceptions import SpnegoError

        try:
            if self.auth and self.auth[0] == NTLM:
                return ntlm.accept(self.acceptor, value)
            return self.acceptor.step(value) or b""
        except (SpnegoError, ValueError, KeyError, struct.error):
            self.failed = True  # NTLM says nothing here: the first call is refused
            return b""

    # -- requests

    def request(
        self, flags: int, call_id: int, head: bytes, body: bytes, trailer: Any, value: bytes, rest: bytes
    ) -> None:
        _, context, opnum = struct.unpack_from("<IHH", body)
        at = 8
        ipid = None
        if flags & 0x80:
            ipid = uuid.UUID(bytes_le=body[8:24])
            at = 24
        interface = self.contexts.get(context)
        try:
            if interface is None:
                raise Fault(0x1C010003)
            stub = self.open_request(head, body, at, trailer, value, rest)
            stage, answer = self.dispatch(interface, opnum, ipid, stub)
        except Fault as fault:
            self.server.note(event="fault", status=fault.status, interface=str(interface), opnum=opnum)
            self.send(pdu(FAULT, FIRST_LAST, call_id, struct.pack("<IHBxII", 0, context, 0, fault.status, 0)), "fault")
            return
        self.respond(call_id, context, answer, stage)

    def open_request(self, head: bytes, body: bytes, at: int, trailer: Any, value: bytes, rest: bytes) -> bytes:
        if self.auth is None:
            return body[at:]
        if self.failed or self.faults.refuse_logon or not self.acceptor.complete:
            raise Fault(5)
        if trailer is None or trailer[1] < 6:
            raise Fault(5)
        from spnego.exceptions import SpnegoError
        from spnego.iov import BufferType

        tail = rest[len(body) : len(body) + 8]
        parts = [
            (BufferType.sign_only, head + body[:at]),
            body[at:],
            (BufferType.sign_only, tail),
            (BufferType.header, value),
        ]
        try:
            plain = self.acceptor.unwrap_iov(parts).buffers[1].data
        except (SpnegoError, ValueError) as error:
            raise Fault(0x721) from error
        return plain[: len(plain) - trailer[2]]

    def respond(self, call_id: int, context: int, stub: bytes, stage: str) -> None:
        faults = self.faults
        if faults.wrong_call_id_on == stage:
            call_id += 77
        if faults.wrong_context_on == stage:
            context += 5
        if faults.mutate_stub is not None:
            stub = faults.mutate_stub(stage, stub)
        size = faults.fragment_size or 5700
        pieces = [stub[i : i + size] for i in range(0, len(stub), size)] or [b""]
        data = b""
        for index, piece in enumerate(pieces):
            last = index == len(pieces) - 1 and faults.endless_fragments_on != stage
            data += self.fragment(call_id, context, piece, stage, first=index == 0, last=last)
        self.send(data, stage)
        while faults.endless_fragments_on == stage:
            self.sock.sendall(self.fragment(call_id, context, bytes(4000), stage, first=False, last=False))

    def fragment(self, call_id: int, context: int, piece: bytes, stage: str, *, first: bool, last: bool) -> bytes:
        flags = (1 if first else 0) | (2 if last else 0)
        prefix = struct.pack("<IHBx", len(piece), context, 0)
        if self.auth is None or self.faults.plaintext_on == stage:
            return pdu(RESPONSE, flags, call_id, prefix + piece)
        from spnego.iov import BufferType

        pad = -len(piece) % 16
        level = 5 if self.faults.lower_level_on == stage else self.auth[1]
        tail = struct.pack("<BBBBI", self.auth[0], level, pad, 0, self.auth[2])
        signature_size = self.acceptor.query_message_sizes().header
        total = 24 + len(piece) + pad + 8 + signature_size
        head = struct.pack("<BBBB4sHHI", 5, 0, RESPONSE, flags, b"\x10\0\0\0", total, signature_size, call_id) + prefix
        result = self.acceptor.wrap_iov(
            [(BufferType.sign_only, head), piece + bytes(pad), (BufferType.sign_only, tail), BufferType.header]
        )
        sealed, signature = result.buffers[1].data, result.buffers[3].data
        if self.faults.bad_signature_on == stage:
            signature = signature[:-1] + bytes([signature[-1] ^ 0xFF])
        return head + sealed + tail + signature

    # -- interfaces

    def dispatch(self, interface: uuid.UUID, opnum: int, ipid: uuid.UUID | None, stub: bytes) -> tuple[str, bytes]:
        reader = In(stub)
        try:
            if interface == EXPORTER:
                return "alive", self.exporter(opnum)
            if interface == EPM:
                return "map", self.endpoint_map(opnum, reader)
            if interface == ACTIVATOR:
                return "activate", self.create_instance(opnum, reader)
            if interface == ACTIVATION:
                return "activate", self.remote_activation(opnum, reader)
            if interface in (REM_UNKNOWN, REM_UNKNOWN2):
                return "release", self.rem_unknown(opnum, ipid, reader)
            if interface == SVCCTL:
                return "svcctl", self.service_control(opnum, reader)
            return "call", self.ca_call(interface, opnum, ipid, reader)
        except Bad as error:
            self.server.note(event="bad stub", error=str(error), opnum=opnum)
            raise Fault(0x6F7) from error
        except LookupError as error:
            raise Fault(0x1C010002) from error

    def exporter(self, opnum: int) -> bytes:
        if opnum not in (3, 5):
            raise LookupError
        self.server.note(method="ServerAlive2" if opnum == 5 else "ServerAlive", protected=self.auth is not None)
        if opnum == 3:
            return bytes(4)
        array = dual_string_array(((7, "CA1"), (7, "10.0.0.9")), ((9, ""), (10, ""), (16, "")))
        out = Out().put("H", 5, 7).ref().put("I", struct.unpack_from("<H", array)[0]).add(array)
        return bytes(out.put("I", 0, 0).data)

    def endpoint_map(self, opnum: int, reader: In) -> bytes:
        if opnum != 3:
            raise LookupError
        if reader.get("I"):
            reader.take(16)
        reader.get("I")
        size = reader.get("I")
        if reader.get("I") != size:
            raise Bad("tower lengths")
        tower = reader.take(size)
        wanted = uuid.UUID(bytes_le=tower[5:21])
        self.server.note(method="ept_map", interface=str(wanted))
        known = {PASSAGE: self.faults.registered, SVCCTL: True}
        if not known.get(wanted, False):
            return bytes(Out(bytes(20)).put("I", 0, 4, 0, 0, 0x16C9A0D6).data)
        floors = tower[: tower.rindex(b"\x01\x00\x07")]
        answer = floors + b"\x01\x00\x07\x02\x00" + struct.pack(">H", self.server.process_port)
        answer += b"\x01\x00\x09\x04\x00\x7f\x00\x00\x01"
        out = Out(bytes(20)).put("I", 1, 4, 0, 1).ref().put("I", len(answer), len(answer)).add(answer)
        return bytes(out.put("I", 0).data)

    def caller(self) -> str:
        return str(self.acceptor.client_principal or "") if self.acceptor else ""

    def _may_activate(self) -> None:
        if self.auth is None or self.auth[1] < 5 or self.faults.dcom_denied:
            raise Fault(5)

    def create_instance(self, opnum: int, reader: In) -> bytes:
        if opnum != 4:
            raise LookupError
        reader.orpc_this()
        if reader.get("I"):
            raise Bad("pUnkOuter")
        if not reader.get("I"):
            raise Bad("no properties")
        size = reader.get("I")
        if reader.get("I") != size:
            raise Bad("interface pointer lengths")
        clsid, iid = self.wanted(reader.take(size))
        self._may_activate()
        key = "admin" if clsid == ADMIN_CLASS else "request"
        self.server.note(method="RemoteCreateInstance", what=key, level=self.auth[1] if self.auth else 1)
        if key in self.faults.activate_fault:
            raise Fault(self.faults.activate_fault[key])
        code = self.activation_code(clsid, iid, key)
        if code:
            return bytes(Out(ORPC_THAT).put("I", 0, code).data)
        return self.activation_reply(iid, self.new_object(clsid))

    def activation_code(self, clsid: uuid.UUID, iid: uuid.UUID, key: str) -> int:
        if key in self.faults.activate_hresult:
            return self.faults.activate_hresult[key]
        if clsid not in (REQUEST_CLASS, ADMIN_CLASS):
            return 0x80040154
        newer = iid in (REQUEST_D2, ADMIN_D2)
        if CLASS_OF.get(iid) != clsid or (newer and self.faults.only_old_interfaces):
            return 0x80004002
        return 0

    def new_object(self, clsid: uuid.UUID) -> uuid.UUID:
        ipid = uuid.uuid4()
        self.server.objects[ipid] = clsid
        self.server.references[ipid] = 5
        return ipid

    @staticmethod
    def wanted(objref: bytes) -> tuple[uuid.UUID, uuid.UUID]:
        """Class and interface out of the activation properties, as a server reads them (MS-DCOM 3.1.2.5.2.3.3)."""
        if objref[:8] != b"MEOW\x04\0\0\0" or objref[8:40] != IN_PROPS[0].bytes_le + IN_PROPS[1].bytes_le:
            raise Bad("not the activation properties")
        blob = objref[48:]
        (length,) = struct.unpack_from("<I", blob)
        data = blob[8:]
        if length != len(data):
            raise Bad("dwSize")
        total, header_size, _, context, count = struct.unpack_from("<IIIII", data, 16)
        if total != len(data) or context != 2 or data[:4] != b"\x01\x10\x08\0":
            raise Bad("custom header")
        at = 16 + 20 + 16 + 12
        (announced,) = struct.unpack_from("<I", data, at)
        clsids = [uuid.UUID(bytes_le=data[at + 4 + 16 * i : at + 20 + 16 * i]) for i in range(announced)]
        at += 4 + 16 * announced
        sizes = struct.unpack_from(f"<{count}I", data, at + 4)
        if announced != count or header_size + sum(sizes) != total:
            raise Bad("property sizes")
        at = header_size
        found = None
        for clsid, size in zip(clsids, sizes, strict=True):
            if clsid == INSTANTIATION:
                body = data[at + 16 : at + size]
                wanted = uuid.UUID(bytes_le=body[:16])
                if struct.unpack_from("<I", body, 28)[0] != 1:
                    raise Bad("one interface is asked for")
                found = wanted, uuid.UUID(bytes_le=body[52:68])
            at += size
        if found is None:
            raise Bad("InstantiationInfo is required")
        return found

    def bindings(self) -> bytes:
        own = self.faults.bindings
        if own is None:
            own = ((7, f"CA1[{self.server.process_port}]"), (7, f"10.0.0.9[{self.server.process_port}]"))
        return dual_string_array(own, ((10, "NT AUTHORITY\\SYSTEM"), (16, "host/ca1.lab.test")))

    def standard_objref(self, iid: uuid.UUID, ipid: uuid.UUID) -> bytes:
        resolver = dual_string_array(((7, "CA1"),), ((9, ""), (10, "")))
        head = b"MEOW" + struct.pack("<I", 1) + iid.bytes_le + struct.pack("<IIQQ", 0, 5, self.server.oxid, 77)
        return head + ipid.bytes_le + resolver

    def activation_reply(self, iid: uuid.UUID, ipid: uuid.UUID) -> bytes:
        objref = self.standard_objref(iid, ipid)
        out = Out().put("I", 1).ref().ref().ref().put("I", 1).guid(iid).put("I", 1, 0).put("I", 1).ref()
        lie = 0x01000000 if self.faults.lying_count_on == "activate" else 0
        props_out = bytes(out.pad(4).put("I", len(objref) + lie, len(objref) + lie).add(objref).data)
        array = self.bindings()
        reply = Out().put("I", 0).ref().put("Q", self.server.oxid).ref().guid(self.server.rem_unknown)
        reply.put("I", self.faults.authn_hint).put("H", 5, 7).put("I", struct.unpack_from("<H", array)[0]).add(array)
        properties = [(PROPS_OUT_INFO, props_out), (SCM_REPLY, bytes(reply.data))]
        if self.faults.unknown_property:
            properties.insert(0, (uuid.uuid4(), b"\x55" * 40))
        if self.faults.properties_reversed:
            properties.reverse()
        blob = self.properties_blob(properties)
        custom = b"MEOW" + struct.pack("<I", 4) + OUT_PROPS[0].bytes_le + OUT_PROPS[1].bytes_le
        custom += struct.pack("<II", 0, len(blob) + 8) + blob
        out = Out(ORPC_THAT).ref().put("I", len(custom), len(custom)).add(custom)
        return bytes(out.put("I", 0).data)

    @staticmethod
    def properties_blob(properties: list[tuple[uuid.UUID, bytes]]) -> bytes:
        bodies = []
        for _, data in properties:
            padded = data + b"\xaa" * (-len(data) % 8)
            bodies.append(b"\x01\x10\x08\0\xcc\xcc\xcc\xcc" + struct.pack("<II", len(padded), 0) + padded)
        count = len(properties)
        head = struct.pack("<I", count) + b"".join(clsid.bytes_le for clsid, _ in properties)
        head += struct.pack("<I", count) + struct.pack(f"<{count}I", *(len(body) for body in bodies))
        fixed = 20 + 16 + 12
        header_size = 16 + fixed + len(head)
        header_size += -header_size % 8
        total = header_size + sum(map(len, bodies))
        custom = struct.pack("<IIIII", total, header_size, 0, 2, count) + bytes(16) + struct.pack("<III", 0x11, 0x22, 0)
        custom += head
        custom += bytes(header_size - 16 - len(custom))
        data = b"\x01\x10\x08\0\xcc\xcc\xcc\xcc" + struct.pack("<II", len(custom), 0) + custom + b"".join(bodies)
        return struct.pack("<II", len(data), 0) + data

    def remote_activation(self, opnum: int, reader: In) -> bytes:
        if opnum != 0:
            raise LookupError
        reader.orpc_this()
        clsid = reader.guid()
        if reader.get("I") or reader.get("I"):
            raise Bad("no object name or storage is expected")
        reader.get("I")
        reader.get("I")
        reader.get("I")
        reader.get("I")
        reader.get("I")
        iid = reader.guid()
        self._may_activate()
        key = "admin" if clsid == ADMIN_CLASS else "request"
        self.server.note(method="RemoteActivation", what=key)
        code = self.activation_code(clsid, iid, key)
        out = Out(ORPC_THAT)
        if code:
            out.put("Q", 0).put("I", 0).add(bytes(16)).put("I", 0).put("H", 5, 7).put("I", code, 1, 0, 1, code, 0)
            return bytes(out.data)
        ipid = self.new_object(clsid)
        array = self.bindings()
        objref = self.standard_objref(iid, ipid)
        out.put("Q", self.server.oxid).ref().put("I", struct.unpack_from("<H", array)[0]).add(array)
        out.guid(self.server.rem_unknown).put("I", self.faults.authn_hint).put("H", 5, 7).put("I", 0)
        out.put("I", 1).ref().put("I", len(objref), len(objref)).add(objref).put("I", 1, 0, 0)
        return bytes(out.data)

    def ca_call(self, interface: uuid.UUID, opnum: int, ipid: uuid.UUID | None, reader: In) -> bytes:
        calls = Calls(self.server.ca, self.faults)
        name = calls.name_of(interface, opnum)
        key = "admin" if interface in (ADMIN_D, ADMIN_D2) else "request"
        level = self.auth[1] if self.auth else 1
        self.server.note(method=name, what=key, level=level, caller=self.caller())
        if ipid is None or ipid not in self.server.objects:
            raise Fault(0x80010108)
        if self.server.objects[ipid] != CLASS_OF.get(interface):
            raise Fault(0x80010114)
        if self.faults.disconnect_times > 0:
            self.faults.disconnect_times -= 1
            self.server.objects.pop(ipid)
            raise Fault(0x80010108)
        for name_key in (f"{key}.{name}", key):
            if name_key in self.faults.call_fault:
                raise Fault(self.faults.call_fault[name_key])
        return calls.call(interface, opnum, reader, self.caller())

    def rem_unknown(self, opnum: int, ipid: uuid.UUID | None, reader: In) -> bytes:
        if opnum != 5:
            raise LookupError
        if ipid != self.server.rem_unknown:
            raise Fault(0x80010108)
        reader.orpc_this()
        count = reader.get("H")
        if reader.get("I") != count:
            raise Bad("RemRelease counts")
        for _ in range(count):
            which, public, _private = reader.guid(), reader.get("I"), reader.get("I")
            self.server.references[which] = self.server.references.get(which, 0) - public
            if self.server.references[which] <= 0:
                self.server.objects.pop(which, None)
        self.server.note(method="RemRelease", count=count)
        return bytes(Out(ORPC_THAT).put("I", 0).data)

    def service_control(self, opnum: int, reader: In) -> bytes:
        names = {15: "ROpenSCManagerW", 16: "ROpenServiceW", 6: "RQueryServiceStatus", 0: "RCloseServiceHandle"}
        self.server.note(method=names.get(opnum, "?"), caller=self.caller())
        allowed = self.caller().lower() in self.server.ca.admins
        if opnum == 15:
            reader.unique_text()
            reader.unique_text()
            if reader.get("I") & ~1:
                raise Bad("more rights than needed")
            return (b"\1" * 20 + bytes(4)) if allowed else bytes(20) + struct.pack("<I", 5)
        handle = reader.take(20)
        if handle not in (b"\1" * 20, b"\2" * 20):
            raise Bad("handle")
        if opnum == 16:
            name = reader.text()
            reader.get("I")
            return (b"\2" * 20 + bytes(4)) if name == "CertSvc" else bytes(20) + struct.pack("<I", 1060)
        if opnum == 6:
            return struct.pack("<8I", 0x10, self.server.ca.service_state, 5, 0, 0, 0, 0, 0)
        if opnum == 0:
            return bytes(24)
        raise LookupError
