"""Kerberos against KDCs that refuse, lie or say nothing; a real one is in tests/lab."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from impacket.krb5.asn1 import KRB_ERROR
from pyasn1.codec.der import encoder

from pkitools.errors import (
    AuthenticationError,
    ConnectError,
    DeadlineExceededError,
    FormatError,
    InputError,
    LogonRefusedError,
    MissingDependencyError,
    PkiToolsError,
    ProtocolError,
)
from pkitools.models.secret import Secret
from pkitools.transport import kerberos
from pkitools.transport.credentials import AuthMethod, Credentials
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.kerberos import KerberosConfiguration, fetch_ticket
from pkitools.transport.logon_errors import kerberos_refusal, windows_refusal
from pkitools.transport.security import ContextOptions, Logon, Target

CREDENTIALS = Credentials("björn@ad.example.test", Secret("Schlüssel-🔑"))
REALM = "AD.EXAMPLE.TEST"


@contextlib.contextmanager
def kdc(answer: Callable[[socket.socket, bytes], None]) -> Iterator[list[Endpoint]]:
    """A KDC on loopback: gets the request (without its length) and answers as the test wants."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError, struct.error):
                    length = struct.unpack(">I", connection.recv(4))[0]
                    answer(connection, connection.recv(length))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield [Endpoint(*listener.getsockname())]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def krb_error(code: int, e_data: bytes | None = None) -> bytes:
    error = KRB_ERROR()
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%SZ")
    error["pvno"], error["msg-type"], error["stime"], error["susec"] = 5, 30, now, 0
    error["error-code"], error["realm"] = code, REALM
    error["sname"]["name-type"] = 2
    error["sname"]["name-string"][0] = "krbtgt"
    if e_data is not None:
        error["e-data"] = e_data
    return bytes(encoder.encode(error))


def send(data: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda connection, _request: connection.sendall(struct.pack(">I", len(data)) + data)


@pytest.mark.parametrize(
    ("code", "kind", "name", "windows"),
    [
        (6, AuthenticationError, "KDC_ERR_C_PRINCIPAL_UNKNOWN", "ERROR_NO_SUCH_USER"),
        (14, AuthenticationError, "KDC_ERR_ETYPE_NOSUPP", "SEC_E_KDC_UNKNOWN_ETYPE"),
        (18, LogonRefusedError, "KDC_ERR_CLIENT_REVOKED", "ERROR_ACCOUNT_DISABLED"),
        (23, LogonRefusedError, "KDC_ERR_KEY_EXPIRED", "ERROR_PASSWORD_EXPIRED"),
        (24, LogonRefusedError, "KDC_ERR_PREAUTH_FAILED", "ERROR_LOGON_FAILURE"),
        (37, AuthenticationError, "KRB_AP_ERR_SKEW", "SEC_E_TIME_SKEW"),
        (68, AuthenticationError, "KDC_ERR_WRONG_REALM", "ERROR_NO_SUCH_DOMAIN"),
        (99, AuthenticationError, "Kerberos error 99", None),
    ],
)
def test_what_a_kdc_says(code, kind, name, windows):
    with kdc(send(krb_error(code))) as endpoints, pytest.raises(kind) as caught:
        fetch_ticket(CREDENTIALS, REALM, endpoints, Deadline(5))
    assert name in caught.value.message
    assert caught.value.code == windows
    assert caught.value.hint
    assert isinstance(caught.value, LogonRefusedError) is (kind is LogonRefusedError)


def test_a_windows_kdc_tells_more_in_its_status():
    """MS-KILE 2.2.1: PA-DATA type 3 with a KERB-EXT-ERROR, here STATUS_ACCOUNT_LOCKED_OUT."""
    status = struct.pack("<III", 0xC0000234, 0, 1)
    e_data = b"\x30\x15\xa1\x03\x02\x01\x03\xa2\x0e\x04\x0c" + status
    with kdc(send(krb_error(18, e_data))) as endpoints, pytest.raises(LogonRefusedError) as caught:
        fetch_ticket(CREDENTIALS, REALM, endpoints, Deadline(5))
    assert caught.value.code == "ERROR_ACCOUNT_LOCKED_OUT"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (send(b""), ProtocolError),
        (send(b"\x30\x03abc"), ProtocolError),
        (send(b"\x6b\x82\x00\x05hallo"), ProtocolError),
        (send(krb_error(25)), ProtocolError),
        (lambda connection, _: connection.sendall(b"\x7f\xff\xff\xff"), ProtocolError),
        (lambda connection, _: connection.sendall(b"\x00\x00\x01\x00abc"), ConnectError),
        (lambda connection, _: connection.recv(1), DeadlineExceededError),
    ],
)
def test_a_kdc_that_is_none(answer, kind):
    started = time.monotonic()
    with kdc(answer) as endpoints, pytest.raises(kind):
        fetch_ticket(CREDENTIALS, REALM, endpoints, Deadline(0.7))
    assert time.monotonic() - started < 2.0


def test_mutated_answers():
    """Every byte of an error answer changed once: errors of ours only."""
    sample = krb_error(25, b"\x30\x00")
    position = iter(range(len(sample)))

    def answer(connection: socket.socket, _request: bytes) -> None:
        index = next(position)
        send(sample[:index] + bytes([sample[index] ^ 0x80]) + sample[index + 1 :])(connection, b"")

    with kdc(answer) as endpoints:
        for _ in range(len(sample) // 2):
            with pytest.raises(PkiToolsError):
                fetch_ticket(CREDENTIALS, REALM, endpoints, Deadline(5))


def test_configuration_is_seen_only_within(monkeypatch):
    monkeypatch.setenv("KRB5_CONFIG", "/nirgends/krb5.conf")
    configuration = KerberosConfiguration()
    configuration.add(REALM, ["192.0.2.1", "2001:db8::1"])
    with configuration.applied(Deadline(5)):
        first, _, rest = os.environ["KRB5_CONFIG"].partition(":")
        text = Path(first).read_text("utf-8")
        assert rest == "/nirgends/krb5.conf"
    assert os.environ["KRB5_CONFIG"] == "/nirgends/krb5.conf"
    configuration.close()
    assert "kdc = 192.0.2.1\n" in text
    assert "kdc = [2001:db8::1]\n" in text
    assert "rdns = false" in text
    assert not Path(first).exists()


@pytest.mark.parametrize(
    "realm", ["", "A\n[plugins]", "A = {", "A B", "A\r", "[A]", "A\x00", "A#", "A" * 256, "A\u2028B"]
)
def test_what_is_no_realm_does_not_become_a_setting(realm):
    configuration = KerberosConfiguration()
    with pytest.raises(InputError):
        configuration.add(realm, ["192.0.2.1"])
    assert "192.0.2.1" not in configuration.text()


def test_two_logons_do_not_mix_their_configurations():
    held = KerberosConfiguration()
    with held.applied(Deadline(5)), pytest.raises(DeadlineExceededError):
        with KerberosConfiguration().applied(Deadline(0.1)):
            pass
    held.close()


def test_without_the_library_one_sentence_says_so(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gssapi", None)
    with Logon(CREDENTIALS) as logon, pytest.raises(MissingDependencyError) as caught:
        logon.initiate(Target("ldap", "dc1", REALM), AuthMethod.KERBEROS, ContextOptions(), Deadline(5))
    assert "pkitools[kerberos]" in caught.value.hint
    assert logon.methods("dc1") == (AuthMethod.KERBEROS, AuthMethod.NTLM)


@pytest.mark.parametrize("content", [b"", b"\x05\x02\x00\x00", b"PK\x03\x04" * 20, bytes(200)])
def test_a_file_that_is_no_keytab(tmp_path, content):
    path = tmp_path / "schlüssel.keytab"
    path.write_bytes(content)
    with pytest.raises(PkiToolsError) as caught:
        fetch_ticket(Credentials("björn@ad.example.test", keytab=path), REALM, [], Deadline(5))
    assert isinstance(caught.value, FormatError) or "holds no key" in caught.value.message


def test_refusals_are_sentences_with_known_codes():
    from pkitools import codes

    for number in (0x525, 0x52E, 0x52F, 0x530, 0x531, 0x532, 0x533, 0x569, 0x701, 0x773, 0x775):
        error = windows_refusal(number, "AD\\björn", "dc1")
        assert error is not None and isinstance(error, LogonRefusedError)
        assert codes.by_name(error.code or "").value == number
    for number in range(130):
        error = kerberos_refusal(number, "the KDC refused AD\\björn")
        assert error.code is None or codes.by_name(error.code)
    assert windows_refusal(0x57, "x", "y") is None


def test_a_call_into_the_library_ends_with_the_deadline():
    from pkitools.transport.security import bounded

    started = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        bounded(lambda: time.sleep(2), Deadline(0.2), "sleeping")
    assert time.monotonic() - started < 1.0
    with pytest.raises(KeyError):
        bounded(lambda: {}["x"], Deadline(1), "failing")


def test_default_realm_without_anything(monkeypatch, tmp_path):
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'none'}")
    monkeypatch.setenv("KRB5_CONFIG", "/dev/null")
    assert kerberos.default_realm() is None


@pytest.mark.parametrize(
    ("user", "told", "host", "realm"),
    [
        ("björn@other.example", "AD.EXAMPLE.TEST", "ca1.ad.example.test", "OTHER.EXAMPLE"),
        ("other.example\\björn", None, "ca1.ad.example.test", "OTHER.EXAMPLE"),
        ("AD\\björn", "AD.EXAMPLE.TEST", "ca1.child.ad.example.test", "AD.EXAMPLE.TEST"),
        ("AD\\björn", None, "ca1.ad.example.test", "AD.EXAMPLE.TEST"),
    ],
)
def test_the_realm_of_an_account(monkeypatch, tmp_path, user, told, host, realm):
    """As written; else that of the directory; else what the host's name suggests."""
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'none'}")
    monkeypatch.setenv("KRB5_CONFIG", "/dev/null")
    with Logon(Credentials(user, Secret("x"))) as logon:
        if told:
            logon.add_kdcs(told, ["192.0.2.1"])
        assert logon._realm(Target("host", host)) == realm
