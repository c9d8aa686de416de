from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.adcs.discovery import find_templates
from pkitools.adcs.oid_directory import OidDirectory
from pkitools.adcs.templates import ATTRIBUTES, TemplateContext, read_template
from pkitools.adcs.triplets import read_policy_attribute, uses_triplets
from pkitools.errors import FormatError
from pkitools.models.template import CertificateTemplate, EnrollmentFlags, PrivateKeyFlags, SubjectNameFlags
from pkitools.output.records import outcome_record
from tests.lab import golden
from tests.lab.pki_directory import builtin_rows, templates
from tests.unit.adcs.memory_directory import SID, MemoryDirectory

RECORDS = {item.target: outcome_record(item, CertificateTemplate) for item in find_templates(MemoryDirectory())}


@pytest.mark.parametrize("name", golden.expectations())
def test_every_property_is_as_worked_out(name: str) -> None:
    assert golden.differences(RECORDS[name]) == {}


@pytest.mark.parametrize("item", templates(), ids=lambda item: item.rdns.split(",")[0])
def test_rights_are_those_of_the_sddl(item) -> None:  # noqa: ANN001
    record = RECORDS[item.attributes["cn"][0]]
    assert golden.actual_rights(record) == golden.expected_rights(item.sddl, SID)


def test_the_administrator_template_of_the_specification() -> None:
    """The structure example of MS-CRTD 3, read by certutil."""
    row = next(row for row in builtin_rows() if row["cn"] == "Administrator")
    assert (row["flags"], row["revision"], row["enrollment_flag"], row["default_key_spec"]) == ("66106", "4", "41", "1")
    record = RECORDS["Administrator"]
    assert record["Settings"]["ValidityPeriod"] == "1 years"
    assert record["Settings"]["RenewalPeriod"] == "6 weeks"
    assert "IS_DEFAULT" in record["Settings"]["GeneralFlags"]


def test_which_syntax_the_policies_have() -> None:
    legacy, none = PrivateKeyFlags.USE_LEGACY_PROVIDER, PrivateKeyFlags(0)
    assert [uses_triplets(schema, none) for schema in (1, 2, 3, 4)] == [False, False, True, True]
    assert [uses_triplets(schema, legacy) for schema in (1, 2, 3, 4)] == [False, False, True, False]


@pytest.mark.parametrize("value", ["1.2.3", "a`b", "a`PZPWSTR`c", "a`FLOAT`1`", "a`DWORD`x`", "``", "a`b`c`d`"])
def test_broken_triplets(value: str) -> None:
    with pytest.raises(FormatError):
        read_policy_attribute([value], triplets=True)
    with pytest.raises(FormatError):
        read_policy_attribute(["x`PZPWSTR`y`"], triplets=False)


def test_a_broken_value_costs_only_itself() -> None:
    raw = dict.fromkeys(ATTRIBUTES, (b"\xff", b"`")) | {"cn": (b"Kaputt",)}
    template = read_template("CN=Kaputt,DC=x", raw, TemplateContext(OidDirectory()))
    assert template.name == "Kaputt"
    assert template.settings is not None
    assert template.settings.validity_period is None
    assert {item.attribute for item in template.undecodable} >= {
        "displayName", "flags", "revision", "whenChanged", "nTSecurityDescriptor", "pKIExpirationPeriod",
        "pKIKeyUsage", "msPKI-Enrollment-Flag", "msPKI-Template-Schema-Version", "msPKI-RA-Signature",
    } - {"pKIKeyUsage"}  # fmt: skip


def test_an_empty_object_is_a_template_too() -> None:
    template = read_template("CN=Leer\\, fast,CN=x", {}, TemplateContext(OidDirectory()))
    assert (template.name, template.schema_version, template.version) == ("Leer, fast", 1, None)
    assert template.undecodable == ()


@given(
    st.dictionaries(st.sampled_from(ATTRIBUTES), st.lists(st.binary(max_size=40), min_size=1, max_size=3).map(tuple))
)
def test_any_values(raw: dict[str, tuple[bytes, ...]]) -> None:
    outcome = read_template("CN=x", raw, TemplateContext(OidDirectory(), token=frozenset({"S-1-1-0"})))
    assert outcome.settings is not None


@pytest.mark.corpus
def test_flags_are_those_of_the_windows_headers(corpus: Path) -> None:
    rows = [
        line.split("\t") for line in (corpus / "windows-enums.tsv").read_text("utf-8").splitlines() if line[:1] != "#"
    ]
    for group, flags, extra in (
        ("TemplateEnrollmentFlags", EnrollmentFlags, {0x80000}),
        ("TemplateSubjectNameFlags", SubjectNameFlags, set()),
        ("TemplatePrivateKeyFlags", PrivateKeyFlags, set()),
    ):
        wanted = {
            int(row[2], 0)
            for row in rows
            if row[0].startswith(group) and "Mask" not in row[1] and "Shift" not in row[1]
        }
        assert {flag.value for flag in flags} - extra == wanted - {0}


def supported(flags: int, schema: int) -> tuple[str | None, str | None]:
    raw = {
        "msPKI-Private-Key-Flag": (str(flags).encode(),),
        "msPKI-Template-Schema-Version": (str(schema).encode(),),
    }
    found = read_template("CN=x", raw, TemplateContext(OidDirectory()))
    return found.supported_ca, found.supported_client


def test_every_minimum_of_ca_and_client() -> None:
    """MS-CRTD 2.27: the two version fields, and the schema version where they are 0."""
    cas = "2003|2008|2008 R2|2012|2012 R2|2016".split("|")
    clients = "XP|Vista|7|8|8.1|10".split("|")
    for number, (ca, client) in enumerate(zip(cas, clients, strict=True), 1):
        flags = number << 16 | number << 24 | 0x10
        assert supported(flags, 4) == (f"Windows Server {ca}", f"Windows {client}")
    assert supported(0x07070000, 4) == ("Unknown", "Unknown")
    assert [supported(0, schema)[1] for schema in (1, 2, 3, 4, 5)] == [
        "Windows 2000", "Windows XP", "Windows Vista", "Windows 8", "Unknown",
    ]  # fmt: skip
    assert supported(0, 5)[0] == "Unknown"
