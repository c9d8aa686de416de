from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pkitools.adcs import checks, service
from pkitools.adcs.checks import ForestTrust, addresses, check_cas, fetch_all, read_trust
from pkitools.adcs.discovery import find_cas
from pkitools.adcs.reachability import Reachability
from pkitools.errors import ConnectError, NameResolutionError
from pkitools.models.outcome import Reason, Severity, finding
from pkitools.transport.deadline import Deadline
from pkitools.trust.members import Member, member_of
from pkitools.trust.signatures import Proof
from tests.lab.pki_directory import CAS, PKS, ROOT, DirectoryObject, LabCA, ca_certificate, enrollment_service, forest
from tests.unit.adcs.memory_directory import CONFIG, MemoryDirectory

HTTP_CDP, HTTP_AIA = "http://pki.example.test/ca.crl", "http://pki.example.test/ca.crt"
UP = Reachability(True)


def findings(directory: MemoryDirectory, trust: ForestTrust | None = None, **arguments) -> dict[str, list[str]]:  # noqa: ANN003
    cas = find_cas(directory)
    hosts = arguments.pop("hosts", {ca.computer_name: UP for ca in cas})
    checked = check_cas(cas, trust or read_trust(directory), hosts, arguments.pop("fetched", {}), **arguments)
    return {ca.display_name: [item.id for item in ca.findings] for ca in checked}


def test_the_labs_cas() -> None:
    assert findings(MemoryDirectory()) == {
        "Köln & Partner Sub CA": ["TemplateMissing", "SharedHost"],
        "Example Remote Access Issuing Certification Authority 2026 G2": [],
        "Second CA": ["SharedHost"],
        "zentrale Zebra CA": [],
        "Stale CA": ["Expired", "NotInNTAuth"],
        "Standalone CA": [],
        "Closed CA": [],
    }


def test_one_search_for_all_that_is_trusted() -> None:
    directory = MemoryDirectory()
    trust = read_trust(directory)
    assert len(directory.searches) == 1
    assert len(trust.nt_auth) == 5
    assert len(trust.roots) == 2
    assert "aovpn-user" in trust.templates
    assert trust.hosts["ca1.ad.example.test"] == 2


def test_dates() -> None:
    now = datetime.now(UTC)
    directory = MemoryDirectory()
    soon = findings(directory, now=now + timedelta(days=950))
    assert "Expiring" in soon["Second CA"]
    assert "NotYetValid" in findings(directory, now=now - timedelta(days=3000))["Second CA"]
    assert "Expired" in findings(directory, now=now + timedelta(days=1001))["Second CA"]


def test_a_chain_that_the_directory_does_not_hold() -> None:
    objects = [item for item in forest() if ROOT not in item.rdns]
    assert findings(MemoryDirectory(objects))["Second CA"] == ["ChainIncomplete", "SharedHost"]
    objects = [item for item in forest() if f"{ROOT},CN=Certification" not in item.rdns]
    assert findings(MemoryDirectory(objects))["Second CA"] == ["RootNotPublished", "SharedHost"]


def test_another_key_of_the_same_name_is_no_issuer() -> None:
    """The issuer must have signed: a name alone proves nothing."""
    forged = bytearray(ca_certificate(CAS[2].display_name, CAS[2].issuer, CAS[2].days))
    forged[-5] ^= 1
    objects = [item for item in forest() if item.rdns.partition(",")[0] != "CN=Second CA"]
    service = enrollment_service(CAS[2])
    objects.append(replace(service, attributes={**service.attributes, "cACertificate": [bytes(forged)]}))
    assert "ChainIncomplete" in findings(MemoryDirectory(objects))["Second CA"]


def test_no_certificate() -> None:
    service = enrollment_service(CAS[1])
    broken = replace(service, attributes={**service.attributes, "cACertificate": [b"\0"]})
    assert findings(MemoryDirectory([broken]))[CAS[1].display_name][0] == "NoCertificate"


def test_hosts() -> None:
    reason = Reason("Timeout", "ca1 was silent", code="WSAETIMEDOUT")
    hosts = {
        "ca1.ad.example.test": Reachability(False, reason),
        "ca2.ad.example.test": Reachability(False, Reason("NameNotResolved", "no name"), in_dns=False),
    }
    found = findings(MemoryDirectory(), hosts=hosts)
    assert "NotAccessible" in found["Second CA"]
    assert "HostNotInDns" in found[CAS[1].display_name]
    assert not {"NotAccessible", "HostNotInDns"} & set(found["Closed CA"])


def test_a_host_that_answers_without_its_ca() -> None:
    reason = Reason(
        "ServiceStopped", "certsvc does not answer", "start it", "nca_s_fault_context_mismatch", "0x1C00001A"
    )
    cas = [replace(ca, is_accessible=False, is_accessible_reason=reason) for ca in find_cas(MemoryDirectory())]
    hosts = {ca.computer_name: UP for ca in cas}
    for ca in check_cas(cas, read_trust(MemoryDirectory()), hosts, {}):
        found = [item for item in ca.findings if item.id == "NotAccessible"]
        assert [(item.message, item.next_step, item.code, item.code_hex) for item in found] == [
            ("certsvc does not answer", "start it", "nca_s_fault_context_mismatch", "0x1C00001A")
        ]


def test_what_the_ca_said_itself_is_kept() -> None:
    said = finding(Severity.WARNING, "TypeDisagrees", "the CA calls itself something else", "look at it")
    cas = [replace(ca, findings=(said,)) for ca in find_cas(MemoryDirectory())]
    assert all(said in ca.findings for ca in check_cas(cas, read_trust(MemoryDirectory()), {}, {}))


def test_ten_thousand_namesakes_cost_a_bounded_number_of_signature_checks(monkeypatch) -> None:  # noqa: ANN001
    tried = []
    monkeypatch.setattr(Member, "proof", lambda _self, issuer: tried.append(issuer) or Proof.BAD)
    root = member_of(ca_certificate(ROOT, ROOT, 500))
    namesakes = [root] * 10_000
    monkeypatch.setattr(checks, "_by_subject", lambda _trust: {root.subject: namesakes})
    found = findings(MemoryDirectory())
    assert "ChainNotChecked" in found["Second CA"]
    assert len(tried) <= len(CAS) * checks.MAX_NAMESAKES


class Fetcher:
    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers = answers

    def fetch(self, url, *, limit, deadline, body=None, kind=""):  # noqa: ANN001, ANN201
        if url not in self.answers:
            raise ConnectError(f"{url} is away")
        return self.answers[url]


def directory_with(*urls: str) -> MemoryDirectory:
    ca = LabCA("Pointing CA", "Pointing CA", "ca9.ad.example.test", templates=())
    certificate = ca_certificate("Pointing CA", ROOT, 500, urls)
    service = enrollment_service(ca)
    pointing = replace(service, attributes={**service.attributes, "cACertificate": [certificate]})
    cdp = f"CN=Pointing CA,CN=ca9,CN=CDP,{PKS}"
    held = DirectoryObject(cdp, "cRLDistributionPoint", {"certificateRevocationList": [b"\x30\x00"]})
    nt_auth = DirectoryObject(
        f"CN=NTAuthCertificates,{PKS}", "certificationAuthority", {"cACertificate": [certificate]}
    )
    others = [item for item in forest() if "NTAuth" not in item.rdns and item.object_class == "certificationAuthority"]
    return MemoryDirectory([pointing, held, nt_auth, *others])


def test_http_addresses_of_the_certificate_are_fetched_once() -> None:
    directory = directory_with(HTTP_CDP, HTTP_AIA)
    urls = addresses(find_cas(directory))
    assert urls == (HTTP_CDP, HTTP_AIA)
    well = fetch_all(urls, Fetcher({HTTP_CDP: b"\x30\x03", HTTP_AIA: b"-----BEGIN CERTIFICATE-----"}), Deadline(5))
    assert findings(directory, fetched=well)["Pointing CA"] == []
    bad = fetch_all(urls, Fetcher({HTTP_AIA: b"<html>404"}), Deadline(5))
    assert findings(directory, fetched=bad)["Pointing CA"] == ["CDPNotFetchable", "AIANotFetchable"]


def test_ldap_addresses_are_looked_up_in_what_was_read() -> None:
    there = f"ldap:///CN=pointing%20CA,CN=CA9,CN=CDP,{PKS},{CONFIG}?certificateRevocationList?base".replace(" ", "%20")
    assert findings(directory_with(there, "ldap://other.host/CN=x?cACertificate"))["Pointing CA"] == []
    assert findings(directory_with(there.replace("CA9", "ca8"), "ldap:///CN=x?cACertificate"))["Pointing CA"] == [
        "CDPNotFetchable",
        "AIANotFetchable",
    ]


def test_every_finding_says_what_to_do() -> None:
    for ca in check_cas(find_cas(MemoryDirectory()), ForestTrust(), {}, {}):
        assert ca.findings
        for item in ca.findings:
            assert item.next_step and item.severity is not Severity.NOTE


def test_addresses_are_looked_up_where_the_user_said() -> None:
    """--dns is for jump hosts whose own resolver does not know the domain."""
    cas = find_cas(directory_with(HTTP_CDP, HTTP_AIA))
    asked = []

    def resolve(host, port, deadline):  # noqa: ANN001, ANN202
        asked.append(host)
        raise NameResolutionError(f"no {host} here")

    no_name = "no pki.example.test here"
    assert service._fetch(cas, Deadline(3), resolve) == {HTTP_CDP: no_name, HTTP_AIA: no_name}
    assert set(asked) == {"pki.example.test"}
