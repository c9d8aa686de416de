"""Reading: published vectors, odd forms, and one cause for each refusal."""

from __future__ import annotations

import base64
from pathlib import Path

import cryptography_vectors
import pytest

from pkitools.errors import FormatError, PasswordError, PkiToolsError
from pkitools.models.keystore import KeyStoreContent
from pkitools.models.secret import Secret
from pkitools.protocol import der
from pkitools.protocol.pem import read_pem
from pkitools.protocol.pkcs12 import (
    PasswordForm,
    Profile,
    decrypt_private_key,
    encrypt_private_key,
    inspect_pfx,
    read_pfx,
    write_pfx,
)
from tests.lab.crafted_pfx import PASSWORD, bag, certificate_bag, content, entry, key, plain_pfx, with_mac
from tests.lab.pfx_makers import pkcs8_of

VECTORS = Path(cryptography_vectors.__file__).parent
RFC9579 = (Path(__file__).parents[3] / "data" / "rfc9579-a1.txt").read_text("ascii").splitlines()
SECRET = Secret(PASSWORD)


@pytest.fixture(scope="module")
def good() -> bytes:
    return write_pfx(content([key("p256")], [entry("p256", part) for part in range(3)]), SECRET, iterations=1000)


def refused(data: bytes, password: str = PASSWORD, **options) -> PkiToolsError:
    with pytest.raises(PkiToolsError) as caught:
        read_pfx(data, [Secret(password)], **options)
    return caught.value


def rfc9579(first: str, *tail: str) -> bytes:
    """A vector of RFC 9579 appendix A that differs from A.1 in its MacData only."""
    return base64.b64decode("".join([first + RFC9579[0][8:], *RFC9579[1 : -len(tail)], *tail]))


def test_rfc9579_a1_opens():
    found = read_pfx(base64.b64decode("".join(RFC9579)), [Secret("1234")])
    assert found.mac is not None
    assert (found.mac.kind, found.mac.verified, found.mac.iterations) == ("PBMAC1", True, 2048)
    assert len(found.content.keys) == len(found.content.certificates) == 1


def test_rfc9579_a4_wrong_iterations_fails():
    tail = (
        "hkiG9w0BCRUxFgQUwWO5DorvVWYF3BWUmAw0rUEajScwfTBtMEkGCSqGSIb3DQEF",
        "DjA8MCwGCSqGSIb3DQEFDDAfBAhvRzw4sC4xcwICCAECASAwDAYIKoZIhvcNAgkF",
        "ADAMBggqhkiG9w0CCQUABCB6pW2FOdcCNj87zS64NUXG36K5aXDnFHctIk5Bf4kG",
        "3QQITk9UIFVTRUQCAggA",
    )
    assert refused(rfc9579("MIIKiwIB", *tail), "1234").error_id == "MacPasswordDiffers"


def test_rfc9579_a5_wrong_salt_fails():
    tail = (
        "hkiG9w0BCRUxFgQUwWO5DorvVWYF3BWUmAw0rUEajScwfDBtMEkGCSqGSIb3DQEF",
        "DjA8MCwGCSqGSIb3DQEFDDAfBAhOT1QgVVNFRAICCAACASAwDAYIKoZIhvcNAgkF",
        "ADAMBggqhkiG9w0CCQUABCB6pW2FOdcCNj87zS64NUXG36K5aXDnFHctIk5Bf4kG",
        "3QQIb0c8OLAuMXMCAQE=",
    )
    assert refused(rfc9579("MIIKigIB", *tail), "1234").error_id == "MacPasswordDiffers"


def test_rfc9579_a6_without_key_length_fails():
    tail = (
        "hkiG9w0BCRUxFgQUwWO5DorvVWYF3BWUmAw0rUEajScwejBqMEYGCSqGSIb3DQEF",
        "DjA5MCkGCSqGSIb3DQEFDDAcBAhvRzw4sC4xcwICCAAwDAYIKoZIhvcNAgkFADAM",
        "BggqhkiG9w0CCQUABCB6pW2FOdcCNj87zS64NUXG36K5aXDnFHctIk5Bf4kG3QQI",
        "b0c8OLAuMXMCAggA",
    )
    error = refused(rfc9579("MIIKiAIB", *tail), "1234")
    assert error.error_id == "Pbmac1KeyLength"
    assert inspect_pfx(rfc9579("MIIKiAIB", *tail)).mac_problem == error.message


@pytest.mark.parametrize("path", sorted((VECTORS / "pkcs12").glob("*.p12")), ids=lambda path: path.name)
def test_files_of_cryptography_vectors(path):
    no_password = path.name.endswith("no-pwd.p12") or path.name == "no-password.p12"
    password = "" if no_password else "password" if path.name.startswith(("name", "no-")) else "cryptography"
    if path.name in ("java-truststore.p12", "no-cert-key-aes256cbc.p12"):
        password = {"java-truststore.p12": "", "no-cert-key-aes256cbc.p12": "cryptography"}[path.name]
    try:
        found = read_pfx(path.read_bytes(), [Secret(password), Secret("cryptography"), Secret("password")])
    except PasswordError:
        pytest.fail(f"{path.name} did not open")
    assert found.content.certificates or found.content.keys


PKCS8 = {
    "ec_private_key_encrypted.pem": "123456",
    "ed25519-scrypt.pem": "hunter42",
    "enc-ec-sha1-128-rc4.pem": "password",
    "enc-rsa-3des.pem": "password",
    "enc-rsa-pkcs8.pem": "foobar",
    "enc2-rsa-pkcs8.pem": "baz",
    "rsa-40bitrc2.pem": "baz",
    "rsa-pbe-3des-long-salt.pem": "password",
    "rsa-rc2-cbc.pem": "Red Hat Enterprise Linux 7.4",
}


@pytest.mark.parametrize("name", PKCS8)
def test_encrypted_keys_of_cryptography_vectors(name):
    block = read_pem((VECTORS / "asymmetric" / "PKCS8" / name).read_bytes())[0]
    decrypted = decrypt_private_key(block.der, [Secret("wrong"), Secret(PKCS8[name])])
    assert decrypted[0] == 0x30
    with pytest.raises(PasswordError):
        decrypt_private_key(block.der, [Secret("wrong")])


def test_unknown_algorithms_are_named_by_oid():
    folder = VECTORS / "asymmetric" / "PKCS8"
    for name, oid in (
        ("enc-unknown-kdf.pem", "1.2.840.113549.1.5.12.321.321"),
        ("enc-unknown-pbkdf2-prf.pem", "1.2.840.113549.2.9.213.321"),
        ("enc-unknown-algorithm.pem", "1.2.840.113549.3.7.23.321.3"),
    ):
        block = read_pem((folder / name).read_bytes())[0]
        with pytest.raises(FormatError, match=oid) as caught:
            decrypt_private_key(block.der, [Secret("x")])
        assert caught.value.error_id == "UnsupportedAlgorithm"


def test_wrong_and_missing_password(good):
    wrong = refused(good, "other")
    assert isinstance(wrong, PasswordError)
    assert (wrong.error_id, wrong.message, wrong.code) == ("WrongPassword", "wrong password", "ERROR_INVALID_PASSWORD")
    assert refused(good, "").message == "the file needs a password"
    with pytest.raises(PasswordError, match="needs a password"):
        read_pfx(good, [])


def test_no_password_in_errors(good):
    assert "s3cr3t" not in repr(refused(good, "s3cr3t")) + str(refused(good, "s3cr3t").__dict__)


@pytest.mark.parametrize("place", [200, 400, 900, 1400])
def test_a_flipped_bit_is_damage_and_not_a_wrong_password(good, place):
    changed = bytearray(good)
    changed[place] ^= 4
    error = refused(bytes(changed))
    assert error.error_id == "Damaged"
    assert "damaged" in error.message


def test_every_truncation_is_damage(good):
    for size in range(30, len(good), 97):
        error = refused(good[:size])
        assert error.error_id == "Damaged", size
        assert "byte" in error.message


def test_a_broken_mac_is_told_from_a_wrong_password(good):
    mac = inspect_pfx(good).mac
    assert mac is not None
    place = len(good) - 4 - 8 - 2 - 16
    changed = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
    assert refused(changed).error_id == "MacPasswordDiffers"


def test_two_passwords():
    inner = write_pfx(content([key("p256")], [entry("p256")]), Secret("inner"), iterations=1000)
    authenticated = der.Reader(inner).sequence("x")
    authenticated.integer("x")
    info = authenticated.sequence("x")
    info.oid("x")
    remade = with_mac(info.enter(0xA0, "x").octets("x"))
    assert refused(remade).error_id == "EncryptionPasswordDiffers"
    assert refused(remade, "inner").error_id == "MacPasswordDiffers"
    assert refused(remade, "neither").error_id == "WrongPassword"
    assert len(read_pfx(remade, [SECRET, Secret("inner")]).content.keys) == 1


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty file"),
        (bytes(300), "empty file"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "PEM"),
        ("-----BEGIN PRIVATE KEY-----".encode("utf-16"), "PEM"),
        (bytes.fromhex("feedfeed00000002"), "JKS"),
        (bytes.fromhex("cececece00000002"), "JCEKS"),
        (der.sequence(der.oid("1.2.840.113549.1.7.2"), der.element(0xA0, b"")), "P7B"),
        (b"hello world", "no format"),
    ],
)
def test_what_is_no_pfx_is_named(data, what):
    error = refused(data)
    assert error.error_id == "NotPfx"
    assert what in error.message


def test_other_der_is_named():
    assert "DER certificate" in refused(entry("p256").der).message
    assert "private key" in refused(pkcs8_of("p256")).message
    assert "encrypted private key" in refused(encrypt_private_key(pkcs8_of("p256"), SECRET, iterations=1)).message


def test_iterations_over_the_limit_are_refused_before_any_work(good):
    error = refused(good, max_iterations=999)
    assert error.error_id == "IterationsOverLimit"
    assert "--max-iterations" in error.hint
    huge = write_pfx(content([key("p256")], []), SECRET, mac_iterations=1).replace(
        b"\2\3\1\x86\xa0", b"\2\3\x7f\xff\xff"
    )
    assert refused(huge, max_iterations=100_000).error_id == "IterationsOverLimit"
    assert "together" in refused(good, max_iterations=100_100).message


def test_a_file_that_windows_protects_to_a_group():
    blob = der.octet_string(b"..SID..S-1-5-21-1004336348-1177238915-682003330-512..")
    secret = der.sequence(der.oid("1.3.6.1.4.1.311.17.4"), der.element(0xA0, blob))
    made = write_pfx(content([key("p256")], []), Secret("unknown"), iterations=1000)
    safe = der.Reader(made).sequence("x")
    safe.integer("x")
    info = safe.sequence("x")
    info.oid("x")
    inner = der.Reader(info.enter(0xA0, "x").octets("x")).sequence("x")
    plain = der.sequence(der.oid("1.2.840.113549.1.7.1"),
                         der.element(0xA0, der.octet_string(der.sequence(bag("Secret", secret)))))  # fmt: skip
    error = refused(with_mac_of("unknown", der.sequence(plain, inner.data[inner.position : inner.end])))
    assert error.error_id == "SidProtected"
    assert "S-1-5-21-1004336348-1177238915-682003330-512" in error.message


def with_mac_of(password: str, authenticated: bytes) -> bytes:
    """A PFX whose MAC nobody's password fits."""
    data = bytearray(with_mac(authenticated))
    data[-20] ^= 1
    return bytes(data)


def test_several_keys_nested_safes_secrets_and_trailing_bytes():
    nested = bag("SafeContents", der.sequence(bag("Key", pkcs8_of("p384")), certificate_bag("p384")))
    secret = bag("Secret", der.sequence(der.oid("1.2.3.4"), der.element(0xA0, b"\5\0")))
    found = read_pfx(
        plain_pfx(bag("Key", pkcs8_of("p256")), nested, secret, certificate_bag("p256")) + b"\0" * 8, [SECRET]
    )
    assert [each.pkcs8 for each in found.content.keys] == [pkcs8_of("p256"), pkcs8_of("p384")]
    assert len(found.content.certificates) == 2
    assert [each.depth for each in found.bags] == [0, 0, 1, 1, 0, 0]
    assert found.trailing == 8
    assert {note.id for note in found.content.notes} == {"SkippedBag", "TrailingBytes"}


def test_ber_around_a_file(good):
    inside = der.Reader(good).sequence("x")
    found = read_pfx(b"\x30\x80" + good[inside.position : inside.end] + b"\0\0", [SECRET])
    assert found.ber
    assert len(found.content.keys) == 1


def test_base64_and_pem_armor(good):
    for armored in (
        base64.encodebytes(good),
        b"-----BEGIN PKCS12-----\n" + base64.encodebytes(good) + b"-----END PKCS12-----",
    ):
        found = read_pfx(armored, [SECRET])
        assert found.armored
        assert len(found.content.certificates) == 3


def test_outside_without_password(good):
    found = inspect_pfx(good)
    assert found.mac is not None
    assert found.mac.verified is None
    assert found.safes[0].bags is None
    assert found.safes[0].encryption is not None
    assert found.safes[0].encryption.algorithm == "AES-256-CBC"
    assert [each.kind for each in found.bags] == ["ShroudedKey"]
    assert found.content.keys == ()


@pytest.mark.parametrize(
    ("password", "form"), [("", PasswordForm.EMPTY), ("x", PasswordForm.STANDARD), ("🔑ü", PasswordForm.STANDARD)]
)
@pytest.mark.parametrize("profile", list(Profile))
def test_password_forms(password, form, profile):
    made = write_pfx(content([key("p256")], []), Secret(password), profile, iterations=1, mac_iterations=1)
    assert read_pfx(made, [Secret(password)]).password_form is form


@pytest.mark.parametrize(("broken", "form"), [
    ("pässwörd".encode().decode("latin-1"), PasswordForm.UTF8_AS_LATIN1),
])  # fmt: skip
@pytest.mark.parametrize("profile", list(Profile))
def test_mis_encoded_passwords_open_and_are_noted(broken, form, profile):
    made = write_pfx(content([key("p256")], [entry("p256")]), Secret(broken), profile, iterations=1, mac_iterations=1)
    found = read_pfx(made, [Secret("pässwörd")])
    assert found.password_form is form
    assert [note.id for note in found.content.notes] == ["PasswordForm"]


def test_only_certificates_and_nothing_at_all():
    assert read_pfx(write_pfx(content([], [entry("p256")]), SECRET), [SECRET]).content.keys == ()
    assert read_pfx(write_pfx(KeyStoreContent(), SECRET), [SECRET]).content == KeyStoreContent()


def test_a_key_bag_that_holds_an_encrypted_key_is_damage_when_the_mac_fails():
    inner = bag("Key", encrypt_private_key(pkcs8_of("p256"), SECRET, iterations=1))
    made = write_pfx(content([], [entry("p256")]), SECRET, iterations=1)
    certificates = der.Reader(made).sequence("x")
    certificates.integer("x")
    info = certificates.sequence("x")
    info.oid("x")
    safes = der.Reader(info.enter(0xA0, "x").octets("x")).sequence("x")
    plain = der.sequence(der.oid("1.2.840.113549.1.7.1"), der.element(0xA0, der.octet_string(der.sequence(inner))))
    error = refused(with_mac_of("unknown", der.sequence(plain, safes.data[safes.position : safes.end])))
    assert error.error_id == "Damaged"
    assert "private key 1" in error.message
