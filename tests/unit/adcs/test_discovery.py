from __future__ import annotations

import pytest

from pkitools.adcs.discovery import find_ca_templates, find_cas, find_templates, is_meant
from pkitools.adcs.forest import account_token
from pkitools.models.ca import EnrollmentAuthentication, ServerFlags
from pkitools.models.outcome import Status
from pkitools.protocol.ldap.messages import Entry
from tests.lab.pki_directory import CAS, many
from tests.unit.adcs.memory_directory import SID, MemoryDirectory


def test_every_ca_with_its_decoded_name_and_type() -> None:
    found = {ca.name: ca for ca in find_cas(MemoryDirectory())}
    assert {ca.sanitized: ca.display_name for ca in CAS} == {name: ca.display_name for name, ca in found.items()}
    assert {ca.display_name: ca.type for ca in found.values()} == {
        "Köln & Partner Sub CA": "Enterprise Subordinate CA",
        "Example Remote Access Issuing Certification Authority 2026 G2": "Enterprise Subordinate CA",
        "Second CA": "Enterprise Subordinate CA",
        "zentrale Zebra CA": "Enterprise Root CA",
        "Stale CA": "Enterprise Subordinate CA",
        "Standalone CA": "Standalone Subordinate CA",
        "Closed CA": "Enterprise Subordinate CA",
    }
    koeln = found["K!00f6ln !0026 Partner Sub CA"]
    assert koeln.config_string == "ca1.ad.example.test\\K!00f6ln !0026 Partner Sub CA"
    assert koeln.flags == ServerFlags.SUPPORTS_NT_AUTHENTICATION | ServerFlags.CA_SERVERTYPE_ADVANCED
    assert (koeln.service_status, koeln.is_accessible) == ("Unknown", None)
    assert koeln.service_status_reason is not None


def test_enrollment_uris_with_a_malformed_one() -> None:
    koeln = find_cas(MemoryDirectory(), name="K!00f6ln*")[0]
    assert [(item.priority, item.authentication, item.renewal_only) for item in koeln.enrollment_endpoints] == [
        (1, EnrollmentAuthentication.KERBEROS, False),
        (2, EnrollmentAuthentication.CLIENT_CERTIFICATE, True),
    ]
    assert [(item.attribute, b"kaputt" in item.value) for item in koeln.undecodable] == [
        ("msPKI-Enrollment-Servers", True)
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"computer_name": "CA1.*"}, {"Köln & Partner Sub CA", "Second CA"}),
        ({"name": "köln*"}, {"Köln & Partner Sub CA"}),
        ({"name": "?tandalone CA"}, {"Standalone CA"}),
        ({"standalone": True}, {"Standalone CA"}),
        ({"name": "*Zebra*", "enterprise": True}, {"zentrale Zebra CA"}),
        ({"name": "*Zebra*", "standalone": True}, set()),
        ({"enterprise": True, "standalone": True, "computer_name": "ca4*"}, {"Standalone CA"}),
    ],
)
def test_filters(filters: dict[str, object], expected: set[str]) -> None:
    assert {ca.display_name for ca in find_cas(MemoryDirectory(), **filters)} == expected  # type: ignore[arg-type]


def test_one_search_for_cas_and_two_for_templates() -> None:
    for call, searches in ((find_cas, 1), (find_templates, 2), (lambda d: find_ca_templates(d, ()), 2)):
        directory = MemoryDirectory()
        list(call(directory))  # type: ignore[operator]
        assert len(directory.searches) == searches, call


def test_templates_of_a_ca_with_a_ghost_and_rights() -> None:
    outcome = next(iter(find_ca_templates(MemoryDirectory(), ["ca1.ad.example.test\\Köln*"])))
    assert outcome.status is Status.OK
    ca = outcome.value
    assert ca is not None
    assert ca.missing_templates == ("Ghost-Template",)
    assert [item.id for item in ca.findings] == ["TemplateMissing"]
    rights = {item.name: (item.can_enroll, item.can_autoenroll) for item in ca.templates}
    assert rights == {
        "AOVPN-User": (True, True),
        "AOVPN-Device": (False, False),
        "AOVPN-Server": (False, False),
        "AOVPN-NPS": (False, False),
        "WebServer": (False, False),
        "User": (True, False),
        "VPN 😀": (False, False),
        "Web/Server (extern)*": (False, False),
        "Köln-Übung": (False, False),
        "All-Rights": (True, True),
        "Denied": (False, False),
        "Ghost-Template": (None, None),
    }
    denied = next(item for item in ca.templates if item.name == "Denied")
    assert denied.template_rights is not None
    assert (denied.template_rights.enroll, denied.template_rights.autoenroll) == (False, True)


def test_a_ca_that_refuses_makes_the_rights_on_the_template_useless() -> None:
    ca = next(iter(find_ca_templates(MemoryDirectory(), ["Closed CA"]))).value
    assert ca is not None
    template = ca.templates[0]
    assert (template.name, template.can_enroll) == ("AOVPN-User", False)
    assert template.template_rights is not None and template.template_rights.enroll is True
    assert template.ca_rights is not None and template.ca_rights.enroll is False
    assert {item.config_string: item.enroll for item in template.published_by} == {
        "ca1.ad.example.test\\K!00f6ln !0026 Partner Sub CA": True,
        "ca5.ad.example.test\\Closed CA": False,
    }


def test_rights_are_unknown_and_not_guessed_without_the_groups() -> None:
    for token in ((), ("S-1-5-7", "S-1-1-0")):
        directory = MemoryDirectory(token=token)
        assert account_token(directory) is None
        template = next(iter(find_templates(directory, names=["User"]))).value
        assert template is not None
        assert (template.can_enroll, template.can_autoenroll) == (None, None)


def test_a_target_that_means_no_ca_is_an_outcome_and_each_ca_comes_once() -> None:
    outcomes = list(find_ca_templates(MemoryDirectory(), ["Second CA", "ca1", "Nirgends"]))
    assert [(item.target, item.status) for item in outcomes] == [
        ("ca1.ad.example.test\\Second CA", Status.OK),
        ("ca1.ad.example.test\\K!00f6ln !0026 Partner Sub CA", Status.OK),
        ("Nirgends", Status.UNUSABLE),
    ]


def test_what_means_a_ca() -> None:
    ca = find_cas(MemoryDirectory(), name="Köln*")[0]
    for target in ("köln*", "CA1", "ca1.ad.example.test", "K!00f6ln !0026 Partner Sub CA", ca.config_string, "*"):
        assert is_meant(ca, target), target
    for target in ("ca2", "other\\Köln & Partner Sub CA", ""):
        assert not is_meant(ca, target), target


def test_templates_by_name_display_name_and_oid() -> None:
    directory = MemoryDirectory()
    assert [item.target for item in find_templates(directory, names=["web*"])] == ["Web/Server (extern)*", "WebServer"]
    assert [item.target for item in find_templates(directory, display_names=["Always On VPN User"])] == ["AOVPN-User"]
    oid = "*.1001.1002"
    assert [item.target for item in find_templates(directory, oids=[oid])] == ["AOVPN-User"]
    assert "(msPKI-Cert-Template-OID=*.1001.1002)" in directory.searches[-2][1]
    assert [item.target for item in find_templates(directory, names=["köln-übung"])] == ["Köln-Übung"]


def test_a_name_without_wildcard_that_is_not_there() -> None:
    outcomes = list(find_templates(MemoryDirectory(), names=["User", "Keine", "Kein*"]))
    assert [(item.target, item.status) for item in outcomes] == [("User", Status.OK), ("Keine", Status.UNUSABLE)]
    assert outcomes[1].reason is not None and outcomes[1].reason.id == "ObjectNotFound"


def test_principals_have_the_names_that_the_directory_gives_them() -> None:
    template = next(iter(find_templates(MemoryDirectory(), names=["User"]))).value
    assert template is not None
    assert {rule.sid.removeprefix(SID): rule.identity for rule in template.access} == {
        "-512": "AD\\Domänen-Admins",
        "-513": "AD\\Domain Users",
        "-519": "Enterprise Admins",
        "S-1-5-11": "NT AUTHORITY\\Authenticated Users",
    }


def test_oids_have_the_names_that_the_forest_gives_them() -> None:
    template = next(iter(find_templates(MemoryDirectory(), names=["Attested"]))).value
    assert template is not None and template.settings is not None
    assert [str(oid) for oid in template.settings.certificate_policies] == ["Low Assurance"]


def test_broken_objects_hide_no_others() -> None:
    class Broken(MemoryDirectory):
        def search(self, *arguments, **options):
            for entry in super().search(*arguments, **options):
                changed = {
                    name: (b"\xff\xfe\x00",) if name not in ("objectClass", "cn") else values
                    for name, values in entry.attributes.items()
                }
                yield Entry(entry.dn, changed) if "CN=User," in entry.dn or "CN=Second CA" in entry.dn else entry

    outcomes = {item.target: item for item in find_templates(Broken())}
    assert len(outcomes) == 48
    user = outcomes["User"].value
    assert user is not None
    assert {item.attribute for item in user.undecodable} >= {"flags", "nTSecurityDescriptor", "pKIExpirationPeriod"}
    assert user.template_rights is not None and user.template_rights.enroll is None
    cas = find_cas(Broken(), name="Second CA")
    assert cas[0].type == "Undefined" and cas[0].certificate is None


def test_ten_thousand_templates() -> None:
    """One pass each: twice as many take no more searches, and nothing is compared with everything."""
    directory = MemoryDirectory(many(10_000, 3))
    assert sum(item.status is Status.OK for item in find_templates(directory)) == 10_000
    assert len(directory.searches) == 2
