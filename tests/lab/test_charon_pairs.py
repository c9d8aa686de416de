"""The verdict of compare-ipsec against charon's own, for client and server policies that meet charon as both sides."""

from __future__ import annotations

import json
import re
import sys
from functools import cache

import pytest

from pkitools.aovpn.compare import compare_sources
from pkitools.aovpn.policy import BASELINES, swan_esp_proposal, swan_ike_proposal, word
from pkitools.aovpn.policy_sources.logs import read_log
from pkitools.aovpn.policy_sources.source import PolicySource, of_named, of_policy
from pkitools.aovpn.policy_sources.swan import read_swanctl
from pkitools.models.ipsec import (
    AuthenticationTransformConstants,
    CipherTransformConstants,
    DHGroup,
    EncryptionMethod,
    IntegrityCheckMethod,
    IPsecPolicy,
    PfsGroup,
)
from pkitools.models.ipsec_comparison import TunnelVerdict
from tests.lab.charon import UNLIMITED, Charon, Responder

pytestmark = pytest.mark.lab


def policy(text: str) -> IPsecPolicy:
    """A policy of six words in the order Encryption Integrity DH Cipher Authentication PFS."""
    encryption, integrity, group, cipher, authentication, pfs = text.split()
    return IPsecPolicy(
        word(AuthenticationTransformConstants, authentication),
        word(CipherTransformConstants, cipher),
        word(DHGroup, group),
        word(IntegrityCheckMethod, integrity),
        word(PfsGroup, pfs),
        word(EncryptionMethod, encryption),
    )


# The policies that published profiles, phonebooks and baselines have, and neighbours that differ in one field.
POLICIES = [
    "AES128 SHA256 Group14 AES128 SHA256128 PFS2048",
    "AES256 SHA256 Group14 AES256 SHA256128 None",
    "AES256 SHA384 Group2 AES256 SHA256128 None",
    "AES256 SHA1 Group14 AES256 SHA196 PFSMM",
    "DES3 SHA1 Group2 DES3 SHA196 None",
    "DES MD5 Group1 DES MD596 PFS1",
    "AES192 SHA384 ECP384 AES192 SHA256128 ECP384",
    "GCMAES256 SHA384 ECP384 GCMAES256 GCMAES256 ECP384",
    "GCMAES256 SHA256 ECP384 GCMAES256 GCMAES256 ECP384",
    "GCMAES128 SHA256 Group14 GCMAES128 GCMAES128 ECP256",
    "GCMAES128 SHA256 Group14 GCMAES192 GCMAES192 None",
    "GCMAES128 SHA1 ECP256 AES128 SHA196 PFS24",
    "AES256 SHA256 Group24 GCMAES256 GCMAES256 PFS2",
]
MIXED = {
    "broad": (
        "aes256-aes128-sha384-sha256-modp2048-ecp256,aes256gcm16-aes128gcm16-prfsha256-prfsha384-ecp384-modp2048",
        "aes256-aes128-sha256-sha1,aes256gcm16-aes128gcm16",
    ),
    "foreign": ("aes256-sha512-modp4096,chacha20poly1305-prfsha512-curve25519", "aes256-sha512"),
    "other-prf": (
        "aes256-sha256-prfsha384-modp2048,aes128-sha256-prfsha256-modp2048",
        "aes128-sha256-ecp256,null-sha1",
    ),
}


def sides() -> dict[str, tuple[str, str, PolicySource | None]]:
    """Name -> strongSwan's words for IKE and ESP, and the same as Windows policies where it has words."""
    found: dict[str, tuple[str, str, PolicySource | None]] = {}
    for text in POLICIES:
        one = policy(text)
        words = swan_ike_proposal(one.ike), swan_esp_proposal(one.child, one.dh_group)
        found[text] = (*words, of_policy(one, "policy"))
    for name in ("windows-default", "windows11-default"):
        named = BASELINES[name]
        ike = ",".join(swan_ike_proposal(item) for item in named.ike)
        found[name] = (ike, ",".join(swan_esp_proposal(item) for item in named.child), of_named(named))
    return found | {name: (*words, None) for name, words in MIXED.items()}


SIDES = sides()
NAMES = list(SIDES)  # the mixed ones are servers only
CLIENTS = [at for at, name in enumerate(NAMES) if name not in MIXED]


def connection(name: str, local: str, remote: str, words: tuple[str, str], *, initiator: bool) -> str:
    mine, theirs = ("c", "s") if initiator else ("s", "c")
    subnets = ("10.2.0.0/24", "10.1.0.0/24") if initiator else ("10.1.0.0/24", "10.2.0.0/24")
    peer = f"    remote_addrs = {remote}\n" if initiator else ""
    return (
        f"  {name} {{\n    version = 2\n    unique = never\n    local_addrs = {local}\n{peer}"
        f"    proposals = {words[0]}\n    local {{\n      auth = psk\n      id = {mine}\n    }}\n"
        f"    remote {{\n      auth = psk\n      id = {theirs}\n    }}\n"
        f"    children {{\n      {name} {{\n        esp_proposals = {words[1]}\n        local_ts = {subnets[0]}\n"
        f"        remote_ts = {subnets[1]}\n      }}\n    }}\n  }}\n"
    )


@cache
def as_read(at: int) -> PolicySource:
    """A side as our reader takes it from the configuration that charon runs with."""
    text = connection("x", "127.0.0.1", "", SIDES[NAMES[at]][:2], initiator=False)
    return read_swanctl(f"connections {{\n{text}}}\n")


def configuration() -> str:
    text = "".join(
        connection(f"s{at}", f"127.1.0.{at + 1}", "", SIDES[name][:2], initiator=False) for at, name in enumerate(NAMES)
    )
    for at in CLIENTS:
        for to in range(len(NAMES)):
            local, remote = f"127.2.{at + 1}.{to + 1}", f"127.1.0.{to + 1}"
            text += connection(f"c{at}x{to}", local, remote, SIDES[NAMES[at]][:2], initiator=True)
    return f"connections {{\n{text}}}\nsecrets {{\n  ike-test {{\n    secret = test-only\n  }}\n}}\n"


@pytest.fixture(scope="module")
def negotiated(tmp_path_factory):
    """Every pair's log of charon."""
    folder = tmp_path_factory.mktemp("pairs")
    log = folder / "pairs.log"
    settings = {
        **UNLIMITED,
        "filelog { pairs { path": f"{log}\n  default = 1\n  cfg = 2\n  flush_line = yes\n  }}\n  }}",
    }
    settings["retransmit_tries"] = "1"
    charon = Charon(folder, [], settings)
    (folder / "pairs.conf").write_text(configuration())
    uri = ("--uri", f"unix://{folder / 'charon.vici'}")
    try:
        code, out, error = charon.command(
            "swanctl", "--load-all", "--noprompt", "--file", str(folder / "pairs.conf"), *uri
        )
        assert code == 0, out[-2000:] + error[-2000:]
        found = {}
        for at in CLIENTS:
            for to in range(len(NAMES)):
                before = log.stat().st_size
                charon.command("swanctl", "--initiate", "--child", f"c{at}x{to}", "--timeout", "5", "--raw", *uri)
                with log.open("rb") as file:
                    file.seek(before)
                    found[at, to] = file.read().decode()
    finally:
        charon.close()
    return found


def charons_verdict(log: str) -> TunnelVerdict:
    if "selected proposal: IKE:" not in log:
        assert "no proposal found" in log or "no matching proposal found" in log or "NO_PROP" in log, log[-2000:]
        return TunnelVerdict.IKE_MISMATCH
    if "selected proposal: ESP:" in log:
        return TunnelVerdict.MATCH
    assert "no acceptable proposal found" in log, log[-2000:]
    return TunnelVerdict.CHILD_MISMATCH


def test_the_verdicts_are_charons_own(negotiated):
    assert len(negotiated) >= 200
    seen, wrong = set(), []
    for (at, to), log in negotiated.items():
        client, server = as_read(at), as_read(to)
        expected = charons_verdict(log)
        seen.add(expected)
        ours = compare_sources(client, server).verdict
        if ours is not expected:
            wrong.append((NAMES[at], NAMES[to], ours, expected))
    assert not wrong
    assert seen == {TunnelVerdict.MATCH, TunnelVerdict.IKE_MISMATCH, TunnelVerdict.CHILD_MISMATCH}


def test_windows_policies_get_the_same_verdict_as_their_strongswan_words(negotiated):
    checked = 0
    for (at, to), log in negotiated.items():
        client, server = SIDES[NAMES[at]][2], SIDES[NAMES[to]][2]
        if client is not None and server is not None:
            assert compare_sources(client, server).verdict is charons_verdict(log), (NAMES[at], NAMES[to])
            checked += 1
    assert checked >= 200


def test_logs_of_failed_negotiations_hold_both_sides(negotiated):
    read = 0
    for (at, to), log in negotiated.items():
        if charons_verdict(log) is not TunnelVerdict.IKE_MISMATCH or not re.search(r"received proposals: IKE", log):
            continue
        client, server = read_log(log, client=True), read_log(log, client=False)
        assert set(client.ike) == set(as_read(at).ike), NAMES[at]
        assert set(server.ike) == set(as_read(to).ike), NAMES[to]
        assert compare_sources(client, server).verdict is TunnelVerdict.IKE_MISMATCH
        read += 1
    assert read > 50


def test_a_probe_stands_for_the_server(tmp_path):
    """``ike:HOST`` through the whole command, beside charon."""
    enhanced = BASELINES["aovpn-enhanced"]
    charon = Charon(tmp_path, [Responder("127.0.9.1", swan_ike_proposal(enhanced.ike[0]))])
    try:
        for client, code in (("aovpn-enhanced", 0), ("aovpn-standard", 1), ("windows11-default", 1)):
            done = charon.command(
                sys.executable, "-m", "pkitools", "compare-ipsec", client, "ike:127.0.9.1", "-o", "json"
            )
            assert (done[0], done[2]) == (code, "")
            (record,) = json.loads(done[1])
            assert record["Verdict"] == ("IkeMismatch" if code else "IkeOnly")
            fields = {item["Name"]: item for item in record["Fields"]}
            assert fields["DHGroup"]["Server"] == ["Group14"]
            assert fields["PfsGroup"]["Verdict"] == "NotVisible"
            if code:
                assert "-EncryptionMethod GCMAES128" in record["ClientCommands"][0]
    finally:
        charon.close()
