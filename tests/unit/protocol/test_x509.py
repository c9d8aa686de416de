import json
import subprocess
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.errors import FormatError
from pkitools.models.certificate import AlternativeName, BasicConstraints, KeyUsage, NameKind, Oid
from pkitools.protocol.x509 import read_certificate
from tests.unit.trust.pki import SERVER, Maker, resign_ec, resign_rsa, rsa_key, wrap

UNKNOWN_NAMES = [
    (NameOID.COUNTRY_NAME, "NO"),
    (NameOID.STATE_OR_PROVINCE_NAME, 'Os"lo'),
    (NameOID.LOCALITY_NAME, " Ås"),
    (NameOID.ORGANIZATION_NAME, "Ærlig, Ørn & Åse AS"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "a=b;c"),
    (NameOID.STREET_ADDRESS, "1+1"),
    (NameOID.TITLE, "#t"),
    (NameOID.GIVEN_NAME, "G<>"),
    (NameOID.INITIALS, "a\nb"),
    (NameOID.SURNAME, "🚀"),
    (NameOID.SERIAL_NUMBER, "42"),
    (NameOID.DOMAIN_COMPONENT, "test"),
    (NameOID.EMAIL_ADDRESS, "a@b.test"),
    (NameOID.POSTAL_CODE, "0150"),
    (NameOID.DN_QUALIFIER, "q"),
    (x509.ObjectIdentifier("2.5.4.13"), "d"),
    (x509.ObjectIdentifier("2.5.4.18"), "box"),
    (x509.ObjectIdentifier("2.5.4.20"), "5"),
    (x509.ObjectIdentifier("2.5.4.24"), "6"),
    (x509.ObjectIdentifier("1.2.3.4"), "own"),
    (NameOID.COMMON_NAME, "vpn.lab.test"),
]


def odd_name() -> x509.Name:
    rdns = [x509.RelativeDistinguishedName([x509.NameAttribute(oid, text)]) for oid, text in UNKNOWN_NAMES]
    two = [x509.NameAttribute(NameOID.COMMON_NAME, "multi"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Z")]
    return x509.Name([*rdns, x509.RelativeDistinguishedName(two)])


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker()


@pytest.fixture(scope="module")
def root(maker):
    return maker.root()


def test_the_plain_fields(maker, root):
    leaf = maker.leaf(root, sans=("vpn.lab.test", "::1", "10.0.0.1", "a@b.test", "http://h.test/"), serial=0x80AABB)
    model = read_certificate(leaf.der)
    assert model.subject == "CN=vpn.lab.test"
    assert model.issuer == "CN=Prüf-Wurzel 🌱"
    assert model.serial_number == "0080AABB"
    assert model.version == 3
    assert model.not_before == leaf.certificate.not_valid_before_utc
    assert model.not_after == leaf.certificate.not_valid_after_utc
    assert (model.key_algorithm.friendly_name, model.key_size, model.key_curve) == ("ECC", 256, "nistP256")
    assert (model.signature_algorithm.friendly_name, model.signature_hash) == ("sha256ECDSA", "sha256")
    assert [(n.kind, n.value) for n in model.subject_alternative_names] == [
        (NameKind.DNS, "vpn.lab.test"),
        (NameKind.IP, "::1"),
        (NameKind.IP, "10.0.0.1"),
        (NameKind.EMAIL, "a@b.test"),
        (NameKind.URI, "http://h.test/"),
    ]
    assert model.enhanced_key_usages == (Oid(SERVER, "Server Authentication"),)
    assert model.key_usages == (KeyUsage.DigitalSignature, KeyUsage.KeyEncipherment)
    assert model.basic_constraints is None
    assert model.authority_key_identifier == read_certificate(root.der).subject_key_identifier
    assert model.defects == ()
    assert read_certificate(root.der).basic_constraints == BasicConstraints(True, None)


def test_addresses_to_fetch_from(maker, root):
    model = maker.leaf(
        root,
        cdp=[["ldap:///CN=x?y", "http://a/1.crl"], "http://b/2.crl"],
        aia=["http://a/ca.crt"],
        ocsp=["http://o/"],
        freshest=["http://a/1+.crl"],
    ).model
    assert [point.names for point in model.crl_distribution_points] == [
        ("ldap:///CN=x?y", "http://a/1.crl"),
        ("http://b/2.crl",),
    ]
    assert model.freshest_crl[0].names == ("http://a/1+.crl",)
    assert (model.authority_information_access, model.ocsp_urls) == (("http://a/ca.crt",), ("http://o/",))


def test_distribution_points_keep_reasons_and_issuer(maker, root):
    point = x509.DistributionPoint(
        [x509.UniformResourceIdentifier("http://a/")],
        None,
        frozenset([x509.ReasonFlags.key_compromise]),
        [x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Andere")]))],
    )
    model = maker.leaf(root, extra=[(x509.CRLDistributionPoints([point]), False)]).model
    (read,) = model.crl_distribution_points
    assert (read.reasons, read.crl_issuer) == (("KeyCompromise",), "CN=Andere")


def test_microsoft_extensions(maker, root):
    version_2 = wrap(0x30, bytes.fromhex("06032a0304") + b"\x02\x01\x64" + b"\x02\x01\x05")
    sid = wrap(0xA0, bytes.fromhex("060a2b060104018237190201") + wrap(0xA0, wrap(4, b"S-1-5-21-1-2-3-1105")))
    upn = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), wrap(0x0C, "bjørn@lab.test".encode()))
    guid = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.25.1"), wrap(4, bytes(range(16))))
    odd = x509.OtherName(x509.ObjectIdentifier("1.2.3"), wrap(4, b"x"))
    registered = x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))
    model = maker.leaf(
        root,
        sans=(),
        extra=[
            (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.21.7"), version_2), False),
            (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2"), wrap(0x30, sid)), False),
            (x509.SubjectAlternativeName([upn, guid, odd, registered]), False),
        ],
    ).model
    assert (model.certificate_template.oid, model.certificate_template.major_version) == ("1.2.3.4", 100)
    assert model.certificate_template.minor_version == 5
    assert model.security_identifier == "S-1-5-21-1-2-3-1105"
    assert model.subject_alternative_names == (
        AlternativeName(NameKind.PRINCIPAL, "bjørn@lab.test", "1.3.6.1.4.1.311.20.2.3"),
        AlternativeName(NameKind.GUID, "03020100-0504-0706-0809-0a0b0c0d0e0f", "1.3.6.1.4.1.311.25.1"),
        AlternativeName(NameKind.OTHER, "040178".upper(), "1.2.3"),
        AlternativeName(NameKind.REGISTERED, "1.2.3"),
    )


def test_version_1_template_and_sid_in_a_uri(maker, root):
    name = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2"), wrap(0x1E, "Maskin🤖".encode("utf-16-be"))
    )
    sid = "tag:microsoft.com,2022-09-14:sid:S-1-5-21-9"
    model = maker.leaf(root, sans=(sid, "a.test"), extra=[(name, False)]).model
    assert (model.certificate_template.name, model.security_identifier) == ("Maskin🤖", "S-1-5-21-9")


def test_names_as_windows_writes_them(maker, root):
    model = maker.leaf(root, odd_name()).model
    assert model.subject.startswith("O=Z + CN=multi, CN=vpn.lab.test, OID.1.2.3.4=own, X21Address=6, Phone=5")
    assert model.subject.endswith('O="Ærlig, Ørn & Åse AS", L=" Ås", S="Os""lo", C=NO')


@pytest.mark.pwsh
def test_dotnet_writes_the_same_name_serial_and_thumbprint(maker, root, pwsh, tmp_path):
    leaf = maker.leaf(root, odd_name(), serial=0x80AABB)
    path = tmp_path / "leaf.der"
    path.write_bytes(leaf.der)
    script = (
        "[Console]::OutputEncoding=[Text.Encoding]::UTF8;"
        f"$c=[Security.Cryptography.X509Certificates.X509Certificate2]::new([IO.File]::ReadAllBytes('{path}'));"
        "ConvertTo-Json -Compress @($c.Subject,$c.Issuer,$c.SerialNumber,$c.Thumbprint,"
        "$c.SignatureAlgorithm.FriendlyName)"
    )
    done = subprocess.run([pwsh, "-NoProfile", "-Command", script], capture_output=True, check=True, timeout=60)
    model = leaf.model
    assert json.loads(done.stdout) == [
        model.subject,
        model.issuer,
        model.serial_number,
        model.thumbprint,
        model.signature_algorithm.friendly_name,
    ]


@pytest.mark.parametrize(("digest", "friendly"), [("sha1", "sha1RSA"), ("md5", "md5RSA")])
def test_weak_hashes_are_read(maker, digest, friendly):
    weak = maker.root("weak", key=rsa_key(1024))
    model = read_certificate(resign_rsa(weak.der, rsa_key(1024), digest))
    assert (model.signature_algorithm.friendly_name, model.signature_hash, model.key_size) == (friendly, digest, 1024)


def test_a_negative_serial_and_dates_that_do_not_exist(maker, root):
    leaf = maker.leaf(root, serial=0x7766554433221100)
    negative = read_certificate(resign_ec(leaf.der, root.key, bytes.fromhex("7766554433221100"), b"\xff" * 8))
    assert (negative.serial_number, negative.defects) == ("FFFFFFFFFFFFFFFF", ())
    stamp = leaf.certificate.not_valid_after_utc.strftime("%y%m%d%H%M%SZ").encode()
    model = read_certificate(resign_ec(leaf.der, root.key, stamp, b"270230000000Z"))
    assert model.not_after is None
    assert model.not_before is not None
    assert "end of validity" in model.defects[0]


def test_an_extension_that_cannot_be_read_hides_no_other(maker, root):
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.32"), b"\x30\x05junk")
    model = maker.leaf(root, extra=[(broken, False)]).model
    assert model.names(NameKind.DNS) == ("vpn.lab.test",)
    assert len(model.defects) == 1
    assert "Certificate Policies" in model.defects[0]


def test_a_repeated_extension_is_named_and_the_first_counts(maker, root):
    first, second = (
        x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), wrap(0x30, wrap(6, b"\x2a\x03")))
        for oid in ("2.5.29.99", "2.5.29.98")
    )
    leaf = maker.leaf(root, extra=[(first, False), (second, False)])
    model = read_certificate(resign_ec(leaf.der, root.key, bytes.fromhex("0603551d62"), bytes.fromhex("0603551d63")))
    assert model.defects == ("the extension 2.5.29.99 stands there twice",)


def test_enormous_names_are_read_quickly(maker, root):
    sans = [f"host-{i:05}.lab.test" for i in range(1500)]
    assert len(maker.leaf(root, sans=sans).model.names(NameKind.DNS)) == 1500


@pytest.mark.parametrize("data", [b"", b"0", b"-----BEGIN CERTIFICATE-----", b"\x30\x03\x02\x01\x00", b"\x30\x80"])
def test_what_is_no_certificate(data):
    with pytest.raises(FormatError) as caught:
        read_certificate(data)
    assert caught.value.code == "CERT_E_MALFORMED"


def test_too_large_is_refused():
    with pytest.raises(FormatError, match="more than"):
        read_certificate(b"\x30" * ((1 << 20) + 1))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutations_give_a_certificate_or_a_format_error(data):
    der = bytearray(SEED)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_certificate.__wrapped__(bytes(der))
    except FormatError:
        pass


_maker = Maker()
SEED = _maker.leaf(_maker.root(), odd_name(), cdp=["http://a/"], aia=["http://a/"], ocsp=["http://b/"]).der


def test_the_vectors_of_cryptography_agree_with_cryptography():
    """Every certificate in cryptography's collection: where both can read a field, both read the same."""
    import cryptography_vectors

    base = Path(cryptography_vectors.__file__).parent / "x509"
    compared = 0
    for path in sorted(base.rglob("*.der")) + sorted(base.rglob("*.pem")):
        data = path.read_bytes()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = (x509.load_pem_x509_certificate if path.suffix == ".pem" else x509.load_der_x509_certificate)(
                    data
                )
                der = theirs.public_bytes(Encoding.DER)
                facts = (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
        except Exception:
            continue
        ours = read_certificate(der)
        assert (ours.not_before, ours.not_after) == facts, path
        compared += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                dns = theirs.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
                    x509.DNSName
                )
            except Exception:
                continue
        assert list(ours.names(NameKind.DNS)) == dns, path
    assert compared > 100
