"""get-ca, get-ca-template and get-template against a real domain controller, property by property.

Expected values come from tests/lab/golden.py and from other programs: ldapsearch for the objects, Samba's SDDL parser
for the rights.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pkitools.adcs import service
from pkitools.models.outcome import Status
from pkitools.models.secret import Secret
from pkitools.transport import ldap
from pkitools.transport.credentials import AuthMethod, Credentials, DirectoryAddress
from tests.lab import golden, pki_lab
from tests.lab.pki_directory import CAS, PKS, LabCA, enrollment_service, forest, grant, template
from tests.lab.samba_dc import ALICE, BJOERN, CONFIG_DN, SambaDC, User
from tests.lab.sddl import descriptor_bytes

pytestmark = pytest.mark.lab
CAS_QUERY = "(objectClass=pKIEnrollmentService)"
KOELN = "ca1.ad.example.test\\K!00f6ln !0026 Partner Sub CA"


@dataclass
class Lab:
    """The domain controller, and how to ask it."""

    dc: SambaDC

    @property
    def address(self) -> DirectoryAddress:
        return DirectoryAddress(server=self.dc.address, dns_server=self.dc.address)

    def credentials(self, user: User = ALICE) -> Credentials:
        return Credentials(f"{user.name}@ad.example.test", Secret(user.password), method=AuthMethod.NTLM)

    def run(self, *arguments: str, user: User = ALICE, text: str = "", code: int = 0) -> str:
        """The real command line, as a plain user."""
        environment = {**os.environ, "LAB_PASSWORD": user.password}
        command = [sys.executable, "-m", "pkitools", *arguments, "--server", self.dc.address, "--dns", self.dc.address]
        command += ["--user", f"{user.name}@ad.example.test", "--password-env", "LAB_PASSWORD", "--auth", "ntlm"]
        done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", env=environment, check=False)
        assert done.returncode == code, (done.returncode, done.stderr)
        return done.stdout

    def records(self, *arguments: str, **options: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run(*arguments, "-o", "json", **options))
        return found


GROUP = "Gruppe-VPN"
GROUP_CA = LabCA("Group CA", "Group CA", "ca3.ad.example.test", templates=(GROUP,))


@pytest.fixture(scope="module")
def lab(samba_dc: SambaDC) -> Iterator[Lab]:
    """With DNS names for some CAs, and a template for the group VPN-Benutzer, in which alice is and Björn is not."""
    group = pki_lab.sid_of(samba_dc, "VPN-Benutzer")
    added = [
        template(GROUP, "Für die Gruppe", 2001, 2, grant(("enroll", group), ("auto", group))),
        enrollment_service(GROUP_CA),
    ]
    pki_lab.add(samba_dc, added)
    for host, address in (("ca1", "127.0.0.1"), ("ca2", "127.0.0.1"), ("ca3", samba_dc.address)):
        samba_dc.add_dns_record(host, "A", address)
    yield Lab(samba_dc)
    pki_lab.remove(samba_dc, added)


@pytest.fixture(scope="module")
def templates(lab: Lab) -> dict[str, dict[str, Any]]:
    found = {record["Name"]: record for record in lab.records("get-template")}
    assert found.pop(GROUP)["DisplayName"] == "Für die Gruppe"
    return found


def test_every_template_and_every_property(templates: dict[str, dict[str, Any]]) -> None:
    assert set(templates) == set(golden.expectations())
    assert {name: golden.differences(record) for name, record in templates.items()} == dict.fromkeys(templates, {})


def test_the_same_objects_as_ldapsearch(lab: Lab, templates: dict[str, dict[str, Any]]) -> None:
    base = f"CN=Certificate Templates,{PKS},{CONFIG_DN}"
    wanted = ("cn", "whenChanged", "msPKI-Cert-Template-OID", "displayName")
    others = pki_lab.search(lab.dc, base, "(objectClass=pKICertificateTemplate)", *wanted)
    others = {dn: values for dn, values in others.items() if GROUP not in dn}
    assert {record["DistinguishedName"] for record in templates.values()} == set(others)
    for record in templates.values():
        other = others[record["DistinguishedName"]]
        assert record["Name"].encode() == other["cn"][0]
        assert record["DisplayName"].encode() == other["displayName"][0]
        assert record["OID"]["Value"].encode() == other["msPKI-Cert-Template-OID"][0]
        written = re.sub(r"[-:T]|\+00:00", "", record["LastWriteTime"])
        assert f"{written}.0Z".encode() == other["whenChanged"][0]


def test_the_rights_are_those_that_sambas_own_parser_reads(lab: Lab, templates: dict[str, dict[str, Any]]) -> None:
    base = f"CN=Certificate Templates,{PKS},{CONFIG_DN}"
    found = pki_lab.search(lab.dc, base, "(objectClass=pKICertificateTemplate)", "cn", "nTSecurityDescriptor")
    theirs = pki_lab.samba_sddl([values["nTSecurityDescriptor"][0] for values in found.values()], lab.dc.domain_sid)
    for values, sddl in zip(found.values(), theirs, strict=True):
        record = templates.get(values["cn"][0].decode())
        if record is not None:
            assert golden.actual_rights(record) == golden.expected_rights(sddl, lab.dc.domain_sid), record["Name"]


def test_the_labs_encoder_and_sambas_parser_agree(lab: Lab) -> None:
    sddls = [item.sddl for item in forest() if item.sddl]
    theirs = pki_lab.samba_sddl([descriptor_bytes(sddl, lab.dc.domain_sid) for sddl in sddls], lab.dc.domain_sid)
    for ours, other in zip(sddls, theirs, strict=True):
        expected = golden.expected_rights(ours, lab.dc.domain_sid)
        assert golden.expected_rights(other, lab.dc.domain_sid) == expected


def test_principals_have_their_names(templates: dict[str, dict[str, Any]]) -> None:
    names = {rule["Identity"] for record in templates.values() for rule in record["Access"]}
    assert {
        "AD\\Domain Users",
        "AD\\Domain Admins",
        "AD\\Enterprise Admins",
        "AD\\RAS and IAS Servers",
        "AD\\Enterprise Read-only Domain Controllers",
        "NT AUTHORITY\\Authenticated Users",
        "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS",
    } <= names
    assert not [name for name in names if name.startswith("S-1-")]


@pytest.mark.parametrize(("user", "expected"), [(ALICE, True), (BJOERN, False)], ids=["member", "no member"])
def test_what_the_account_in_use_may_do(lab: Lab, user: User, expected: bool) -> None:
    records = lab.records("get-ca-template", "Group CA", "Köln*", user=user)
    found = {item["Name"]: (item["CanEnroll"], item["CanAutoenroll"]) for one in records for item in one["Templates"]}
    assert found[GROUP] == (expected, expected)
    assert found["User"] == (True, False)
    assert found["Denied"] == found["WebServer"] == (False, False)


def test_every_ca(lab: Lab) -> None:
    records = {record["Name"]: record for record in lab.records("get-ca", "--timeout", "5")}
    others = pki_lab.search(lab.dc, CONFIG_DN, CAS_QUERY, "cn", "cACertificate")
    assert {record["DistinguishedName"] for record in records.values()} == set(others)
    stored = {values["cn"][0].decode(): values for values in others.values()}
    for ca in CAS:
        record = records[ca.sanitized]
        assert record["DisplayName"] == ca.display_name
        assert record["ConfigString"] == f"{ca.host}\\{ca.sanitized}"
        assert record["IsEnterprise"] is (ca.flags & 1 == 0)
        assert record["IsRoot"] is (ca.issuer is None)
        assert base64.b64decode(record["Certificate"]["RawData"]) == stored[ca.sanitized]["cACertificate"][0]
        assert sorted(record["Templates"]) == sorted(ca.templates)
        assert record["CARights"]["Enroll"] is (ca.display_name != "Closed CA")
    # Samba's RPC answers on port 135 of these two, and has no DCOM activation to offer
    reasons = {name: record["IsAccessibleReason"]["Id"] for name, record in records.items()}
    assert {name for name, reason in reasons.items() if reason == "NotAnRpcHost"} == {"zentrale Zebra CA", "Group CA"}
    assert reasons["Stale CA"] == "NameNotResolved"
    assert [
        item["Priority"]
        for item in sorted(records[CAS[0].sanitized]["EnrollmentEndpoints"], key=lambda e: e["Priority"])
    ] == [1, 2]
    assert [item["Attribute"] for item in records[CAS[0].sanitized]["Undecodable"]] == ["msPKI-Enrollment-Servers"]


def test_check_is_a_finding_and_exit_code_1(lab: Lab) -> None:
    records = lab.records("get-ca", "--check", "--timeout", "5", code=1)
    found = {record["DisplayName"]: {item["Id"] for item in record["Findings"]} for record in records}
    assert found["Stale CA"] == {"Expired", "NotInNTAuth", "HostNotInDns"}
    assert found["Köln & Partner Sub CA"] == {"TemplateMissing", "SharedHost", "NotAccessible"}
    # the host answers on port 135, and there is no CA on it
    assert found["zentrale Zebra CA"] == {"SharedHost", "NotAccessible"}


def test_one_pipes_into_the_other(lab: Lab) -> None:
    text = lab.run("get-ca", "--computer-name", "ca2*", "--directory-only", "-o", "json")
    records = lab.records("get-ca-template", "-", text=text)
    assert [record["Name"] for record in records] == [CAS[1].sanitized]
    assert sorted(item["Name"] for item in records[0]["Templates"]) == ["Machine", "User"]


def test_a_ghost_is_listed_as_missing(lab: Lab) -> None:
    record = lab.records("get-ca-template", KOELN)[0]
    assert record["MissingTemplates"] == ["Ghost-Template"]
    assert [item["Name"] for item in record["Templates"] if item["IsMissing"]] == ["Ghost-Template"]
    assert "missing in the directory" in lab.run("get-ca-template", KOELN)


@pytest.mark.parametrize("pattern", ["web*", "Köln-Übung", "KÖLN-ÜBUNG", "VPN 😀", "Web/Server (extern)`*", "?ser"])
def test_wildcards_and_names_that_need_escaping(lab: Lab, pattern: str) -> None:
    expected = {"web*": 2}.get(pattern, 1)
    assert len(lab.records("get-template", "--name", pattern)) == expected


def test_a_name_that_is_not_there(lab: Lab) -> None:
    record = lab.records("get-template", "--name", "Nirgends", code=2)[0]
    assert record["Reason"]["Id"] == "ObjectNotFound"


def test_tables_have_pspkis_columns(lab: Lab) -> None:
    assert lab.run("get-template").splitlines()[0].split() == [
        "DisplayName", "SchemaVersion", "SupportedCA", "AutoenrollmentAllowed",
    ]  # fmt: skip
    head = lab.run("get-ca", "--directory-only").splitlines()[0].split()
    assert head == ["DisplayName", "ComputerName", "IsAccessible", "ServiceStatus", "Type"]
    rows = list(csv.DictReader(io.StringIO(lab.run("get-template", "--name", "User", "-o", "csv"))))
    assert rows[0]["DisplayName"] == "User"


def test_always_on_vpn(lab: Lab) -> None:
    records = lab.records("get-template", "--name", "AOVPN*", "--aovpn", code=1)
    found = {record["Name"]: {mark["Role"]: mark["IsSuitable"] for mark in record["AlwaysOnVpn"]} for record in records}
    assert found["AOVPN-User"] == {"UserAuthentication": True}
    assert found["AOVPN-UserNoSid"] == {"UserAuthentication": False}
    assert found["AOVPN-Server"] == {"VpnServer": True}
    granted = next(record for record in records if record["Name"] == "AOVPN-User")["AlwaysOnVpn"][0]["Findings"]
    assert "AD\\Domain Users" in granted[0]["Message"]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many searches each closed connection had sent."""
    counts: list[int] = []
    close = ldap.Directory.close

    def counting(self: ldap.Directory) -> None:
        counts.append(self.requests)
        close(self)

    monkeypatch.setattr(ldap.Directory, "close", counting)
    yield counts


def test_three_searches_and_one_for_sids_opening_included(lab: Lab, counted: list[int]) -> None:
    where, who = lab.address, lab.credentials()
    list(service.get_ca(where, who, directory_only=True))
    list(service.get_ca_template((), where, who))
    list(service.get_template(where, who))
    list(service.get_ca(where, who, check=True, directory_only=True))
    assert counted == [3, 4, 4, 4]


def test_a_global_catalog_resolves_names(lab: Lab) -> None:
    where = DirectoryAddress(server=lab.dc.address, global_catalog=True)
    found = [item for item in service.get_template(where, lab.credentials(), names=[GROUP]) if item.value]
    assert found[0].value is not None
    assert "AD\\VPN-Benutzer" in {rule.identity for rule in found[0].value.access}


def test_dead_cas_do_not_delay_the_answer(lab: Lab) -> None:
    """50 CAs of which 48 do not exist in DNS or do not answer: one timeout and a second."""
    dead = [LabCA(f"Dead {index}", f"Dead {index}", f"192.0.2.{index + 1}") for index in range(42)]
    extra = [enrollment_service(ca) for ca in dead]
    others = len(list(service.get_ca(lab.address, lab.credentials(), directory_only=True)))
    pki_lab.add(lab.dc, extra)
    try:
        started = time.monotonic()
        outcomes = list(service.get_ca(lab.address, lab.credentials(), timeout=2.0))
        assert time.monotonic() - started < 3.0
    finally:
        pki_lab.remove(lab.dc, extra)
    assert len(outcomes) == others + len(extra) >= 50
    assert {item.status for item in outcomes} == {Status.OK}
    reasons = [item.value.is_accessible_reason for item in outcomes if item.value]
    assert sum(reason is not None and reason.id == "NotAnRpcHost" for reason in reasons) == 2
