"""The truth about what charon is configured to accept, in every mode."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest

from pkitools.aovpn.ike.probe import ProbeOptions
from pkitools.aovpn.policy import BASELINES, WINDOWS_IKE_POLICIES, swan_ike_proposal
from pkitools.models.ike import IkeVerdict
from pkitools.models.outcome import Status
from pkitools.transport.udp import NAT_T_PORT, Port
from tests.lab.charon import Charon, Responder
from tests.lab.programs import require_program

pytestmark = pytest.mark.lab

EACH = {f"127.1.{number // 200}.{number % 200 + 1}": policy for number, policy in enumerate(WINDOWS_IKE_POLICIES)}
WINDOWS11 = (
    "aes256-aes192-aes128-3des-sha384-sha256-sha1-modp1024,aes256gcm16-aes128gcm16-prfsha384-prfsha256-prfsha1-modp1024"
)
WINDOWS_11_SET = set(BASELINES["windows11-default"].ike)
SETS = {
    "127.2.0.1": (WINDOWS11, WINDOWS_11_SET),
    "127.2.0.2": (
        "aes256-sha384-ecp384,aes128gcm16-prfsha256-modp2048,3des-sha1-modp1024",
        {
            policy
            for policy in WINDOWS_IKE_POLICIES
            if swan_ike_proposal(policy)
            in ("aes256-sha384-ecp384", "aes128gcm16-prfsha256-modp2048", "3des-sha1-modp1024")
        },
    ),
    # PRF and integrity of different hashes: Windows has no word for it, and a plain AES256 SHA256 must not be reported
    "127.2.0.3": ("aes256-sha256-prfsha384-modp2048", set()),
    "127.2.0.4": ("aes256-sha512-ecp521", set()),
}
NO_CONNECTION = "127.3.0.1"
FAST = ProbeOptions(fast=True, timeout=20)
GENTLE = ProbeOptions(timeout=20)


@pytest.fixture(scope="module")
def charon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Charon]:
    each = [Responder(address, swan_ike_proposal(policy)) for address, policy in EACH.items()]
    sets = [Responder(address, proposals) for address, (proposals, _) in SETS.items()]
    silent = Responder("127.2.0.9", "aes256-sha256-ecp256", options={"fragmentation": "no"})
    daemon = Charon(tmp_path_factory.mktemp("charon"), [*each, *sets, silent])
    yield daemon
    daemon.close()


def ask(charon: Charon, hosts, options):
    return charon.call("pkitools.aovpn.ike.run:probe_hosts", tuple(hosts), options)


def questions(outcome) -> int:
    """Packets without those that a busy machine made us send again."""
    return outcome.value.packets_sent - outcome.value.retransmissions


@pytest.mark.parametrize("options", [GENTLE, FAST], ids=["stateless", "fast"])
def test_each_of_the_168_policies_is_named_alone(charon, options):
    outcomes = ask(charon, EACH, options)
    assert [item.value.accepted_policies for item in outcomes] == [(policy,) for policy in EACH.values()]
    assert {item.status for item in outcomes} == {Status.OK}
    assert {item.value.rejected_count for item in outcomes} == {167}
    assert max(questions(item) for item in outcomes) <= (4 if options.fast else 20)
    assert max(item.value.largest_packet for item in outcomes) <= 1200
    assert all(
        port.verdict is IkeVerdict.ACCEPTED for item in outcomes for port in item.value.ports if port.port == 500
    )
    assert all(port.answers for item in outcomes for port in item.value.ports)


@pytest.mark.parametrize("options", [GENTLE, FAST], ids=["stateless", "fast"])
@pytest.mark.parametrize("address", SETS)
def test_sets_of_policies(charon, address, options):
    (outcome,) = ask(charon, [address], options)
    assert set(outcome.value.accepted_policies) == SETS[address][1]
    assert outcome.value.undecided_policies == ()
    if not SETS[address][1]:
        assert outcome.value.verdict is IkeVerdict.NOT_EXPRESSIBLE
        assert outcome.status is Status.FINDING
        assert [item.code for item in outcome.value.findings] == ["ERROR_IPSEC_IKE_POLICY_MATCH"]


def test_windows_11_default_set_costs_at_most_60_packets(charon):
    (outcome,) = ask(charon, ["127.2.0.1"], GENTLE)
    assert questions(outcome) <= 60
    assert outcome.value.largest_packet <= 1200


def test_what_windows_cannot_say_is_named(charon):
    mixed, sha512 = ask(charon, ["127.2.0.3", "127.2.0.4"], GENTLE)
    other = mixed.value.other_policy
    assert (other.encryption, other.key_length, other.prf, other.integrity, other.dh_group) == (
        "AES_CBC",
        256,
        "HMAC_SHA2_384",
        "HMAC_SHA2_256_128",
        "MODP_2048",
    )
    assert sha512.value.other_policy.dh_group == "ECP_521"
    assert max(questions(mixed), questions(sha512)) <= 20


def test_search_on_port_4500_with_the_marker(charon):
    only_4500 = ProbeOptions(timeout=20, ports=(Port(4501), NAT_T_PORT))
    (outcome,) = ask(charon, ["127.2.0.1"], only_4500)
    assert set(outcome.value.accepted_policies) == WINDOWS_11_SET
    assert outcome.value.ports[0].verdict is IkeVerdict.UNREACHABLE
    (finding,) = [item for item in outcome.value.findings if item.id == "PortBlocked"]
    assert finding.code == "ERROR_VPN_TIMEOUT"


def test_wrong_framing_is_not_taken_for_a_closed_port(charon):
    """Without the marker charon is silent on 4500 or refuses by ICMP; with a marker on 500 it is silent."""
    swapped = ProbeOptions(timeout=2, ports=(Port(500, marker=True), Port(4500)))
    (outcome,) = ask(charon, ["127.2.0.1"], swapped)
    assert outcome.status is Status.NO_ANSWER
    assert outcome.value.accepted_policies == ()
    assert outcome.value.rejected_count == 0


def test_no_connection_is_a_rejection_and_no_listener_is_unreachable(charon):
    rejected, unreachable = (
        *ask(charon, [NO_CONNECTION], GENTLE),
        *ask(charon, [NO_CONNECTION], ProbeOptions(timeout=5, ports=(Port(501), Port(4501)))),
    )
    assert rejected.value.verdict is IkeVerdict.REJECTED
    assert rejected.status is Status.FINDING
    assert unreachable.value.verdict is IkeVerdict.UNREACHABLE
    assert (unreachable.status, unreachable.reason.code) == (Status.NO_ANSWER, "ERROR_VPN_TIMEOUT")


def test_the_default_method_leaves_no_half_open_sa(charon, tmp_path_factory):
    daemon = Charon(tmp_path_factory.mktemp("clean"), [Responder("127.2.0.1", WINDOWS11)], {"half_open_timeout": "60"})
    try:
        (outcome,) = ask(daemon, ["127.2.0.1"], GENTLE)
        assert set(outcome.value.accepted_policies) == WINDOWS_11_SET
        assert outcome.value.cookie_required is False
        assert daemon.half_open() == 0
    finally:
        daemon.close()


def test_features(charon):
    with_it, without = ask(charon, ["127.2.0.1", "127.2.0.9"], GENTLE)
    assert with_it.value.features.fragmentation is True
    assert without.value.features.fragmentation is False
    assert "NoIkeFragmentation" in [item.id for item in without.value.findings]
    for outcome in (with_it, without):
        features = outcome.value.features
        assert (features.nat_at_client, features.nat_at_server) == (False, False)
        assert "MULTIPLE_AUTH_SUPPORTED" in features.notifies
        assert len(features.certificate_authorities) == 1
        assert features.vendor_ids == ()


def test_expectations(charon):
    standard = next(address for address, item in EACH.items() if item == BASELINES["aovpn-standard"].ike[0])
    test_ike = "pkitools.aovpn.ike.run:test_ike"
    good, weak = charon.call(test_ike, [standard, "127.2.0.1"], expect="aovpn-standard")
    assert good.status is Status.OK
    assert [item.id for item in weak.value.findings] == ["ExpectedPolicyMissing", "WeakPolicyAccepted"]
    (default,) = charon.call(test_ike, ["127.2.0.1"], expect="windows11-default")
    assert default.status is Status.OK
    (too_much,) = charon.call(test_ike, ["127.2.0.1"], expect="windows-default")
    assert [(item.id, item.severity.value) for item in too_much.value.findings] == [
        ("WeakPolicyAccepted", "Warning"),
        ("WeakPolicyAccepted", "Note"),
    ]


def test_command_line(charon):
    code, text, complaint = charon.command(sys.executable, "-m", "pkitools", "test-ike", "127.1.0.1", "-o", "json")
    (record,) = json.loads(text)
    assert (code, complaint) == (0, "")
    assert record["AcceptedPolicies"] == [
        {"EncryptionMethod": "DES", "IntegrityCheckMethod": "MD5", "DHGroup": "Group1"}
    ]
    code, text, _ = charon.command(sys.executable, "-m", "pkitools", "test-ike", "127.2.0.3")
    assert code == 1
    assert "ERROR_IPSEC_IKE_POLICY_MATCH 0x0000362C" in text


def test_ike_scan_agrees_that_something_answers(charon):
    program = require_program("ike-scan")
    _, text, _ = charon.command(program, "--ikev2", "--sport=0", "127.1.0.1", "127.2.0.1")
    assert "2 hosts scanned" in text
    assert text.count("127.1.0.1") == text.count("127.2.0.1") == 1
