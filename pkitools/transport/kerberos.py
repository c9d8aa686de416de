"""Kerberos through the system's library: tickets from password, hash, key or keytab, and where the KDCs are.

The first ticket comes over a connection of ours under a deadline, with impacket's AS exchange; it is kept in a cache in
memory. The system's library then does the rest. Its configuration is extended, not replaced, by a file in memory, and
only while a context is set up: the library reads the environment of the whole process.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from types import FunctionType
from typing import Any, TypeVar

from pkitools.errors import (
    ConnectError,
    DeadlineExceededError,
    FormatError,
    InputError,
    MissingDependencyError,
    ProtocolError,
)
from pkitools.protocol.krb5_ccache import PrincipalName, TicketRecord, pack_cache
from pkitools.transport.credentials import Credentials
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.logon_errors import kerberos_refusal
from pkitools.transport.stream import Stream
from pkitools.transport.tcp import connect

T = TypeVar("T")

KDC_PORT = 88
_MAX_REPLY_BYTES = 1024 * 1024
_AES_ENCTYPES = {32: 17, 64: 18}
_ENCTYPE_ORDER = (18, 17, 23)
_ENVIRONMENT = threading.Lock()
_REALM = re.compile(r"[\w.-]{1,255}")


def is_realm(name: str) -> bool:
    """Whether a name can be a realm. Servers tell theirs before they have proven anything, and it goes into a file of
    settings, where a line break or a bracket would be settings of theirs."""
    return bool(_REALM.fullmatch(name))


def require_library() -> None:
    """Raises MissingDependencyError when the system's Kerberos library cannot be used from Python."""
    try:
        import gssapi  # noqa: F401
        import krb5  # noqa: F401
    except (ImportError, OSError) as error:
        raise MissingDependencyError(
            "Kerberos needs the extra 'kerberos' (gssapi and krb5), which is not installed",
            hint="pip install 'pkitools[kerberos]' (it needs libkrb5-dev and a compiler), or use --auth ntlm",
        ) from error


class TicketCache:
    """Tickets in the memory of this process, seen by nobody else. ``name`` is what the Kerberos library calls it."""

    def __init__(self, ccache: bytes) -> None:
        """``ccache`` is a credential cache in MIT's file format."""
        import krb5

        context = krb5.init_context()
        with memory_file(ccache) as path:
            source = krb5.cc_resolve(context, b"FILE:" + path.encode())
            self._cache = krb5.cc_new_unique(context, b"MEMORY")
            krb5.cc_initialize(context, self._cache, krb5.cc_get_principal(context, source))
            for credential in source:
                krb5.cc_store_cred(context, self._cache, credential)
        self._context = context
        self.name = f"MEMORY:{self._cache.name.decode()}"

    def destroy(self) -> None:
        """Removes the tickets."""
        import krb5

        krb5.cc_destroy(self._context, self._cache)


def fetch_ticket(credentials: Credentials, realm: str, kdcs: Sequence[Endpoint], deadline: Deadline) -> bytes:
    """A ticket-granting ticket for the account, as a credential cache in MIT's file format.

    Raises LogonRefusedError and AuthenticationError with the KDC's reason, NoAnswerError when no KDC answers.
    """
    from impacket.krb5 import kerberosv5
    from impacket.krb5.crypto import InvalidChecksum
    from impacket.krb5.types import Principal
    from pyasn1.error import PyAsn1Error

    where = f"the KDC of {realm}"
    refused = f"{where} refused {credentials.who}"
    secret = _secret_arguments(credentials, realm)
    client = Principal(credentials.name, type=1)
    exchange = _bound_exchange(lambda data: _ask(data, kdcs, deadline))
    try:
        reply, _, reply_key, _ = exchange(client, domain=realm, lmhash=b"", **secret)
        return _cache_of(reply, reply_key)
    except kerberosv5.KerberosError as error:
        raise kerberos_refusal(int(error.getErrorCode()), refused, _status(error.getErrorPacket())) from error
    except (InvalidChecksum, kerberosv5.SessionKeyDecryptionError) as error:
        raise kerberos_refusal(31, refused) from error
    except (PyAsn1Error, ValueError, TypeError, KeyError, IndexError, struct.error, OverflowError) as error:
        # what impacket's decoder makes of an answer that is not Kerberos
        raise ProtocolError(f"{where} sent an answer that cannot be read") from error


def _bound_exchange(ask: Callable[[bytes], bytes]) -> Callable[..., tuple[Any, Any, Any, Any]]:
    """impacket's getKerberosTGT with its socket, which knows no timeout, replaced by ``ask``; nothing is patched."""
    from impacket.krb5 import kerberosv5

    def send_receive(data: bytes, _host: str, _kdc: str | None, _port: int = KDC_PORT) -> bytes:
        from impacket.krb5.asn1 import KRB_ERROR
        from pyasn1.codec.der import decoder
        from pyasn1.error import PyAsn1Error

        reply = ask(data)
        try:
            packet = decoder.decode(reply, asn1Spec=KRB_ERROR())[0]
        except PyAsn1Error:
            return reply
        error = kerberosv5.KerberosError(packet=packet)
        if error.getErrorCode() != 25:  # KDC_ERR_PREAUTH_REQUIRED carries the salt
            raise error
        return reply

    original = kerberosv5.getKerberosTGT
    names = {**vars(kerberosv5), "sendReceive": send_receive}
    bound = FunctionType(original.__code__, names, original.__name__, original.__defaults__, original.__closure__)
    names["getKerberosTGT"] = bound  # it calls itself for older encryption types
    return bound


def _cache_of(reply: bytes, reply_key: Any) -> bytes:
    """The credential cache for an AS-REP. impacket's own writer fails without a start time, which is optional."""
    from impacket.krb5.asn1 import AS_REP, EncASRepPart, Ticket
    from impacket.krb5.crypto import _enctype_table
    from pyasn1.codec.der import decoder, encoder

    answer = decoder.decode(reply, asn1Spec=AS_REP())[0]
    cipher = _enctype_table[int(answer["enc-part"]["etype"])]
    plain = cipher.decrypt(reply_key, 3, bytes(answer["enc-part"]["cipher"]))  # key usage 3, RFC 4120 7.5.1
    part = decoder.decode(plain, asn1Spec=EncASRepPart())[0]
    client = _principal(answer["cname"], answer["crealm"])
    authenticated = _time(part["authtime"])
    record = TicketRecord(
        client=client,
        server=_principal(part["sname"], part["srealm"]),
        enctype=int(part["key"]["keytype"]),
        session_key=bytes(part["key"]["keyvalue"]),
        auth_time=authenticated,
        start_time=_time(part["starttime"]) if part["starttime"].hasValue() else authenticated,
        end_time=_time(part["endtime"]),
        renew_till=_time(part["renew-till"]) if part["renew-till"].hasValue() else None,
        flags=int("".join(str(bit) for bit in part["flags"])[:32].ljust(32, "0"), 2),
        ticket=bytes(encoder.encode(answer["ticket"].clone(tagSet=Ticket.tagSet, cloneValueFlag=True))),
    )
    return pack_cache(client, [record])


def _principal(name: Any, realm: Any) -> PrincipalName:
    return PrincipalName(int(name["name-type"]), bytes(realm), tuple(bytes(item) for item in name["name-string"]))


def _time(value: Any) -> datetime:
    return datetime.strptime(str(value), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _secret_arguments(credentials: Credentials, realm: str) -> dict[str, Any]:
    if credentials.keytab is not None:
        return _keytab_key(credentials, realm)
    if credentials.aes_key is not None:
        return {"password": "", "nthash": b"", "aesKey": bytes.fromhex(credentials.aes_key.reveal())}
    if credentials.nt_hash_digits is not None:
        return {"password": "", "nthash": bytes.fromhex(credentials.nt_hash_digits.reveal())}
    if credentials.password is not None:
        return {"password": credentials.password.reveal(), "nthash": b""}
    raise InputError("a Kerberos ticket needs a password, a hash, a key or a keytab", hint="give one, or run kinit")


def _keytab_key(credentials: Credentials, realm: str) -> dict[str, Any]:
    from impacket.krb5.keytab import Keytab

    from pkitools.files.reading import read_capped

    path = credentials.keytab
    assert path is not None
    data = read_capped(path)
    try:
        entries = [entry.main_part for entry in Keytab(data).entries]
        keys = {
            entry["keyblock"]["keytype"]: bytes(entry["keyblock"]["keyvalue"]["data"])
            for entry in entries
            if _same_principal(entry["principal"].prettyPrint(), credentials.name, realm)
        }
    except (struct.error, ValueError, TypeError, KeyError, IndexError, UnicodeDecodeError) as error:
        raise FormatError(
            f"{str(path)!r} is not a keytab", hint="ktutil or klist -k shows what is in a keytab"
        ) from error
    enctype = next((item for item in _ENCTYPE_ORDER if item in keys), None)
    if enctype is None:
        raise InputError(
            f"the keytab {str(path)!r} holds no key of {credentials.name}@{realm}",
            hint="klist -ke shows its principals",
        )
    if enctype == 23:
        return {"password": "", "nthash": keys[enctype]}
    return {"password": "", "nthash": b"", "aesKey": keys[enctype]}


def _same_principal(written: str | bytes, name: str, realm: str) -> bool:
    text = written.decode("utf-8", "replace") if isinstance(written, bytes) else written
    found, _, found_realm = text.rpartition("@")
    return found.casefold() == name.casefold() and found_realm.casefold() == realm.casefold()


def _ask(data: bytes, kdcs: Sequence[Endpoint], deadline: Deadline) -> bytes:
    """One exchange over TCP (RFC 4120 7.2.2) with the first KDC that answers."""
    stream: Stream = connect(kdcs, deadline).stream
    try:
        stream.send(struct.pack(">I", len(data)) + data, deadline)
        length = struct.unpack(">I", _read(stream, 4, deadline))[0]
        if length > _MAX_REPLY_BYTES:
            raise ProtocolError(f"the KDC announces an answer of {length} bytes")
        return _read(stream, length, deadline)
    finally:
        stream.close()


def _read(stream: Stream, count: int, deadline: Deadline) -> bytes:
    data = b""
    while len(data) < count:
        more = stream.receive(count - len(data), deadline)
        if not more:
            raise ConnectError("the KDC closed the connection in the middle of an answer", hint="try another --server")
        data += more
    return data


def _status(packet: Any) -> int | None:
    """The NTSTATUS in the e-data of a KRB-ERROR of Windows (MS-KILE 2.2.1 KERB-EXT-ERROR); None without one."""
    from impacket.krb5.asn1 import KERB_ERROR_DATA
    from pyasn1.codec.der import decoder
    from pyasn1.error import PyAsn1Error

    try:
        data = decoder.decode(packet["e-data"], asn1Spec=KERB_ERROR_DATA())[0]
        return int(struct.unpack("<I", data["data-value"].asOctets()[:4])[0])
    except (PyAsn1Error, struct.error, KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None


@contextlib.contextmanager
def memory_file(data: bytes) -> Iterator[str]:
    """The path of a file that exists in memory only, for the time of the block."""
    number = _memory_file(data)
    try:
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)


def _memory_file(data: bytes) -> int:
    number = os.memfd_create("pkitools", os.MFD_CLOEXEC)
    view = memoryview(data)
    while view:
        view = view[os.write(number, view) :]
    return number


class KerberosConfiguration:
    """What the Kerberos library shall know besides krb5.conf: KDCs by realm, and that names are taken as typed.

    The file lives in memory as long as this object: a context of the library looks at it again and again.
    """

    def __init__(self) -> None:
        self._realms: dict[str, tuple[str, ...]] = {}
        self._files: list[int] = []
        self._written = ""

    def add(self, realm: str, addresses: Sequence[str]) -> None:
        """The KDCs of a realm (a DNS domain in upper case) by numeric address. Raises InputError: no realm's name."""
        if not is_realm(realm):
            raise InputError(f"{realm!r} is no Kerberos realm", hint="give --domain or the user's domain as a DNS name")
        self._realms[realm] = tuple(addresses)

    def first_realm(self) -> str | None:
        """The realm that was told first: that of the directory."""
        return next(iter(self._realms), None)

    def kdcs(self, realm: str) -> tuple[str, ...]:
        """The addresses that were added."""
        return self._realms.get(realm, ())

    @contextlib.contextmanager
    def applied(self, deadline: Deadline) -> Iterator[None]:
        """The library reads this configuration within the block. One block at a time: the environment is shared."""
        waiting = "waiting for another Kerberos logon"
        if not _ENVIRONMENT.acquire(timeout=deadline.require(waiting)):
            deadline.require(waiting)
            raise DeadlineExceededError(f"timed out while {waiting}")
        before = os.environ.get("KRB5_CONFIG")
        try:
            if self._written != self.text():
                self._written = self.text()
                self._files.append(_memory_file(self._written.encode()))
            os.environ["KRB5_CONFIG"] = f"/proc/self/fd/{self._files[-1]}:{before or '/etc/krb5.conf'}"
            yield
        finally:
            if before is None:
                os.environ.pop("KRB5_CONFIG", None)
            else:
                os.environ["KRB5_CONFIG"] = before
            _ENVIRONMENT.release()

    def text(self) -> str:
        """The krb5.conf that says so."""
        lines = ["[libdefaults]", "rdns = false", "dns_canonicalize_hostname = false", "udp_preference_limit = 1"]
        if self._realms:
            lines.append(f"default_realm = {next(iter(self._realms))}")
        lines.append("[realms]")
        for realm, addresses in self._realms.items():
            hosts = [f"[{address}]" if ":" in address else address for address in addresses]
            lines += [f"{realm} = {{", *(f"  kdc = {host}" for host in hosts), "}"]
        lines.append("[domain_realm]")
        for realm in self._realms:
            lines += [f".{realm.lower()} = {realm}", f"{realm.lower()} = {realm}"]
        return "\n".join(lines) + "\n"

    def close(self) -> None:
        """Frees the memory."""
        while self._files:
            os.close(self._files.pop())


def default_realm() -> str | None:
    """The realm of the ticket that is there, else the default realm of krb5.conf; None without either."""
    try:
        import krb5
    except (ImportError, OSError):
        return None
    try:
        context = krb5.init_context()
        try:
            principal = krb5.cc_get_principal(context, krb5.cc_default(context))
            realm = principal.realm
        except krb5.Krb5Error:
            realm = krb5.get_default_realm(context)
        return str(realm.decode("utf-8", "replace")) or None
    except krb5.Krb5Error:
        return None
