from __future__ import annotations

import pytest

from pkitools.adcs.discovery import find_templates
from pkitools.models.outcome import Severity, Status
from pkitools.models.template import VpnRole
from tests.lab.pki_directory import (
    CLIENT_AUTH,
    IKE_INTERMEDIATE,
    SERVER_AUTH,
    LabCA,
    enrollment_service,
    grant,
    template,
)
from tests.unit.adcs.memory_directory import MemoryDirectory

USERS = grant(("enroll", "DU"), ("auto", "DU"))
MARKED = {item.target: item for item in find_templates(MemoryDirectory(), always_on_vpn=True)}


def judge(sddl: str = USERS, schema: int = 4, **changes: list[str | bytes]) -> dict[str, list[tuple[str, Severity]]]:
    """Role to findings of one published template."""
    made = template("Probe", "Probe", 1, schema, sddl, **changes)
    ca = LabCA("CA", "CA", "ca1.ad.example.test", templates=("Probe",))
    found = next(iter(find_templates(MemoryDirectory([made, enrollment_service(ca)]), always_on_vpn=True))).value
    assert found is not None
    return {mark.role.value: [(item.id, item.severity) for item in mark.findings] for mark in found.always_on_vpn}


def ids(role: str, **changes) -> set[str]:  # noqa: ANN003
    return {name for name, _ in judge(**changes)[role]}


def roles(name: str) -> dict[VpnRole, bool]:
    value = MARKED[name].value
    assert value is not None
    return {mark.role: mark.is_suitable for mark in value.always_on_vpn}


def test_the_labs_templates() -> None:
    looked_at = [name for name in MARKED if name.startswith("AOVPN") or name in {"CA", "CodeSigning", "Machine"}]
    assert {name: roles(name) for name in looked_at} == {
        "AOVPN-User": {VpnRole.USER_AUTHENTICATION: True},
        "AOVPN-UserV2": {VpnRole.USER_AUTHENTICATION: True},
        "AOVPN-UserNoSid": {VpnRole.USER_AUTHENTICATION: False},
        "AOVPN-UserSupplied": {VpnRole.USER_AUTHENTICATION: False},
        "AOVPN-Device": {VpnRole.DEVICE_TUNNEL: True},
        "AOVPN-Server": {VpnRole.VPN_SERVER: True},
        "AOVPN-NPS": {VpnRole.NPS_SERVER: True},
        "CA": {},
        "CodeSigning": {},
        "Machine": {VpnRole.DEVICE_TUNNEL: True, VpnRole.NPS_SERVER: True},
    }  # fmt: skip


def test_the_outcome_is_a_finding_only_for_warnings_and_errors() -> None:
    assert MARKED["AOVPN-User"].status is Status.OK
    assert MARKED["AOVPN-UserNoSid"].status is Status.FINDING
    assert MARKED["CodeSigning"].status is Status.OK


@pytest.mark.parametrize(
    "changes",
    [
        {"msPKI_Enrollment_Flag": [str(0x80020)]},
        {"msPKI_Certificate_Name_Flag": ["1"]},
        {"msPKI_Certificate_Name_Flag": [str(0x10000)]},
    ],
)
def test_a_certificate_without_sid(changes: dict[str, list[str | bytes]]) -> None:
    assert ("NoSecurityIdentifier", Severity.ERROR) in judge(**changes)["UserAuthentication"]
    assert ("NoSecurityIdentifier", Severity.WARNING) in judge(flags=["131680"], **changes)["DeviceTunnel"]


def test_a_good_user_template_has_notes_only() -> None:
    assert judge()["UserAuthentication"] == [("KeyNotInTpm", Severity.NOTE), ("Autoenrollment", Severity.NOTE)]
    assert ids("UserAuthentication", pKIDefaultCSPs=["1,Microsoft Platform Crypto Provider"]) == {"Autoenrollment"}


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"msPKI_Private_Key_Flag": ["16"]}, "KeyExportable"),
        ({"msPKI_Minimal_Key_Size": ["1024"]}, "KeyTooShort"),
        ({"msPKI_Certificate_Name_Flag": ["-2147483648"]}, "NoUserPrincipalName"),
        ({"msPKI_Enrollment_Flag": ["0"]}, "NoAutoenrollment"),
        ({"schema": 1}, "NoAutoenrollment"),
        ({"sddl": grant(("enroll", "DU"))}, "NobodyAutoenrolls"),
        ({"sddl": grant(("auto", "DU"))}, "NobodyAutoenrolls"),
        ({"sddl": grant(("d-enroll", "DU"), ("all", "DU"))}, "NobodyAutoenrolls"),
        ({"msPKI_Enrollment_Flag": ["34"]}, "ManagerApproval"),
        ({"msPKI_RA_Signature": ["1"]}, "SignaturesRequired"),
    ],
)
def test_what_speaks_against_a_user_template(changes: dict[str, object], finding: str) -> None:
    assert finding in ids("UserAuthentication", **changes)
    assert finding not in ids("UserAuthentication")


def test_rights_of_two_groups_let_their_common_members_autoenroll() -> None:
    found = judge(sddl=grant(("enroll", "AU"), ("auto", "DU")))["UserAuthentication"]
    assert ("Autoenrollment", Severity.NOTE) in found
    assert "NobodyAutoenrolls" not in dict(found)


def test_an_elliptic_key_is_not_too_short() -> None:
    ecc = "msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`"
    changes = {"msPKI_RA_Application_Policies": [ecc], "msPKI_Minimal_Key_Size": ["256"]}
    assert "KeyTooShort" not in ids("UserAuthentication", **changes)


def test_the_vpn_server() -> None:
    both = {"flags": ["131648"], "pKIExtendedKeyUsage": [SERVER_AUTH, IKE_INTERMEDIATE]}
    assert judge(msPKI_Certificate_Name_Flag=["1"], **both)["VpnServer"] == []
    assert ids("VpnServer", msPKI_Certificate_Name_Flag=["134217728"], **both) == {"DnsNameFromDirectory"}
    assert ids("VpnServer", msPKI_Certificate_Name_Flag=["1073741824"], **both) == {"NoServerName"}
    only = {"flags": ["131648"], "pKIExtendedKeyUsage": [IKE_INTERMEDIATE]}
    assert ids("VpnServer", msPKI_Certificate_Name_Flag=["1"], **only) == {"NoServerAuthentication"}


def test_the_nps_server_needs_a_subject() -> None:
    computer = {
        "flags": ["131680"],
        "pKIExtendedKeyUsage": [SERVER_AUTH],
        "msPKI_Certificate_Application_Policy": [SERVER_AUTH],
    }
    assert ids("NpsServer", msPKI_Certificate_Name_Flag=["134217728"], **computer) == {"EmptySubject"}
    assert ids("NpsServer", msPKI_Certificate_Name_Flag=["402653184"], **computer) == set()


def test_an_unpublished_template_says_so() -> None:
    value = MARKED["AOVPN-UserV2"].value
    assert value is not None
    assert "NotPublished" in {item.id for item in value.always_on_vpn[0].findings}
    assert CLIENT_AUTH in {oid.value for oid in value.settings.enhanced_key_usage}  # type: ignore[union-attr]
