"""The directory connection against servers that are slow, broken or hostile; a real one is in tests/lab."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time

import pytest

from pkitools.errors import (
    ConnectError,
    DeadlineExceededError,
    LogonRefusedError,
    NoAnswerError,
    PkiToolsError,
    ProtocolError,
    RefusedError,
)
from pkitools.models.secret import Secret
from pkitools.transport import ldap as module
from pkitools.transport.credentials import AuthMethod, Credentials, DirectoryAddress, Protection
from pkitools.transport.deadline import Deadline
from pkitools.transport.ldap import Directory, Scope
from pkitools.transport.security import Logon
from tests.lab.dns_stub import DnsStub
from tests.lab.ldap_stub import (
    PASSWORD,
    USER,
    LdapStub,
    Peer,
    Script,
    entry,
    integer,
    message,
    paged,
    result,
    tlv,
    users_file,
)

SECONDS = 0.6
CREDENTIALS = Credentials(USER, Secret(PASSWORD), method=AuthMethod.NTLM)


@pytest.fixture(autouse=True)
def users(tmp_path):
    with users_file(tmp_path):
        yield


@pytest.fixture
def serve(monkeypatch):
    """Starts a stub and points the plain LDAP port at it."""
    stubs = []

    def start(script: Script) -> LdapStub:
        stub = LdapStub(script)
        stubs.append(stub)
        ports = {key: stub.port if key[0] is not Protection.LDAPS else 1 for key in module._PORTS}
        monkeypatch.setattr(module, "_PORTS", ports)
        return stub

    yield start
    for stub in stubs:
        stub.__exit__()


def open_directory(credentials: Credentials = CREDENTIALS, seconds: float = SECONDS) -> Directory:
    with Logon(credentials) as logon:
        return Directory.open(DirectoryAddress(server="127.0.0.1"), logon, Deadline(seconds))


def search(seconds: float = SECONDS) -> list[module.Entry]:
    with open_directory(seconds=seconds) as directory:
        return list(directory.search("CN=x", "(objectClass=*)", ["cn"], page_size=2))


def logged_on(script: Script) -> Script:
    """A server that behaves until the first search of the caller."""

    def run(peer: Peer) -> None:
        peer.answer_root_dse()
        peer.log_on()
        peer.answer_root_dse()
        script(peer)

    return run


def test_a_good_server(serve):
    def script(peer: Peer) -> None:
        for number, cookie in enumerate((b"mehr", b"")):
            message_id, _, _ = peer.receive()
            peer.send(message(message_id, entry(f"CN={number}", cn=f"ü{number}")))
            reference = tlv(0x73, tlv(4, b"ldap://elsewhere/"))
            peer.send(message(message_id, reference) + message(message_id, result(0x65), paged(cookie)))

    serve(logged_on(script))
    assert [(item.dn, item.attributes) for item in search()] == [
        ("CN=0", {"cn": ("ü0".encode(),)}),
        ("CN=1", {"cn": ("ü1".encode(),)}),
    ]


def test_values_in_ranges_are_collected(serve):
    def script(peer: Peer) -> None:
        message_id, _, _ = peer.receive()
        peer.send(message(message_id, entry("CN=0", **{"member;range=0-1": "a", "cn": "x"})))
        peer.send(message(message_id, result(0x65)))
        message_id, _, content = peer.receive()
        assert b"member;range=2-*" in content
        peer.send(message(message_id, entry("CN=0", **{"member;range=2-*": "b"})) + message(message_id, result(0x65)))

    serve(logged_on(script))
    assert search()[0].attributes == {"cn": (b"x",), "member": (b"a", b"b")}


@pytest.mark.parametrize("name", [f"member;range=0-{'9' * 5000}", "member;range=0-²"], ids=["huge", "no digit"])
def test_a_range_that_is_none_is_an_attribute_like_others(serve, name):
    def script(peer: Peer) -> None:
        message_id, _, _ = peer.receive()
        peer.send(message(message_id, entry("CN=0", **{name: "a"})) + message(message_id, result(0x65)))

    serve(logged_on(script))
    assert search()[0].attributes == {name: (b"a",)}


def test_the_same_range_again_and_again(serve):
    def script(peer: Peer) -> None:
        while True:
            message_id, _, _ = peer.receive()
            peer.send(message(message_id, entry("CN=0", **{"member;range=0-1": "a"})))
            peer.send(message(message_id, result(0x65)))

    serve(logged_on(script))
    with pytest.raises(ProtocolError, match="member"):
        search()


def silent(peer: Peer) -> None:
    peer.receive()
    peer.receive()


def trickle(peer: Peer) -> None:
    message_id, _, _ = peer.receive()
    for byte in message(message_id, result(0x65)):
        peer.send(bytes([byte]))
        time.sleep(0.2)


def cut(peer: Peer) -> None:
    message_id, _, _ = peer.receive()
    peer.send(message(message_id, entry("CN=0", cn="x"))[:-3])


def two_gigabytes(peer: Peer) -> None:
    peer.receive()
    peer.send(b"\x30\x84\x80\x00\x00\x00\x02\x01\x03")


def endless_length(peer: Peer) -> None:
    peer.receive()
    peer.send(b"\x30\x80\x02\x01\x03")


def wrong_id(peer: Peer) -> None:
    message_id, _, _ = peer.receive()
    peer.send(message(message_id + 1, result(0x65)))


def wrong_kind(peer: Peer) -> None:
    message_id, _, _ = peer.receive()
    peer.send(message(message_id, result(0x61)))


def no_ldap(peer: Peer) -> None:
    peer.receive()
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def notice(peer: Peer) -> None:
    peer.receive()
    name = tlv(0x8A, b"1.3.6.1.4.1.1466.20036")
    peer.send(message(0, result(0x78, 52, "going down", name)))


def endless_pages(peer: Peer) -> None:
    while True:
        message_id, _, _ = peer.receive()
        peer.send(message(message_id, result(0x65), paged(b"again")))


def refuses(peer: Peer) -> None:
    message_id, _, _ = peer.receive()
    peer.send(message(message_id, result(0x65, 32, "no\nsuch object")))


def busy(peer: Peer) -> None:
    message_id, _, _ = peer.receive()
    peer.send(message(message_id, result(0x65, 51)))


def huge_frame(peer: Peer) -> None:
    peer.receive()
    peer.socket.sendall(b"\x7f\xff\xff\xff" + b"x" * 100)


def forged_frame(peer: Peer) -> None:
    message_id, _, _ = peer.receive()
    assert peer.context is not None
    token = bytearray(peer.context.wrap(message(message_id, result(0x65))).data)
    token[-1] ^= 1
    peer.socket.sendall(len(token).to_bytes(4, "big") + token)


def plain_answer(peer: Peer) -> None:
    message_id, _, _ = peer.receive()
    peer.socket.sendall(message(message_id, result(0x65)))


def cut_frame(peer: Peer) -> None:
    peer.receive()
    peer.socket.sendall(b"\x00\x00")


ATTACKS = [
    (silent, DeadlineExceededError),
    (trickle, DeadlineExceededError),
    (cut, ConnectError),
    (two_gigabytes, ProtocolError),
    (endless_length, ProtocolError),
    (wrong_id, ProtocolError),
    (wrong_kind, ProtocolError),
    (no_ldap, ProtocolError),
    (notice, ConnectError),
    (endless_pages, ProtocolError),
    (refuses, RefusedError),
    (busy, NoAnswerError),
]
SEALED_ATTACKS = [
    (huge_frame, ProtocolError),
    (forged_frame, ProtocolError),
    (plain_answer, ProtocolError),
    (cut_frame, ConnectError),
]


@pytest.mark.parametrize(("attack", "kind"), ATTACKS + SEALED_ATTACKS, ids=lambda value: value.__name__)
def test_after_the_logon(serve, attack, kind):
    serve(logged_on(attack))
    started = time.monotonic()
    with pytest.raises(kind) as caught:
        search()
    assert time.monotonic() - started < SECONDS + 0.5
    assert caught.value.message


@pytest.mark.parametrize(("attack", "kind"), ATTACKS, ids=lambda value: value.__name__)
def test_before_the_logon(serve, attack, kind):
    """Nothing was shown to it: not even a name."""
    stub = serve(attack)
    with pytest.raises(kind):
        open_directory()
    assert stub.connections == 1


def bad_token(peer: Peer) -> None:
    peer.answer_root_dse()
    message_id, _, _ = peer.receive()
    peer.send(message(message_id, result(0x61, 14, extra=tlv(0x87, b"NTLMSSP\x00\x02\x00\x00\x00abc"))))
    peer.receive()


def accepts_at_once(peer: Peer) -> None:
    peer.answer_root_dse()
    message_id, _, _ = peer.receive()
    peer.send(message(message_id, result(0x61)))
    peer.receive()


def endless_logon(peer: Peer) -> None:
    peer.answer_root_dse()
    while True:
        message_id, _, _ = peer.receive()
        peer.send(message(message_id, result(0x61, 14)))


def appends_plain_data(peer: Peer) -> None:
    """An answer in clear to the question that comes next, which must not pass for a sealed one."""
    peer.answer_root_dse()
    peer.log_on(behind=message(4, result(0x65)))
    peer.receive()


@pytest.mark.parametrize("attack", [bad_token, accepts_at_once, endless_logon, appends_plain_data])
def test_during_the_logon(serve, attack):
    serve(attack)
    with pytest.raises(ProtocolError) as caught:
        open_directory()
    if attack is appends_plain_data:
        assert "unprotected data" in caught.value.message


@pytest.mark.parametrize("bait", ["simple", "stronger"])
def test_a_password_never_goes_over_clear_text(serve, bait):
    """Whatever the server offers: without TLS there is no simple bind, and port 636 is closed here."""
    seen = []

    def script(peer: Peer) -> None:
        while True:
            message_id, tag, content = peer.receive()
            seen.append(content)
            if tag == 0x63:
                peer.send(message(message_id, entry("", ldapServiceName="x:dc$@X")) + message(message_id, result(0x65)))
            elif tag == 0x77:
                peer.send(message(message_id, result(0x78, 2, "no StartTLS here")))
            else:
                peer.send(message(message_id, result(0x61, 0 if bait == "simple" else 8)))

    serve(script)
    with pytest.raises(PkiToolsError):
        open_directory(Credentials(USER, Secret(PASSWORD), method=AuthMethod.SIMPLE))
    assert not [content for content in seen if PASSWORD.encode() in content]
    assert not [content for content in seen if "björn".encode() in content]


def test_the_realm_that_a_server_tells_cannot_write_settings(serve):
    """It goes into a krb5.conf: a server that has proven nothing must not name modules and KDCs there."""

    def script(peer: Peer) -> None:
        message_id, _, _ = peer.receive()
        name = "x:dc$@X\n[plugins]\nclpreauth = {\nmodule = x:/tmp/x.so\n}\n"
        hostile = entry("", configurationNamingContext="CN=Configuration,DC=x", ldapServiceName=name)
        peer.send(message(message_id, hostile) + message(message_id, result(0x65)))
        peer.receive()

    serve(script)
    with Logon(CREDENTIALS) as logon:
        with pytest.raises(PkiToolsError):
            Directory.open(DirectoryAddress(server="127.0.0.1"), logon, Deadline(SECONDS))
        assert "plugins" not in logon.kerberos_configuration.text()


@pytest.mark.parametrize("method", [AuthMethod.SIMPLE, AuthMethod.NTLM])
def test_dns_cannot_send_a_password_out_of_the_domain(method):
    """A forged SRV record names a host for which its owner has a good certificate. NTLM shows no password."""
    records = {
        ("_ldap._tcp.dc._msdcs.ad.example.test", "SRV"): ["0 1 389 dc.evil.example.", "0 1 389 evil-ad.example.test."]
    }
    credentials = Credentials("alice@ad.example.test", Secret(PASSWORD), method=method)
    with DnsStub(records) as dns, Logon(credentials) as logon:
        address = DirectoryAddress(domain="AD.example.test", dns_server=dns.address)
        kind = RefusedError if method is AuthMethod.SIMPLE else NoAnswerError
        with pytest.raises(kind):
            Directory.open(address, logon, Deadline(SECONDS))
        looked_up = {name for name, kind in dns.asked if kind == "A"}
    assert bool(looked_up) is (method is AuthMethod.NTLM)


def test_a_refused_account_is_not_sent_again(serve):
    def script(peer: Peer) -> None:
        peer.answer_root_dse()
        message_id, _, _ = peer.receive()
        peer.send(message(message_id, result(0x61, 49, "80090308: comment: AcceptSecurityContext error, data 775, v1")))
        peer.receive()

    stub = serve(script)
    with Logon(CREDENTIALS) as logon:
        for _ in range(3):
            with pytest.raises(LogonRefusedError) as caught:
                Directory.open(DirectoryAddress(server="127.0.0.1"), logon, Deadline(SECONDS))
            assert caught.value.code == "ERROR_ACCOUNT_LOCKED_OUT"
    assert stub.connections == 3  # it is looked for, but not logged on to: the second and third ended before a bind


def test_a_connection_that_breaks_in_a_logon_is_not_tried_again(serve):
    """The server may have counted the password: it does not get it a second time over another protection."""
    binds = []

    def script(peer: Peer) -> None:
        peer.answer_root_dse()
        peer.receive()
        binds.append(1)

    stub = serve(script)
    with pytest.raises(ConnectError):
        open_directory()
    assert (stub.connections, len(binds)) == (1, 1)


def test_many_threads_show_a_wrong_password_once():
    shown = []

    def attempt(logon: Logon) -> None:
        try:
            with logon.attempt(Deadline(10)):
                shown.append(threading.get_ident())
                time.sleep(0.05)
                raise LogonRefusedError("no", hint="no")
        except LogonRefusedError:
            pass

    with Logon(CREDENTIALS) as logon:
        threads = [threading.Thread(target=attempt, args=(logon,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert logon.refused is not None
    assert len(shown) == 1


def test_a_silent_server_holds_up_the_next_for_its_patience_and_three_at_most():
    entered: list[float] = []
    release = threading.Event()
    began = time.monotonic()

    def attempt(logon: Logon) -> None:
        with contextlib.suppress(DeadlineExceededError), logon.attempt(Deadline(0.6), patience=0.1):
            entered.append(time.monotonic() - began)
            release.wait()
            raise DeadlineExceededError("silent")

    with Logon(CREDENTIALS) as logon:
        threads = [threading.Thread(target=attempt, args=(logon,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(0.8)
        release.set()
        for thread in threads:
            thread.join()
    assert len(entered) == 3
    assert [round(later - sooner, 3) >= 0.099 for sooner, later in itertools.pairwise(entered)] == [True, True]


def test_proven_credentials_are_used_by_many_at_once():
    with Logon(CREDENTIALS) as logon:
        with logon.attempt(Deadline(1)):
            pass
        with logon.attempt(Deadline(1)), logon.attempt(Deadline(1)):
            pass


def test_a_search_that_cannot_be_encoded(serve):
    serve(logged_on(lambda peer: None))
    with open_directory() as directory, pytest.raises(PkiToolsError):
        list(directory.search("CN=x", "(cn=", ["cn"], scope=Scope.LEVEL))


def test_large_negative_message_id(serve):
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(tlv(0x30, integer(-5), result(0x65)))

    serve(script)
    with pytest.raises(ProtocolError, match="-5"):
        open_directory()
