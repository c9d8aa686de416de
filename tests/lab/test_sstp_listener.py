"""The SSTP question against recorded servers and hostile peers; no wait may exceed the deadline by a second."""

from __future__ import annotations

import socket
import time

import pytest
from cryptography import x509

import pkitools
from pkitools.models.outcome import Status
from pkitools.protocol import sstp
from tests.lab import listeners, replay
from tests.lab.listeners import Listener
from tests.lab.pki import NAME, LabPki, Leaf, Pair
from tests.lab.tls_lab import run

pytestmark = pytest.mark.lab
TIMEOUT = 1.5
GRACE = 1.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sstp")


@pytest.fixture(scope="module")
def pki(folder) -> LabPki:
    return LabPki("http://127.0.0.1:9", "http://127.0.0.1:9", "http://127.0.0.1:9", folder)


@pytest.fixture(scope="module")
def pair(pki) -> Pair:
    return pki.leaf(Leaf())


def ask(port: int, *options: str, timeout: float = TIMEOUT):
    started = time.monotonic()
    base = ["--connect", "127.0.0.1", "--revocation", "off", "--timeout", str(timeout)]
    answer = run(f"{NAME}:{port}", *base, *options)
    assert time.monotonic() - started < timeout + GRACE
    return answer


def sstp_of(script, pair, folder, *options: str) -> dict:
    listener = Listener(script, pair, folder)
    try:
        return ask(listener.port, *options).record
    finally:
        listener.close()


EXPECTED = {
    "rras": ("Listener", ["SHA256"]),
    "mikrotik": ("Listener", ["SHA1", "SHA256"]),
    "accel-ppp": ("Listener", ["SHA1", "SHA256"]),
    "softether-4.44": ("Listener", ["SHA256"]),
    "softether-5.01": ("Silent", []),
    "alb": ("HttpNoSstp", []),
    "apache-2.2": ("HttpNoSstp", []),
    "google": ("HttpNoSstp", []),
}


@pytest.mark.parametrize("server", EXPECTED)
def test_recorded_servers(server, pair, folder):
    recording = replay.RECORDINGS[server]
    answers = {b"SSTP_DUPLEX_POST": recording.post, **recording.others}
    script = listeners.by_request(answers, b"HTTP/1.1 404 Not Found\r\n\r\n", recording.acknowledge)
    if not recording.post:
        script = listeners.sleep_until_left
    record = sstp_of(script, pair, folder)
    verdict, hashes = EXPECTED[server]
    assert (record["Sstp"]["Verdict"], record["Sstp"]["HashProtocols"]) == (verdict, hashes), record["Sstp"]
    ids = {item["Id"] for item in record["Findings"]}
    assert (f"Sstp{verdict}" in ids) == (verdict != "Listener")


def test_a_monitor_sees_401_where_a_client_sees_a_listener(pair, folder):
    recording = replay.RECORDINGS["rras"]
    answers = {b"SSTP_DUPLEX_POST": recording.post, **recording.others}
    script = listeners.by_request(answers, b"HTTP/1.1 404 Not Found\r\n\r\n", recording.acknowledge)
    record = sstp_of(script, pair, folder, "--http")
    assert record["Http"][0]["Status"] == 401
    assert record["Sstp"]["HttpStatus"] == "200"


POST = replay.RECORDINGS["rras"].post
NAK = sstp.ControlPacket(3, (sstp.Attribute(2, sstp.StatusInfo(1, 4).pack()),)).pack()
ANSWERS = {
    "a web server that answers 200 to anything": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", "HttpNoSstp"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", "HttpNoSstp"),
    "a redirect": (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", b"", "HttpNoSstp"),
    "503, perhaps all ports in use": (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"", "HttpNoSstp"),
    "lower-case names": (POST.replace(b"Content-Length", b"content-length"), replay.ack(3), "Listener"),
    "no space after the status": (POST.replace(b"HTTP/1.1 200\r", b"HTTP/1.1 200 \r"), replay.ack(3), "Listener"),
    "a Nak": (POST, NAK, "Rejected"),
    "an Abort": (POST, sstp.call_abort(sstp.StatusInfo(0, 8)).pack(), "Rejected"),
    "length 0": (POST, bytes.fromhex("10010000"), "HttpNoSstp"),
    "another version": (POST, b"\x20" + replay.ack(3)[1:], "HttpNoSstp"),
    "a data packet": (POST, bytes.fromhex("10000006 ff03"), "HttpNoSstp"),
    "an acknowledge without nonce": (POST, bytes.fromhex("1001000800020000"), "HttpNoSstp"),
    "half an acknowledge": (POST, replay.ack(3)[:20], "HttpNoSstp"),
    "an SMTP banner inside TLS": (b"220 mail ESMTP\r\n", b"", "TlsNoHttp"),
    "escape sequences": (b"HTTP/1.1 500 \x1b]0;owned\x07\xe2\x80\xae\r\nServer: \x1b[2J\r\n\r\n", b"", "HttpNoSstp"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_every_answer_is_its_own_verdict(case, pair, folder):
    post, then, verdict = ANSWERS[case]

    def script(connection):
        listeners.read_request(connection)
        connection.sendall(post)
        if then and connection.recv(4096):
            connection.sendall(then)
            if not case.startswith("half"):
                connection.recv(4096)

    listener = Listener(script, pair, folder)
    try:
        answer = ask(listener.port)
        text = run_table(listener.port)
    finally:
        listener.close()
    assert answer.record["Sstp"]["Verdict"] == verdict, answer.record["Sstp"]
    assert answer.code == 1  # the lab's root is not trusted here
    assert "\x1b" not in text
    assert "\u202e" not in text


def run_table(port: int) -> str:
    base = ["--connect", "127.0.0.1", "--revocation", "off", "--timeout", str(TIMEOUT)]
    return run(f"{NAME}:{port}", *base, output="table").text


def test_a_nak_names_its_reason(pair, folder):
    record = sstp_of(listeners.answer(POST, NAK), pair, folder)
    assert record["Sstp"]["Refusals"] == ["ATTRIB_STATUS_VALUE_NOT_SUPPORTED"]


def test_split_reads_make_no_difference(pair, folder):
    def script(connection):
        listeners.read_request(connection)
        for byte in POST:
            connection.sendall(bytes([byte]))
        connection.recv(4096)
        acknowledge = replay.ack(3)
        for piece in (acknowledge[:4], acknowledge[4:7], acknowledge[7:]):
            connection.sendall(piece)
            time.sleep(0.02)
        connection.recv(4096)

    assert sstp_of(script, pair, folder)["Sstp"]["Verdict"] == "Listener"


def test_the_call_is_left_with_an_abort(pair, folder):
    heard = []

    def script(connection):
        request = listeners.read_request(connection)
        connection.sendall(POST)
        heard.append(request)
        heard.append(connection.recv(4096))
        connection.sendall(replay.ack(2))
        heard.append(connection.recv(4096))
        connection.sendall(bytes.fromhex("1001000800060000"))

    sstp_of(script, pair, folder)
    assert heard[0].startswith(b"SSTP_DUPLEX_POST /sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/ HTTP/1.1\r\n")
    assert b"Content-Length: 18446744073709551615\r\n" in heard[0]
    assert b"SSTPCORRELATIONID: {" in heard[0]
    assert heard[1] == sstp.call_connect_request().pack()
    assert heard[2] == sstp.call_abort(sstp.StatusInfo(0, 0)).pack()


AFTER_TLS = {
    "silence": (listeners.sleep_until_left, "Silent"),
    "an end": (lambda connection: listeners.read_request(connection), "TlsNoHttp"),
    "an endless header": (listeners.endless_header, "HttpNoSstp"),
    "a dripped header": (listeners.drip(POST), "Silent"),
    "silence after the HTTP half": (listeners.answer(POST, b""), "Silent"),
    "an end after the HTTP half": (
        lambda connection: (listeners.read_request(connection), connection.sendall(POST)),
        "Rejected",
    ),
    "a megabyte of junk": (lambda connection: connection.sendall(b"\xff" * (1 << 20)), "TlsNoHttp"),
}


@pytest.mark.parametrize("case", AFTER_TLS)
def test_hostile_after_the_handshake_keeps_what_was_learnt(case, pair, folder):
    script, verdict = AFTER_TLS[case]
    listener = Listener(script, pair, folder)
    try:
        answer = ask(listener.port)
    finally:
        listener.close()
    assert answer.record["Sstp"]["Verdict"] == verdict, answer.record["Sstp"]
    assert answer.codes() >= {"CERT_E_UNTRUSTEDROOT"} or answer.codes() >= {"CERT_E_CHAINING"}
    assert answer.record["Certificate"]["Subject"].startswith("CN=vpn.lab.test")
    assert answer.code == 1


def oversized_record(connection):
    connection.recv(4096)  # else closing with unread bytes would be a reset
    connection.sendall(b"\x16\x03\x03\xff\xff\x02\x00")
    connection.recv(4096)


def end_on_accept(connection):
    connection.shutdown(socket.SHUT_WR)  # closing could meet the client's hello unread: that would be a reset
    connection.recv(4096)


BEFORE_TLS = {
    "silent": (listeners.sleep_until_left, 3, "timed out"),
    "RST on accept": (listeners.reset, 3, "connection"),
    "an end on accept": (end_on_accept, 3, "closed the connection"),
    "an SMTP banner": (lambda connection: connection.sendall(b"220 mail.example ESMTP\r\n"), 5, "220 mail.example"),
    "plain HTTP": (lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), 5, "400 Bad Request"),
    "junk": (lambda connection: connection.sendall(b"\xde\xad" * (1 << 19)), 5, "de ad"),
    "one byte per half second": (listeners.drip(b"\x16\x03\x03\x00\x7a" + bytes(100)), 3, "timed out"),
    "half an oversized record": (oversized_record, 5, "TLS"),
    "an alert": (lambda connection: connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28"), 4, "handshake_failure"),
}


@pytest.mark.parametrize("case", BEFORE_TLS)
def test_hostile_before_the_handshake(case):
    script, code, words = BEFORE_TLS[case]
    listener = Listener(script)
    try:
        answer = ask(listener.port)
    finally:
        listener.close()
    assert answer.code == code, answer.record["Reason"]
    assert words in answer.record["Reason"]["Message"]
    assert f"127.0.0.1:{listener.port}" in answer.record["Reason"]["Message"]


def test_nothing_listens():
    answer = ask(9)
    assert answer.code == 3
    assert "127.0.0.1:9: connection refused" in answer.record["Reason"]["Message"]


def test_a_name_that_does_not_resolve():
    answer = run("no-such-host.invalid", "--timeout", "5")
    assert answer.code == 3
    assert answer.record["Reason"]["Id"] in ("NameNotResolved", "Timeout")


def test_a_resolver_that_is_silent_costs_the_deadline_only(monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: time.sleep(5) or [])
    started = time.monotonic()
    answer = run("slow.example", "--timeout", "0.5")
    assert time.monotonic() - started < 0.5 + GRACE
    assert answer.record["Reason"]["Id"] == "Timeout"


@pytest.mark.parametrize("garbage", [b"", b"\x30\x82\xff\xff", b"\x30\x80" * 3000, bytes(500)])
def test_malformed_der_in_the_chain(pair, garbage):
    listener = Listener(listeners.forged_certificate_message(pair.der, garbage))
    try:
        answer = ask(listener.port)
    finally:
        listener.close()
    assert answer.code == 5
    assert "broke the TLS protocol" in answer.record["Reason"]["Message"]


def test_an_extension_that_cannot_be_read_is_named(pki, folder):
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.1"), b"\x30\x82\xff\xff\x00")
    leaf = pki.leaf(Leaf(aia=None, extra=((broken, False),)))
    record = sstp_of(listeners.answer(POST, replay.ack(3)), leaf, folder)
    assert record["Certificate"]["Defects"]
    assert "Malformed" in {item["Id"] for item in record["Findings"]}


def test_a_chain_loop_ends(pki, folder):
    first = pki.sub_ca("Loop A", pki.root)
    second = pki.sub_ca("Loop B", first)
    back = pki.cross("Loop A", first, second)
    leaf = pki.leaf(Leaf(aia=None), first)
    looped = Pair(leaf.certificate, leaf.key, (back.certificate, second.certificate))
    record = sstp_of(listeners.answer(POST, replay.ack(3)), looped, folder)
    assert record["CertificateIsValid"] is False
    assert record["Sstp"]["Verdict"] == "Listener"


def test_a_hundred_certificates(pki, pair, folder):
    crowd = tuple(pki.sub_ca(f"Crowd {number}", pki.root).certificate for number in range(98))
    many = Pair(pair.certificate, pair.key, (*pair.sent, *crowd))
    record = sstp_of(listeners.answer(POST, replay.ack(3)), many, folder)
    assert len(record["Pkcs7Chain"]) == 100
    assert record["Sstp"]["Verdict"] == "Listener"


def test_silent_hosts_do_not_hold_up_the_others(pair, folder):
    good = Listener(listeners.answer(POST, replay.ack(3)), pair, folder)
    silent = Listener(listeners.sleep_until_left)
    targets = [f"127.0.0.1:{silent.port if number % 5 == 0 else good.port}" for number in range(40)]
    started = time.monotonic()
    try:
        outcomes = list(pkitools.test_ssl(targets, timeout=2, revocation="off", concurrency=16))
    finally:
        good.close()
        silent.close()
    assert time.monotonic() - started < 4
    assert [item.status is Status.NO_ANSWER for item in outcomes] == [number % 5 == 0 for number in range(40)]
    assert [item.target for item in outcomes] == targets
