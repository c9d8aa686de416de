from __future__ import annotations

from dataclasses import replace

from pkitools.adcs.discovery import ca_outcome, find_ca_templates, find_cas, find_templates
from pkitools.models.ca import CATemplate, CertificationAuthority
from pkitools.models.outcome import Outcome, Reason, Severity, finding
from pkitools.models.template import CertificateTemplate
from pkitools.output.text import TextFormat
from tests.unit.adcs.memory_directory import MemoryDirectory

VIEWS = {
    CertificationAuthority: "certification_authority",
    CATemplate: "ca_template",
    CertificateTemplate: "certificate_template",
}


def text(model: type, outcomes: list[Outcome]) -> str:
    form = TextFormat(model, f"pkitools.output.views.{VIEWS[model]}", many=len(outcomes) > 1, colour=False)
    return "".join(form.outcome(item) for item in outcomes) + form.end()


def test_cas_are_pspkis_table() -> None:
    lines = text(
        CertificationAuthority, [ca_outcome(ca) for ca in find_cas(MemoryDirectory(), name="*S*CA")]
    ).splitlines()
    assert lines[0].split() == ["DisplayName", "ComputerName", "IsAccessible", "ServiceStatus", "Type"]
    assert "Standalone CA                            ca4.ad.example.test" in "\n".join(lines)


def test_one_ca_says_first_whether_it_answers() -> None:
    reason = Reason("Timeout", "ca2 was silent", "check the path", "WSAETIMEDOUT", "0x0000274C")
    ca = find_cas(MemoryDirectory(), name="Example*")[0]
    for accessible, answer in ((True, "accessible"), (False, "not accessible"), (None, "not asked")):
        shown = replace(ca, is_accessible=accessible, is_accessible_reason=None if accessible else reason)
        lines = text(CertificationAuthority, [ca_outcome(shown)]).splitlines()
        assert lines[0].endswith(f"Enterprise Subordinate CA  {answer}")
    assert "  not accessible: ca2 was silent (WSAETIMEDOUT 0x0000274C)" in lines
    assert (
        "  Config string:      ca2.ad.example.test\\Example Remote Access Issuing Certification Authori-35217" in lines
    )


def test_a_finding_takes_the_place_of_the_reason() -> None:
    reason = Reason("Timeout", "ca2 was silent")
    item = finding(Severity.ERROR, "NotAccessible", "ca2 was silent", "start it", code="WSAETIMEDOUT")
    cas = find_cas(MemoryDirectory())[:2]
    first = replace(cas[0], is_accessible=False, is_accessible_reason=reason, findings=(item,))
    shown = text(CertificationAuthority, [ca_outcome(first), ca_outcome(cas[1])])
    assert shown.count("ca2 was silent") == 1
    assert "error   WSAETIMEDOUT 0x0000274C: ca2 was silent" in shown


def test_templates_of_a_ca() -> None:
    lines = text(CATemplate, list(find_ca_templates(MemoryDirectory(), ["Köln*"]))).splitlines()
    assert lines[0] == "Köln & Partner Sub CA  ca1.ad.example.test\\K!00f6ln !0026 Partner Sub CA  12 templates"
    columns = {line.split("  ")[1].strip(): line for line in lines[3:]}
    assert columns["Ghost-Template"].endswith("missing in the directory")
    assert columns["User"].split()[-3:] == ["off", "yes", "no"]


def test_one_template_in_full() -> None:
    shown = text(CertificateTemplate, list(find_templates(MemoryDirectory(), names=["Signed-V3"])))
    for line in (
        "Two signatures, archived  schema version 3",
        "  You may enroll:       no",
        "  Published by:         no CA",
        "  Key:                  RSA, 2048 bits or more, SHA384",
        "  Signatures:           2 (Certificate Request Agent, Client Authentication)",
        "  Key archival:         AES 256",
        "    Allow AD\\Domänen-Admins: READ, WRITE",
    ):
        assert line in shown.splitlines(), line


def test_marks_stand_below_the_table() -> None:
    shown = text(
        CertificateTemplate, list(find_templates(MemoryDirectory(), names=["AOVPN-User*"], always_on_vpn=True))
    )
    table, _, below = shown.partition("\n\n")
    assert len(table.splitlines()) == 6
    assert (
        "Always On VPN User without SID\n  UserAuthentication: does not fit\n    error   certificates carry no SID"
        in below
    )


def test_a_missing_template_among_found_ones() -> None:
    shown = text(CertificateTemplate, list(find_templates(MemoryDirectory(), names=["User", "Keine"])))
    assert "Keine: there is no certificate template 'Keine' in the directory" in shown
