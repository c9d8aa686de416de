"""The lab's default templates are those that MS-CRTD publishes: the numbers below were read from the specification.

MS-CRTD v20250407, the list for "Windows Vista and later clients and Windows Server 2008 and later servers". It was
written down apart from ``tests/data/directory/default-templates.csv``, whose values come from a running forest.
"""

from __future__ import annotations

import pytest

from pkitools.adcs.oid_directory import OidDirectory
from pkitools.adcs.templates import TemplateContext, read_template
from tests.lab.pki_directory import builtin_rows, builtin_template

# cn, flags, msPKI-Certificate-Name-Flag, msPKI-Enrollment-Flag, msPKI-Private-Key-Flag, revision, schema version,
# key specification, pKIKeyUsage, number of extended key usages, minimal key size
PUBLISHED = """
Administrator                  66106 -1509949440   41 16   4 1 1 A000 4 2048
CA                             65745           1    0 16   5 1 2 8600 0 1024
CAExchange                     65600           1    1  0 106 2 1 2000 1 2048
CEPEncryption                  66113           1    0  0   4 1 1 2000 1 1024
ClientAuth                     66080 -2113929216   32  0   3 1 2 8000 1 2048
CodeSigning                    66080 -2113929216   32  0   3 1 2 8000 1 2048
CrossCA                        67600           1    8 16 105 2 2 8600 0 1024
CTLSigning                     66080 -2113929216   32  0   3 1 2 8000 1 2048
DirectoryEmailReplication      65632   150994944   41  0 115 2 1 A000 1 2048
DomainController               66156   419430400   41  0   4 1 1 A000 2 2048
DomainControllerAuthentication 65632   134217728   32  0 110 2 1 A000 3 2048
EFS                            66104 -2113929216   41 16   3 1 1 2000 1 2048
EFSRecovery                    66096 -2113929216   33 16   6 1 1 2000 1 2048
EnrollmentAgent                66080 -2113929216   32  0   4 1 2 8000 1 2048
EnrollmentAgentOffline         66049           1    0  0   4 1 2 8000 1 1024
ExchangeUser                   66065           1    1 16   7 1 1 2000 1 2048
ExchangeUserSignature          66049           1    0  0   6 1 2 8000 1 2048
IPSECIntermediateOffline       66113           1    0  0   7 1 1 A000 1 1024
IPSECIntermediateOnline        66144   402653184   32  0   8 1 1 A000 1 2048
KerberosAuthentication         65632   138412032   32  0 110 2 1 A000 4 2048
KeyRecoveryAgent               65568 -2113929216   39 16 105 2 1 2000 1 2048
Machine                        66144   402653184   32  0   5 1 1 A000 2 2048
MachineEnrollmentAgent         66144   402653184   32  0   5 1 2 8000 1 2048
OCSPResponseSigning            66112   402653184 4096  0 101 3 2 8000 1 2048
OfflineRouter                  66113           1    0  0   4 1 1 A000 1 2048
RASAndIASServer                66144  1207959552   32  0 101 2 1 A000 2 2048
SmartcardLogon                 66048 -2113929216    0  0   6 1 1 A000 2  512
SmartcardUser                  66058 -1509949440    9  0  11 1 1 A000 3  512
SubCA                          66257           1    0 16   5 1 2 8600 0 1024
User                           66106 -1509949440   41 16   3 1 1 A000 3 2048
UserSignature                  66082 -1509949440   32  0   4 1 2 8000 2 2048
WebServer                      66113           1    0  0   4 1 1 A000 1 2048
Workstation                    66144   134217728   32  0 101 2 1 A000 1 2048
"""
ROWS = [line.split() for line in PUBLISHED.split("\n") if line]
# a forest of Windows Server 2016 has NOREVOCATIONINFOINISSUEDCERTS besides
OCSP_IN_A_FOREST = 0x4000


def test_all_of_them() -> None:
    assert len(ROWS) == 33
    assert {row[0] for row in ROWS} == {row["cn"] for row in builtin_rows()}


@pytest.mark.parametrize("published", ROWS, ids=lambda row: row[0])
def test_same_flags(published: list[str]) -> None:
    name, *numbers = published
    flags, subject, enrollment, private_key, revision, schema, key_spec = (int(number) for number in numbers[:7])
    row = next(row for row in builtin_rows() if row["cn"] == name)
    item = builtin_template(row)
    values = {
        key: tuple(value.encode() if isinstance(value, str) else value for value in held)
        for key, held in item.attributes.items()
    }
    template = read_template(f"CN={name},CN=x", values, TemplateContext(OidDirectory()))
    settings = template.settings
    assert settings is not None
    assert settings.general_flags.value == flags
    assert settings.subject_name.value == subject & 0xFFFFFFFF
    assert settings.enrollment_options.value == enrollment | (OCSP_IN_A_FOREST if name == "OCSPResponseSigning" else 0)
    assert settings.cryptography.private_key_options.value == private_key
    assert (template.version or "").partition(".")[0] == str(revision)
    assert template.schema_version == schema
    assert settings.cryptography.key_spec is not None
    assert settings.cryptography.key_spec.value == key_spec
    assert settings.cryptography.key_usage.value == int.from_bytes(bytes.fromhex(numbers[7]), "little")
    assert len(settings.enhanced_key_usage) == int(numbers[8])
    assert row["min_key_size_ms_crtd"] == numbers[9]
    assert template.undecodable == ()
