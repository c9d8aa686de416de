"""``show``: every format, findings, predictions, and what the outside tells."""

from __future__ import annotations

import base64
import datetime
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, pkcs7

from pkitools import FitFor, ShowOptions, show
from pkitools.errors import FormatError
from pkitools.keystore.show import show_data
from pkitools.models.keystore import KeySpec
from pkitools.models.outcome import Outcome, Severity, Status
from pkitools.models.secret import Secret
from pkitools.models.shown import ShownFile
from pkitools.output.text import render
from pkitools.output.views import show as view
from pkitools.protocol import der
from pkitools.protocol.pem import write_pem
from pkitools.protocol.pkcs12 import Profile, write_pfx
from tests.lab.crafted_pfx import PASSWORD, bag, certificate_bag, content, entry, key, leaf, plain_pfx
from tests.lab.pfx_makers import chain_of, key_of, pkcs8_of

CURVE = "nistP256"
SECRETS = (Secret(PASSWORD),)


def shown(data: bytes, passwords=SECRETS, **options) -> Outcome[ShownFile]:
    outcome = show_data("file", data, passwords, ShowOptions(**options))
    assert outcome.value is not None
    text = render(view.render(outcome, False), colour=False)
    assert text.startswith("file: ")
    assert "PRIVATE KEY" not in text
    return outcome


def ids(outcome: Outcome[ShownFile]) -> set[str]:
    assert outcome.value is not None
    return {finding.id for finding in outcome.value.findings}


@pytest.fixture(scope="module")
def pfx() -> bytes:
    marks = {"provider": "CSP", "machine": True, "key_spec": KeySpec.EXCHANGE}
    one = key("p256", local_key_id=b"\1", friendly_name="VPN 🔑\0", **marks)
    return write_pfx(
        content([one], [entry("p256", 2), entry("p256", local_key_id=b"\1"), entry("p256", 1)]),
        SECRETS[0],
        iterations=100,
        mac_iterations=100,
    )


def test_a_pfx_with_its_password(pfx, tmp_path):
    (tmp_path / "Büro 🔑.pfx").write_bytes(pfx)
    outcome = show(tmp_path / "Büro 🔑.pfx", PASSWORD)
    value = outcome.value
    assert outcome.status is Status.OK
    assert (value.format, value.opened, value.password_form) == ("PFX", True, "Standard")
    assert [c.role for c in value.certificates] == ["Leaf", "Intermediate", "Root"]
    assert [c.has_private_key for c in value.certificates] == [True, False, False]
    private = value.keys[0]
    assert private.certificates == (value.certificates[0].thumbprint,)
    assert private.public_key == value.certificates[0].public_key
    assert (private.friendly_name, private.provider, private.machine_key) == ("VPN 🔑", "CSP", True)
    assert private.key_spec is KeySpec.EXCHANGE
    assert private.encryption.iterations == 100
    assert [bag.kind for safe in value.safes for bag in safe.bags] == ["Certificate"] * 3 + ["ShroudedKey"]
    by_name = {prediction.reader: prediction for prediction in value.readers}
    assert by_name[".NET X509CertificateLoader"].opens is True
    assert by_name["Windows Server 2016"].opens is False
    assert by_name["OpenSSL 3"].leaf == value.certificates[0].thumbprint


def test_no_key_in_any_output(pfx):
    from pkitools.output.json_format import JsonFormat

    outcome = shown(pfx)
    form = JsonFormat(ShownFile)
    record = form.begin() + form.outcome(outcome) + form.end()
    secret = key_of("p256").private_numbers().private_value.to_bytes(32, "big")
    for spelled in (secret.hex(), secret.hex().upper(), base64.b64encode(pkcs8_of("p256")).decode()[40:80]):
        assert spelled not in record
    assert secret not in record.encode("latin-1", "replace")


def test_a_pfx_from_outside(pfx):
    outcome = shown(pfx, ())
    value = outcome.value
    assert outcome.status is Status.OK
    assert not value.opened
    assert value.mac.verified is None
    assert value.safes[0].encryption.algorithm == "AES-256-CBC"
    assert [k.opened for k in value.keys] == [False]
    by_name = {prediction.reader: prediction.opens for prediction in value.readers}
    assert by_name["Windows Server 2012 R2"] is False
    assert by_name[".NET X509CertificateLoader"] is None


def test_a_wrong_password_still_tells_the_outside(pfx):
    outcome = shown(pfx, (Secret("wrong"),))
    assert outcome.status is Status.UNUSABLE
    assert outcome.reason.id == "WrongPassword"
    assert outcome.value.mac is not None


def test_pem_with_everything_in_it():
    private = key_of("p384").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"other"))
    data = b"noise \xfc\n" + b"".join(part.public_bytes(Encoding.PEM) for part in reversed(chain_of("p384"))) + private
    closed = shown(data, ())
    assert closed.status is Status.OK
    assert not closed.value.opened
    assert [c.role for c in closed.value.certificates] == ["Leaf", "Intermediate", "Root"]
    opened = shown(data, (Secret("other"),))
    assert opened.value.opened
    assert opened.value.keys[0].certificates == (leaf("p384"),)
    assert shown(data, (Secret("wrong"),)).status is Status.UNUSABLE


def test_a_damaged_block_hides_no_other():
    data = write_pem("CERTIFICATE", b"\x30\3abc") + chain_of("p256")[0].public_bytes(Encoding.PEM)
    outcome = shown(data)
    assert outcome.status is Status.FINDING
    assert "DamagedBlock" in ids(outcome)
    assert len(outcome.value.certificates) == 1


def test_der_p7b_and_keys():
    assert shown(entry("p256").der).value.format == "DER"
    p7b = pkcs7.serialize_certificates(list(reversed(chain_of("p256"))), Encoding.DER)
    outcome = shown(p7b)
    assert outcome.value.format == "P7B"
    assert [c.role for c in outcome.value.certificates] == ["Leaf", "Intermediate", "Root"]
    assert shown(pkcs8_of("rsa2048")).value.keys[0].algorithm == "RSA"


def test_a_request():
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Zürich 🔑")])
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("vpn.example.com")]), False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), False)
    request = builder.sign(key_of("p256"), hashes.SHA256())
    for data in (request.public_bytes(Encoding.DER), request.public_bytes(Encoding.PEM)):
        found = shown(data).value.requests[0]
        assert found.subject == "CN=Zürich 🔑"
        assert [name.value for name in found.subject_alternative_names] == ["vpn.example.com"]
        assert [usage.value for usage in found.enhanced_key_usages] == ["1.3.6.1.5.5.7.3.1"]
        assert found.signature_valid is True
        assert (found.key_curve, found.public_key) == (CURVE, shown(pkcs8_of("p256")).value.keys[0].public_key)
    broken = bytearray(request.public_bytes(Encoding.DER))
    broken[-1] ^= 1
    assert shown(bytes(broken)).value.requests[0].signature_valid is False


def test_a_crl():
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(chain_of("p256")[2].subject).last_update(now)
    builder = builder.next_update(now + datetime.timedelta(days=7)).add_extension(x509.CRLNumber(77), False)
    found = shown(builder.sign(key_of("root"), hashes.SHA256()).public_bytes(Encoding.DER)).value
    assert found.format == "CRL"
    assert (found.crls[0].issuer, found.crls[0].number) == ("CN=Wurzel", 77)


def test_crossed_ids_nested_safes_and_several_keys_are_findings():
    crossed = content(
        [key("p256", local_key_id=b"1"), key("p384", local_key_id=b"2")],
        [entry("p256", local_key_id=b"2"), entry("p384", local_key_id=b"1")],
    )
    outcome = shown(write_pfx(crossed, SECRETS[0], iterations=1))
    assert outcome.status is Status.FINDING
    assert ids(outcome) == {"CrossedKeyId", "SeveralKeys"}
    nested = plain_pfx(certificate_bag("p256"), bag("SafeContents", der.sequence(bag("Key", pkcs8_of("p256")))))
    assert ids(shown(nested)) == {"NestedSafe"}


def test_a_key_that_fits_nothing_is_a_finding():
    assert ids(shown(write_pfx(content([key("p384")], [entry("p256")]), SECRETS[0], iterations=1))) == {
        "KeyWithoutCertificate"
    }


SID = "S-1-5-21-1004336348-1177238915-682003330-1105"


def with_sid(where: str) -> bytes:
    issuing = chain_of("p256")[1]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, SID if where == "subject" else "Ü")]))
        .issuer_name(issuing.subject)
        .public_key(key_of("p256").public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1))
        .not_valid_after(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=300))
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .add_extension(x509.KeyUsage(True, False, True, False, False, False, False, False, False), True)
    )
    uris = {"uri": "tag:microsoft.com,2022-09-14:sid:", "wrong-uri": "tag:microsoft.com,2022-09-15:sid:"}
    if where in uris:
        uri = x509.UniformResourceIdentifier(uris[where] + SID)
        builder = builder.add_extension(x509.SubjectAlternativeName([uri]), False)
    if where == "own-extension":  # a SEQUENCE follows, and its tag is the character 0
        value = der.sequence(der.element(der.UTF8_STRING, SID.encode()), der.sequence())
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.9.9"), value), False)
    if where == "extension":
        value = der.element(0xA0, der.oid("1.3.6.1.4.1.311.25.2.1") + der.element(0xA0, der.octet_string(SID.encode())))
        oid = x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, der.sequence(value)), False)
    with warnings.catch_warnings(action="ignore"):
        return builder.sign(key_of("issuing"), hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("where", ["extension", "uri"])
def test_the_sid_of_strong_mapping(where):
    outcome = shown(with_sid(where))
    assert outcome.value.certificates[0].certificate.security_identifier == SID
    assert "SidInWrongPlace" not in ids(outcome)


@pytest.mark.parametrize("where", ["subject", "wrong-uri", "own-extension"])
def test_a_sid_in_the_wrong_place(where):
    outcome = shown(with_sid(where))
    assert outcome.status is Status.FINDING
    (found,) = [item for item in outcome.value.findings if item.id == "SidInWrongPlace"]
    assert f" {SID} " in found.message


@pytest.mark.parametrize("fit_for", list(FitFor))
def test_fitness_asks_the_judge(fit_for):
    chain = b"".join(part.public_bytes(Encoding.PEM) for part in chain_of("p256")[1:])
    for where, client in (("extension", True), ("none", True)):
        data = write_pem("CERTIFICATE", with_sid(where)) + chain
        outcome = shown(data, fit_for=fit_for)
        valid = all(judgement.certificate_is_valid for judgement in outcome.value.fitness)
        assert valid is (client and fit_for in (FitFor.USER, FitFor.DEVICE)), [
            f.message for f in outcome.value.findings
        ]
        said = [item.severity for item in outcome.value.findings if item.id in ("NoSid", "NoSecurityIdentifier")]
        expected = {FitFor.USER: [Severity.WARNING], FitFor.DEVICE: [Severity.NOTE]}
        assert said == (expected.get(fit_for, []) if where == "none" else []), "one word on the SID, not two"


def test_what_is_nothing_is_refused():
    for data, what in ((b"hello", "no format"), (b"", "empty file"), (b"\xfe\xed\xfe\xed" + bytes(9), "JKS")):
        with pytest.raises(FormatError, match=f"neither keys nor certificates: .*{what}"):
            show_data("x", data, (), ShowOptions())


def test_old_files_for_old_windows():
    pair = content([key("rsa2048", local_key_id=b"1")], [entry("rsa2048", local_key_id=b"1")])
    made = write_pfx(pair, SECRETS[0], Profile.WINDOWS2016, iterations=1)
    opens = {prediction.reader: prediction.opens for prediction in shown(made).value.readers}
    assert set(opens.values()) == {True}
