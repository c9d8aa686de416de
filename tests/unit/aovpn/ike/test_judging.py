"""What is concluded from an answer: expectations, weak policies, NAT, vendor ids, CAs, and how it looks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pkitools.aovpn.ike.certificate import identity_text
from pkitools.aovpn.ike.expect import read_expectation
from pkitools.aovpn.ike.features import features_of, vendor_hint
from pkitools.aovpn.ike.judging import Expectation, findings_of, weak_parts
from pkitools.aovpn.ike.offers import ALL
from pkitools.aovpn.policy import BASELINES, WINDOWS_IKE_POLICIES
from pkitools.errors import FormatError, InputError
from pkitools.models.ike import (
    IkeAuthority,
    IkeCertificate,
    IkeFeatures,
    IkePort,
    IkeServer,
    IkeVendorId,
    IkeVerdict,
    OtherIkePolicy,
)
from pkitools.models.ipsec import DHGroup, EncryptionMethod, IkePolicy, IntegrityCheckMethod
from pkitools.models.outcome import Outcome, Status, judged
from pkitools.output.text import render as render_lines
from pkitools.output.views.ike_server import render
from pkitools.protocol.ike.payloads import CertificateRequest, Identification, KeyExchange, Notify, nat_detection_hash
from pkitools.protocol.ike.sa_init import Chosen

STANDARD = BASELINES["aovpn-standard"].ike[0]
DEFAULT = BASELINES["windows-default"]
SPI, SERVER_SPI = b"iiiiiiii", b"rrrrrrrr"
OURS, THEIRS = ("192.0.2.1", 40000), ("192.0.2.9", 500)


def server(*policies: IkePolicy, **changes) -> IkeServer:
    found = IkeServer(
        host="vpn.example.com",
        address="192.0.2.9",
        verdict=IkeVerdict.ACCEPTED,
        ports=(IkePort(500, True, IkeVerdict.ACCEPTED), IkePort(4500, True, IkeVerdict.ACCEPTED)),
        accepted_policies=policies,
        rejected_count=168 - len(policies),
        undecided_policies=(),
        other_policy=None,
        features=IkeFeatures(True, False, False, (), (), ()),
        method="Stateless",
        cookie_required=False,
        packets_sent=13,
        retransmissions=0,
        largest_packet=728,
        seconds=0.01,
    )
    return replace(found, **changes)


def ids(findings) -> list[tuple[str, str]]:
    return [(item.id, item.severity.value) for item in findings]


# expectations


def test_baselines_are_expectations():
    for name, baseline in BASELINES.items():
        assert read_expectation(name.upper()) == Expectation(name, baseline.ike)


@pytest.mark.parametrize(
    "text",
    [
        "EncryptionMethod : AES128\r\nIntegrityCheckMethod : SHA256\r\nDHGroup : Group14\r\n"
        "CipherTransformConstants : AES128\r\nAuthenticationTransformConstants : SHA256128\r\nPfsGroup : PFS2048\r\n",
        '{"EncryptionMethod":"AES128","IntegrityCheckMethod":"SHA256","DHGroup":"Group14",'
        '"CipherTransformConstants":"AES128","AuthenticationTransformConstants":"SHA256128","PfsGroup":"PFS2048"}',
    ],
)
def test_a_file_is_an_expectation(tmp_path, text):
    path = tmp_path / "kunde ü.txt"
    path.write_text(text, "utf-16")
    assert read_expectation(str(path)).policies == (STANDARD,)


@pytest.mark.parametrize("text", ["aovpn-standart", "ike:vpn.example.com", "./missing.txt"])
def test_no_expectation(text):
    with pytest.raises(InputError):
        read_expectation(text)


def test_a_file_without_a_policy(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("EncryptionMethod : ROT13\n")
    with pytest.raises((FormatError, InputError)):
        read_expectation(str(path))


def test_expected_policy():
    expectation = Expectation("aovpn-standard", (STANDARD,))
    assert ids(findings_of(server(STANDARD), expectation)) == []
    missing = findings_of(server(WINDOWS_IKE_POLICIES[-2]), expectation)
    assert ids(missing)[0] == ("ExpectedPolicyMissing", "Error")
    assert (missing[0].code, missing[0].code_hex) == ("ERROR_IPSEC_IKE_POLICY_MATCH", "0x0000362C")
    undecided = server(undecided_policies=(STANDARD,), verdict=IkeVerdict.THROTTLED)
    assert "ExpectedPolicyMissing" not in [item.id for item in findings_of(undecided, expectation)]


def test_weak_policies():
    weak = IkePolicy(EncryptionMethod.DES3, IntegrityCheckMethod.SHA1, DHGroup.GROUP2)
    assert weak_parts(weak) == ("DES3", "SHA1", "Group2")
    assert weak_parts(STANDARD) == ()
    assert ids(findings_of(server(weak), None)) == [("WeakPolicyAccepted", "Note")]
    assert ids(findings_of(server(STANDARD, weak), Expectation("x", (STANDARD,)))) == [
        ("WeakPolicyAccepted", "Warning")
    ]
    assert ids(findings_of(server(weak), Expectation(DEFAULT.name, DEFAULT.ike))) == [("WeakPolicyAccepted", "Note")]


@pytest.mark.parametrize("dead", [500, 4500])
def test_dead_ports(dead):
    ports = tuple(IkePort(number, number != dead, None, "no answer") for number in (500, 4500))
    (finding,) = findings_of(server(STANDARD, ports=ports), None)
    assert (finding.id, finding.code, finding.code_hex) == ("PortBlocked", "ERROR_VPN_TIMEOUT", "0x00000329")
    assert str(dead) in finding.message


def test_certificate_findings():
    not_shown = server(STANDARD, certificate=IkeCertificate(False, "why"))
    assert ids(findings_of(not_shown, None)) == [("CertificateNotShown", "Note")]
    forged = server(STANDARD, certificate=IkeCertificate(True, "wrong", auth_verified=False))
    (finding,) = findings_of(forged, None)
    assert (finding.id, finding.code, finding.severity.value) == (
        "AuthNotVerified",
        "ERROR_IPSEC_IKE_AUTH_FAIL",
        "Error",
    )


# features


def chosen(*notifies: Notify, vendor_ids=(), authorities=()) -> Chosen:
    requests = (CertificateRequest(4, authorities),) if authorities else ()
    return Chosen(SERVER_SPI, None, KeyExchange(14, b""), bytes(32), notifies, vendor_ids, requests)


def nat(source: tuple[str, int], destination: tuple[str, int]) -> tuple[Notify, Notify]:
    return (
        Notify(16388, nat_detection_hash(SPI, SERVER_SPI, *source)),
        Notify(16389, nat_detection_hash(SPI, SERVER_SPI, *destination)),
    )


def test_nat():
    def found(*notifies):
        features = features_of(SPI, chosen(*notifies), OURS, THEIRS, {})
        return features.nat_at_client, features.nat_at_server

    assert found() == (None, None)
    assert found(*nat(THEIRS, OURS)) == (False, False)
    assert found(*nat(THEIRS, ("198.51.100.1", 40000))) == (True, False)
    assert found(*nat(("10.0.0.9", 500), OURS)) == (False, True)
    # several sources: one that fits is enough (RFC 7296 2.23)
    other, fits = nat(("10.0.0.9", 500), OURS)[0], nat(THEIRS, OURS)
    assert found(other, *fits) == (False, False)


def test_vendor_ids_are_hints():
    assert vendor_hint(bytes.fromhex("1e2b516905991c7d7c96fcbfb587e46100000009")).startswith("Microsoft")
    assert vendor_hint(b"strongSwan \x1b[31m") == ""
    assert vendor_hint(b"Printable 1.0") == "Printable 1.0"
    assert vendor_hint(b"") == ""


def test_authorities_are_named():
    features = features_of(SPI, chosen(authorities=(b"a" * 20, b"b" * 20)), OURS, THEIRS, {b"b" * 20: "CN=Prüf-Root"})
    assert features.certificate_authorities == (
        IkeAuthority("61" * 20, ""),
        IkeAuthority("62" * 20, "CN=Prüf-Root"),
    )
    with_it = server(STANDARD, features=replace(features, fragmentation=True))
    assert findings_of(with_it, None, ["CN=Prüf-Root"]) == ()
    unnamed = replace(features, fragmentation=True, certificate_authorities=(IkeAuthority("61" * 20),))
    (finding,) = findings_of(server(STANDARD, features=unnamed), None, ["CN=Prüf-Root"])
    assert (finding.id, finding.severity.value, finding.code) == (
        "AuthorityNotRequested",
        "Note",
        "ERROR_IPSEC_IKE_NO_CERT",
    )


@pytest.mark.parametrize(
    ("identification", "text"),
    [
        (Identification(2, "vpn.exämple".encode()), "vpn.exämple"),
        (Identification(2, b"\xff\x1b"), "\\xff\x1b"),
        (Identification(1, bytes((192, 0, 2, 1))), "192.0.2.1"),
        (Identification(1, b"short"), "73686f7274"),
        (Identification(5, bytes(15) + b"\x01"), "::1"),
        (Identification(9, bytes.fromhex("300e310c300a06035504030c0376706e")), "CN=vpn"),
        (Identification(9, b"\x30\x05junk"), "30056a756e6b"),
        (Identification(11, b"\x01\x02"), "0102"),
    ],
)
def test_identities(identification, text):
    assert identity_text(identification) == text


# view


def text_of(outcome: Outcome[IkeServer], many: bool = False) -> str:
    return render_lines(render(outcome, many), colour=False)


def test_answer_comes_first():
    value = server(STANDARD)
    assert text_of(judged("vpn.example.com", value, ())).splitlines()[0] == (
        "OK    vpn.example.com  accepts AES128 SHA256 Group14"
    )
    assert len(text_of(judged("vpn.example.com", value, ()), many=True).splitlines()) == 1


def test_sets_are_shown_as_products():
    text = text_of(judged("x", server(*BASELINES["windows11-default"].ike), ()))
    assert "DES3/AES128/AES192/AES256/GCMAES128/GCMAES256  SHA1/SHA256/SHA384  Group2" in text
    assert "accepts 18 of the 168" in text


def test_everything_is_shown():
    features = IkeFeatures(
        False,
        True,
        True,
        (IkeAuthority("61" * 20, "CN=Prüf-Root 🔐"),),
        (IkeVendorId("00" * 16, "hint\x1b"),),
        ("COOKIE",),
    )
    value = server(
        verdict=IkeVerdict.NOT_EXPRESSIBLE,
        other_policy=OtherIkePolicy("AES_CBC", 256, "HMAC_SHA2_512", "HMAC_SHA2_512_256", "ECP_521"),
        features=features,
        cookie_required=True,
        retransmissions=2,
        certificate=IkeCertificate(False, "not shown"),
        expected="aovpn-standard",
    )
    findings = findings_of(value, None)
    text = text_of(judged("x", replace(value, findings=findings), findings))
    for words in (
        "FAIL  x  accepts no IKE policy that Windows can express",
        "AES_CBC 256, HMAC_SHA2_512_256, PRF HMAC_SHA2_512, ECP_521",
        "at the client and the server",
        "CN=Prüf-Root 🔐  public key SHA-1 6161",
        "hint\\x1b",
        "not announced",
        "(2 sent again)",
        "cookies asked for",
        "certificate    not shown",
    ):
        assert words in text


def test_what_is_not_known_is_said():
    value = server(STANDARD, verdict=IkeVerdict.THROTTLED, undecided_policies=WINDOWS_IKE_POLICIES[:7])
    text = text_of(Outcome("x", Status.NO_ANSWER, value))
    assert text.startswith("????  x  accepts AES128 SHA256 Group14 so far; 7 not decided")
    assert len(ALL) == 168
