"""Against real sockets on loopback; dead hosts are names that a resolver of ours never answers or refuses."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from pkitools.adcs.at_once import Side, at_once
from pkitools.adcs.reachability import probe_hosts
from pkitools.errors import NameResolutionError
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def resolver(host: str, port: int, deadline: Deadline) -> tuple[Endpoint, ...]:
    if host.startswith("gone"):
        raise NameResolutionError(f"the name {host} does not resolve")
    if host.startswith("silent"):
        threading.Event().wait(30)  # as getaddrinfo with a name server that is away: it heeds no deadline
    return (Endpoint("127.0.0.1", port),)


def test_fifty_hosts_of_which_48_are_dead_take_one_timeout(listener: int) -> None:
    hosts = ["up1", "up2", *(f"silent{index}" for index in range(48))]
    started = time.monotonic()
    found = probe_hosts(hosts, Deadline(1.0), resolver, port=listener)
    assert time.monotonic() - started < 2.0
    assert [host for host, answer in found.items() if answer.is_accessible] == ["up1", "up2"]
    reason = found["silent0"].reason
    assert reason is not None and (reason.id, reason.code) == ("Timeout", "WSAETIMEDOUT")


def test_why_a_host_is_not_accessible(closed_port: int) -> None:
    found = probe_hosts(["refusing", "gone", "", "a b", "ü" * 70], Deadline(5.0), resolver, port=closed_port)
    assert {host: (answer.reason and (answer.reason.id, answer.reason.code)) for host, answer in found.items()} == {
        "refusing": ("ConnectionFailed", "RPC_S_SERVER_UNAVAILABLE"),
        "gone": ("NameNotResolved", "WSAHOST_NOT_FOUND"),
        "": ("NoHostName", None),
        "a b": ("ConnectionFailed", "RPC_S_SERVER_UNAVAILABLE"),
        "ü" * 70: ("NameNotResolved", "WSAHOST_NOT_FOUND"),
    }
    assert [answer.in_dns for answer in found.values()] == [True, False, True, True, False]


def test_a_host_is_asked_once(listener: int) -> None:
    asked: list[str] = []

    def counting(host: str, port: int, deadline: Deadline) -> tuple[Endpoint, ...]:
        asked.append(host)
        return (Endpoint("127.0.0.1", port),)

    assert list(probe_hosts(["a", "b", "a"], Deadline(5.0), counting, port=listener)) == ["a", "b"]
    assert sorted(asked) == ["a", "b"]


def test_a_bug_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        at_once([1, 0], lambda item: 1 // item, Deadline(5.0))
    with pytest.raises(ZeroDivisionError):
        Side(lambda: 1 // 0).result()
    assert at_once([], lambda item: item, Deadline(5.0)) == {}
