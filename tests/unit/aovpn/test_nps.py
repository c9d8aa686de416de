"""The NPS certificate against EAP settings: names, roots, chains that are incomplete or mixed up."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pkitools.aovpn.nps import hold_against, read_nps_chain
from pkitools.errors import FormatError
from pkitools.models.phonebook import EapMethod, EapSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def issue(subject: str, issuer=None, *, dns=None, usage=ExtendedKeyUsageOID.SERVER_AUTH, days=3650):
    key = rsa.generate_private_key(65537, 2048) if dns else ec.generate_private_key(ec.SECP256R1())
    above, above_key = issuer or (None, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(above.subject if above else name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=days))
    )
    if not dns:
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(above_key, hashes.SHA256()), key


ROOT = issue("Wurzel Zürich")
OTHER_ROOT = issue("Other Root")
ISSUING = issue("Issuing CA", ROOT)
LEAF = issue("nps1", ISSUING, dns="NPS1.example.net")
EXPIRED = issue("nps1", ISSUING, dns="nps1.example.net", days=2)
WRONG_USAGE = issue("nps2", ISSUING, dns="nps1.example.net", usage=ExtendedKeyUsageOID.CLIENT_AUTH)


def pem(*certificates) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate, _key in certificates)


def thumbprint(certificate) -> str:
    return certificate[0].fingerprint(hashes.SHA1()).hex().upper()


def eap(roots=(), names=()) -> EapSettings:
    return EapSettings(EapMethod(25, "PEAP", tuple(roots), tuple(names)), (), (), b"")


def ids(settings: EapSettings, data: bytes) -> list[str]:
    return [item.id for item in hold_against(settings, read_nps_chain(data))]


@pytest.mark.parametrize(
    "names", [("nps1.example.net",), ("x.example.net", "nps1"), (r"nps\d\.example\.net",), (r".*\.example\.net",), ()]
)
def test_a_certificate_that_fits(names):
    settings = eap([thumbprint(OTHER_ROOT), thumbprint(ROOT)], names)
    assert ids(settings, pem(LEAF, ISSUING, ROOT)) == []
    assert ids(settings, pem(ROOT, LEAF, ISSUING)) == []


@pytest.mark.parametrize(
    "names",
    [
        ("nps2.example.net",),
        ("nps1.example.ne",),
        ("(((",),
        ("(a+)+$",),
        ("a" * 300,),
        ("n?" * 40 + "!",),
        (".*" * 30 + "!",),
    ],
)
def test_a_name_that_is_not_on_the_list(names):
    assert ids(eap([thumbprint(ROOT)], names), pem(LEAF, ISSUING, ROOT)) == ["NpsNameNotListed"]


def test_a_long_name_is_not_searched_by_patterns():
    leaf = issue("nps1", ISSUING, dns="a" * 1500)
    found = ids(eap([thumbprint(ROOT)], ["[a-z]*[a-z]*[a-z]*!"]), pem(leaf, ISSUING, ROOT))
    assert "NpsNameNotListed" in found


def test_a_root_that_is_not_trusted():
    settings = eap([thumbprint(OTHER_ROOT)])
    (found,) = hold_against(settings, read_nps_chain(pem(LEAF, ISSUING, ROOT)))
    assert (found.id, found.code) == ("NpsRootNotTrusted", "CERT_E_UNTRUSTEDROOT")
    assert thumbprint(ROOT) in found.message


def test_a_chain_without_its_root_is_no_verdict():
    assert ids(eap([thumbprint(ROOT)]), pem(LEAF, ISSUING)) == ["NpsRootUnknown"]
    assert ids(eap([thumbprint(ROOT)]), LEAF[0].public_bytes(Encoding.DER)) == ["NpsRootUnknown"]


@pytest.mark.parametrize(("leaf", "code"), [(WRONG_USAGE, "CERT_E_WRONG_USAGE"), (EXPIRED, "CERT_E_EXPIRED")])
def test_a_certificate_that_windows_refuses_whatever_the_root(leaf, code):
    found = hold_against(eap([thumbprint(ROOT)]), read_nps_chain(pem(leaf, ISSUING, ROOT)))
    assert code in {item.code for item in found}


def test_no_settings_at_all():
    assert [item.id for item in hold_against(None, read_nps_chain(pem(LEAF)))] == ["NoEapSettings"]


@pytest.mark.parametrize("data", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"nothing"])
def test_other_files_are_format_errors(data):
    with pytest.raises(FormatError):
        read_nps_chain(data)


def test_two_servers_in_one_file_are_ambiguous():
    with pytest.raises(FormatError, match="which certificate"):
        read_nps_chain(pem(LEAF, WRONG_USAGE, ISSUING, ROOT))
