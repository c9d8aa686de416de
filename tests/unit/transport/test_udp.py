"""The loop of conversations: retransmission, deadlines, many at once, errors, names looked up beside it."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from pkitools.errors import NameResolutionError, ProtocolError
from pkitools.transport import udp
from pkitools.transport.dns import Endpoint
from pkitools.transport.udp import AddressLookup, Conversations, Port, Reply, Request, Silence, Unreachable

HOST = "127.0.0.1"


@contextmanager
def echo(drop=lambda number: False, reply=lambda data: data):
    """A server that sends back what it gets, but for the packets that are dropped."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((HOST, 0))
        listener.settimeout(0.05)
        stop, times = threading.Event(), []

        def serve():
            while not stop.is_set():
                try:
                    data, peer = listener.recvfrom(65535)
                except TimeoutError:
                    continue
                times.append(time.monotonic())
                if not drop(len(times)):
                    listener.sendto(reply(data), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield Port(listener.getsockname()[1]), times
        stop.set()
        thread.join()


def asking(port, data=b"question", is_answer=lambda data: True, tries=0, rounds=1):
    def begin(session):
        for _ in range(rounds):
            answer = yield Request(port, data, is_answer, tries)
        return answer

    return begin


def run(*begins, seconds=5.0, waits=(0.1, 0.2, 0.4), address=HOST):
    conversations = Conversations(waits)
    for number, begin in enumerate(begins):
        conversations.start(number, address, begin, seconds)
    return {item.key: item for item in conversations.finished()}


def test_reply():
    with echo() as (port, _):
        assert run(asking(port))[0].value == Reply(b"question", 1)


def test_lost_packets_are_sent_again_with_back_off():
    with echo(drop=lambda number: number < 3) as (port, times):
        assert run(asking(port))[0].value == Reply(b"question", 3)
    first, second = times[1] - times[0], times[2] - times[1]
    assert first >= 0.09
    assert second >= 0.19


def test_silence_after_all_tries_or_at_the_deadline():
    with echo(drop=lambda number: True) as (port, times):
        assert run(asking(port))[0].value == Silence(3)
        assert len(times) == 3
        began = time.monotonic()
        assert run(asking(port), seconds=0.15)[0].value == Silence(2)
        assert time.monotonic() - began < 2
        assert run(asking(port, tries=1))[0].value == Silence(1)


def test_the_deadline_covers_all_questions():
    with echo(drop=lambda number: number > 2) as (port, _):
        assert isinstance(run(asking(port, rounds=10), seconds=0.5)[0].value, Silence)


def test_what_is_no_answer_is_dropped():
    with echo(reply=lambda data: b"noise") as (port, _):
        assert run(asking(port, is_answer=lambda data: data == b"question"))[0].value == Silence(3)


def test_closed_port_is_unreachable():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        port = Port(taken.getsockname()[1])
    answer = run(asking(port))[0].value
    assert isinstance(answer, Unreachable)
    assert answer.message == "Connection refused"


def test_no_route_is_unreachable():
    answer = run(asking(Port(500)), address="fe80::1%nowhere")[0].value
    assert isinstance(answer, Unreachable)


def test_marker_is_put_on_and_taken_off():
    seen = []

    def reply(data):
        seen.append(data)
        return data

    with echo(reply=reply) as (port, _):
        assert run(asking(Port(port.number, marker=True)))[0].value == Reply(b"question", 1)
    assert seen == [b"\0\0\0\0question"]


def test_many_more_than_run_at_once(monkeypatch):
    monkeypatch.setattr(udp, "_MAX_CONVERSATIONS", 7)
    with echo() as (port, _):
        results = run(*(asking(port, data=b"%d" % number, rounds=3) for number in range(60)))
    assert {key: item.value.data for key, item in results.items()} == {n: b"%d" % n for n in range(60)}


def test_an_error_ends_its_own_conversation_only():
    def failing(session):
        yield Request(port, b"x", lambda data: True)
        raise ProtocolError("broken")

    with echo() as (port, _):
        results = run(failing, asking(port))
    assert isinstance(results[0].error, ProtocolError)
    assert results[1].value == Reply(b"question", 1)


def test_a_bug_in_a_conversation_is_not_swallowed():
    def buggy(session):
        yield Request(port, b"x", lambda data: True)
        raise KeyError("bug")

    with echo() as (port, _), pytest.raises(KeyError):
        run(buggy)


def test_conversations_that_come_later():
    conversations = Conversations((0.2,))
    with echo() as (port, _):
        start = iter(range(3))

        def more():
            number = next(start, None)
            if number is not None:
                conversations.start(number, HOST, asking(port), 2)
            return number is not None

        assert sorted(item.key for item in conversations.finished(more)) == [0, 1, 2]


def test_local_address():
    session = udp.Session(HOST)
    address, number = session.local(Port(9))
    assert address == HOST
    assert number > 0
    session.close()


def collect(lookup: AddressLookup) -> dict:
    found = {}
    end = time.monotonic() + 5
    while lookup.pending and time.monotonic() < end:
        found.update(lookup.ready())
        time.sleep(0.005)
    return found


def test_lookup(monkeypatch):
    def resolve(host, port, deadline):
        if host == "missing.test":
            raise NameResolutionError("no such name")
        if host == "slow.test":
            time.sleep(0.2)
        return Endpoint("fe80::1%nowhere", port), Endpoint("127.0.0.7", port)

    monkeypatch.setattr(udp, "resolve", resolve)
    lookup = AddressLookup(["slow.test", "192.0.2.1", "missing.test", "192.0.2.1", "two.test"], 1.0)
    first = dict(lookup.ready())
    assert first["192.0.2.1"] == "192.0.2.1"
    found = first | collect(lookup)
    assert found["slow.test"] == found["two.test"] == "127.0.0.7"  # the first has no route
    assert isinstance(found["missing.test"], NameResolutionError)
    assert lookup.pending is False
