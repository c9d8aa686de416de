"""The first of several addresses that answers wins, and a silent one costs a quarter of a second."""

from __future__ import annotations

import socket
import time

import pytest

from pkitools.errors import ConnectError, DeadlineExceededError
from pkitools.transport import tcp
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint, resolve


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def silent():
    """A port whose queue is full: it neither accepts nor refuses."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(server.getsockname())
        fillers.append(filler)
    yield server.getsockname()[1]
    for item in (*fillers, server):
        item.close()


def test_families_take_turns():
    names = ["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
    order = [item.address for item in tcp.interleave([Endpoint(name, 1) for name in names])]
    assert order == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "192.0.2.3"]
    assert tcp.interleave([]) == []


def test_a_refusal_leads_to_the_next_address(port):
    connection = tcp.connect([Endpoint("127.0.0.1", 9), Endpoint("127.0.0.1", port)], Deadline(2))
    assert connection.endpoint == Endpoint("127.0.0.1", port)
    assert [(item.endpoint.port, item.reason) for item in connection.failed] == [(9, "connection refused")]
    connection.stream.close()


def test_all_refused_names_each():
    with pytest.raises(ConnectError, match=r"127\.0\.0\.1:9: connection refused; .*127\.0\.0\.2:9"):
        tcp.connect([Endpoint("127.0.0.1", 9), Endpoint("127.0.0.2", 9)], Deadline(2))
    with pytest.raises(ConnectError, match="cannot connect"):
        tcp.connect([Endpoint("fe80::1%nowhere", 9)], Deadline(2))


def test_silence_of_the_first_costs_a_quarter_of_a_second(port, silent):
    started = time.monotonic()
    try:
        connection = tcp.connect([Endpoint("127.0.0.1", silent), Endpoint("127.0.0.1", port)], Deadline(5))
    except OSError as error:  # pragma: no cover
        pytest.fail(str(error))
    connection.stream.close()
    assert connection.endpoint.port == port or connection.endpoint.port == silent
    assert time.monotonic() - started < 2


def test_silence_ends_with_the_deadline(monkeypatch):
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: 115)
    monkeypatch.setattr("select.poll", lambda: type("P", (), {"register": lambda *_: None, "poll": _late})())
    with pytest.raises(DeadlineExceededError, match=r"192\.0\.2\.1:443: no answer"):
        tcp.connect([Endpoint("192.0.2.1", 443)], Deadline(0.1))


def _late(_self, milliseconds):
    time.sleep(milliseconds / 1000 + 0.001)
    return []


def test_a_numeric_address_is_not_asked_for(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("asked"))
    assert resolve("2001:db8::1", 443, Deadline(1)) == (Endpoint("2001:db8::1", 443),)
    assert str(Endpoint("2001:db8::1", 443)) == "[2001:db8::1]:443"


def test_every_address_once_in_the_systems_order(monkeypatch):
    rows = [(0, 0, 0, "", (address, 0)) for address in ("192.0.2.2", "2001:db8::1", "192.0.2.2", "192.0.2.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
    assert [item.address for item in resolve("a.example", 1, Deadline(1))] == ["192.0.2.2", "2001:db8::1", "192.0.2.1"]


def test_a_deadline_names_its_seconds_without_noise():
    deadline = Deadline(0.0148952)
    time.sleep(0.02)
    with pytest.raises(DeadlineExceededError, match=r"timed out after 0\.0149 s while waiting"):
        deadline.require("waiting")
