"""Servers that defend themselves: cookies, and silence over too many half-open security associations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pkitools.aovpn.ike.probe import ProbeOptions
from pkitools.models.ike import IkeVerdict
from pkitools.models.outcome import Status
from tests.lab.charon import Charon, Responder
from tests.lab.test_charon_policies import WINDOWS11, WINDOWS_11_SET

pytestmark = pytest.mark.lab
HOST = "127.2.0.1"
PROBE = "pkitools.aovpn.ike.run:probe_hosts"


def start(folder, **settings) -> Charon:
    return Charon(folder, [Responder(HOST, WINDOWS11)], {"half_open_timeout": "60", **settings})


@pytest.fixture
def limited(tmp_path) -> Iterator[Charon]:
    """charon with its own limits: cookies from the third half-open SA of an address, silence from the fifth."""
    daemon = start(tmp_path, cookie_threshold_ip="3", block_threshold="5")
    yield daemon
    daemon.close()


def test_fast_finds_all_and_stays_below_the_limits(limited):
    (outcome,) = limited.call(PROBE, (HOST,), ProbeOptions(fast=True, timeout=10))
    assert set(outcome.value.accepted_policies) == WINDOWS_11_SET
    assert limited.half_open() <= 3


def test_silence_over_the_limit_is_throttled_and_never_a_rejection(limited):
    for _ in range(3):
        limited.call(PROBE, (HOST,), ProbeOptions(fast=True, timeout=1))
    (outcome,) = limited.call(PROBE, (HOST,), ProbeOptions(fast=True, timeout=2))
    server = outcome.value
    assert server.verdict in (IkeVerdict.THROTTLED, IkeVerdict.NO_ANSWER)
    assert server.rejected_count == 0
    assert outcome.status is Status.NO_ANSWER
    assert len(server.undecided_policies) + len(server.accepted_policies) == 168


@pytest.mark.parametrize("fast", [False, True])
def test_cookies_are_answered(tmp_path, fast):
    daemon = start(tmp_path, cookie_threshold_ip="1", block_threshold="100000")
    try:
        daemon.call(PROBE, (HOST,), ProbeOptions(fast=True, timeout=10))
        (outcome,) = daemon.call(PROBE, (HOST,), ProbeOptions(fast=fast, timeout=10))
        assert outcome.value.cookie_required is True
        assert set(outcome.value.accepted_policies) == WINDOWS_11_SET
    finally:
        daemon.close()
