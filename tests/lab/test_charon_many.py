"""Many hosts at once, half of them dead; and IPv6."""

from __future__ import annotations

import pytest

from pkitools.aovpn.ike.probe import ProbeOptions
from pkitools.models.ike import IkeVerdict
from pkitools.models.outcome import Status
from tests.lab.charon import SERVER_NAME, Charon, Responder

pytestmark = pytest.mark.lab
LIVE = [f"127.5.0.{number}" for number in range(1, 26)]


def test_dead_hosts_do_not_hold_up_live_ones(tmp_path):
    daemon = Charon(tmp_path, [Responder(address, "aes256-sha256-ecp256") for address in LIVE])
    try:
        network = daemon.call("tests.lab.charon_agent:add_silent_network")
        dead = [f"{network}{number}" for number in range(1, 26)]
        hosts = [host for pair in zip(LIVE, dead, strict=True) for host in pair]
        outcomes = daemon.call("pkitools.aovpn.ike.run:probe_hosts", hosts, ProbeOptions(timeout=1.5))
    finally:
        daemon.close()
    assert [item.target for item in outcomes] == hosts
    assert {item.status for item in outcomes[::2]} == {Status.OK}
    assert {item.value.verdict for item in outcomes[1::2]} == {IkeVerdict.NO_ANSWER}
    assert {len(item.value.undecided_policies) for item in outcomes[1::2]} == {168}


def test_ipv6(tmp_path):
    daemon = Charon(tmp_path, [Responder("::1", "aes256gcm16-prfsha384-ecp384", "rsa", "eap-md5")])
    try:
        (outcome,) = daemon.call(
            "pkitools.aovpn.ike.run:test_ike", ["[::1]"], certificate=True, name=SERVER_NAME, revocation="off"
        )
    finally:
        daemon.close()
    server = outcome.value
    assert [item.dh_group.value for item in server.accepted_policies] == ["ECP384"]
    assert (server.features.nat_at_client, server.features.nat_at_server) == (False, False)
    assert server.certificate.auth_verified is True
    assert outcome.status is Status.FINDING  # nobody gave the root
