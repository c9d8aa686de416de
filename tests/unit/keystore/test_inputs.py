"""Every form of input that people have becomes the same PFX: right leaf, right key, chain in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs7

from pkitools.errors import FormatError, InputError, PasswordError, PkiToolsError
from pkitools.keystore.convert import PfxOptions, to_pfx
from pkitools.keystore.inputs import read_source
from pkitools.keystore.pairing import thumbprint
from pkitools.models.keystore import KeyStoreContent
from pkitools.models.secret import Secret
from pkitools.protocol import der, private_key
from pkitools.protocol.pem import write_pem
from pkitools.protocol.pkcs12 import read_pfx
from tests.unit.keystore import pki

PASSWORD = Secret("pässwörd 🔑")
QUICK = PfxOptions(iterations=1, mac_iterations=1)
NOISE = b"Bag Attributes\n    friendlyName: VPN Z\xfcrich\n    localKeyID: 01 00 00 00 \n"
CERTIFICATES = pki.pem("rsa", "issuing", "root")
P7B = pkcs7.serialize_certificates([pki.certificate(kind) for kind in ("root", "rsa", "issuing")], Encoding.DER)
P7B_PEM = pkcs7.serialize_certificates([pki.certificate(kind) for kind in ("root", "rsa", "issuing")], Encoding.PEM)
ALL = CERTIFICATES + pki.key_pem("rsa")
TRADITIONAL = PrivateFormat.TraditionalOpenSSL
AUX = bytes.fromhex("300c300a06082b06010505070301")


def convert(*inputs: bytes, key: bytes | None = None, options: PfxOptions = QUICK) -> KeyStoreContent:
    named = [(f"input{index}", data) for index, data in enumerate(inputs)]
    key_file = ("key", key) if key is not None else None
    result = to_pfx(named, PASSWORD, (PASSWORD,), options, key_file=key_file)
    return read_pfx(result.data, [PASSWORD]).content


def trusted(kind: str) -> bytes:
    return write_pem("TRUSTED CERTIFICATE", pki.der(kind) + AUX)


def ec_parameters(kind: str) -> bytes:
    _, algorithm, _ = private_key.split_key(pki.pkcs8(kind))
    reader = der.Reader(algorithm).sequence("algorithm")
    reader.oid("algorithm")
    return write_pem("EC PARAMETERS", reader.any()[1])


def legacy(kind: str, cipher: str, size: int, block: int) -> bytes:
    """A key as ``openssl rsa -des3`` and the like write it."""
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    from pkitools.protocol import legacy_pem

    plain = pki.key(kind).private_bytes(Encoding.DER, TRADITIONAL, pki.NoEncryption())
    padding = block - len(plain) % block
    iv = bytes(range(block))
    key = legacy_pem.derive(PASSWORD.reveal().encode(), iv[:8], size)
    worker = Cipher(legacy_pem._algorithm(cipher, key), modes.CBC(iv)).encryptor()
    content = worker.update(plain + bytes((padding,)) * padding) + worker.finalize()
    headers = (("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", f"{cipher},{iv.hex().upper()}"))
    return write_pem("RSA PRIVATE KEY", content, headers)


RSA_FORMS: dict[str, tuple[bytes, ...]] = {
    "one file": (ALL,),
    "key, then chain, then leaf": (pki.key_pem("rsa"), pki.pem("issuing", "root"), pki.pem("rsa")),
    "root first": (pki.pem("root", "issuing", "rsa"), pki.key_pem("rsa")),
    "crlf": (ALL.replace(b"\n", b"\r\n"),),
    "cr only": (ALL.replace(b"\n", b"\r"),),
    "bom": (b"\xef\xbb\xbf" + ALL,),
    "utf-16 le": (ALL.decode().encode("utf-16"),),
    "utf-16 be": (b"\xfe\xff" + ALL.decode().encode("utf-16-be"),),
    "nul at the end": (ALL + b"\0",),
    "latin-1 noise": (NOISE + ALL.replace(b"-----BEGIN PRIV", NOISE + b"-----BEGIN PRIV"),),
    "indented": (b"".join(b"    " + line + b"\n" for line in ALL.splitlines()),),
    "escaped on one line": (ALL.replace(b"\n", b"\\n"),),
    "end and begin on one line": (ALL.replace(b"-----\n-----", b"----------"),),
    "x509 certificate label": (ALL.replace(b" CERTIFICATE", b" X509 CERTIFICATE"),),
    "trusted certificate": (trusted("rsa"), pki.pem("issuing", "root"), pki.key_pem("rsa")),
    "duplicates": (ALL, ALL, pki.der("rsa")),
    "unrelated certificate first": (pki.pem("p-256"), ALL),
    "der certificates and key": (pki.der("rsa"), pki.der("issuing"), pki.der("root"), pki.pkcs8("rsa")),
    "der certificate with a line end behind": (pki.der("rsa") + b"\r\n", pki.pem("issuing", "root"), pki.pkcs8("rsa")),
    "p7b der": (P7B, pki.key_pem("rsa")),
    "p7b pem": (P7B_PEM, pki.key_pem("rsa")),
    "pkcs1": (CERTIFICATES, pki.key_pem("rsa", TRADITIONAL)),
    "pkcs1 der": (CERTIFICATES, private_key.key_to_pkcs1(pki.pkcs8("rsa"))),
    "encrypted pkcs8": (CERTIFICATES, pki.key_pem("rsa", password=PASSWORD.reveal())),
    "encrypted pkcs8 der": (
        CERTIFICATES,
        pki.key("rsa").private_bytes(
            Encoding.DER, PrivateFormat.PKCS8, pki.BestAvailableEncryption(PASSWORD.reveal().encode())
        ),
    ),
    "proc-type aes-128": (CERTIFICATES, legacy("rsa", "AES-128-CBC", 16, 16)),
    "proc-type aes-192": (CERTIFICATES, legacy("rsa", "AES-192-CBC", 24, 16)),
    "proc-type aes-256": (CERTIFICATES, legacy("rsa", "AES-256-CBC", 32, 16)),
    "proc-type 3des": (CERTIFICATES, legacy("rsa", "DES-EDE3-CBC", 24, 8)),
    "proc-type des": (CERTIFICATES, legacy("rsa", "DES-CBC", 8, 8)),
    "proc-type camellia": (CERTIFICATES, legacy("rsa", "CAMELLIA-256-CBC", 32, 16)),
    "proc-type, escaped": (CERTIFICATES, legacy("rsa", "AES-256-CBC", 32, 16).replace(b"\n", b"\\n")),
    "openssh": (CERTIFICATES, pki.key_pem("rsa", PrivateFormat.OpenSSH)),
    "crl and request beside": (
        ALL,
        write_pem("X509 CRL", b"0\0"),
        write_pem("CERTIFICATE REQUEST", b"0\0"),
        write_pem("DH PARAMETERS", b"0\0"),
    ),
}


@pytest.mark.parametrize("form", RSA_FORMS)
def test_rsa_forms(form: str) -> None:
    content = convert(*RSA_FORMS[form])
    expected = pki.chain("rsa")
    assert [one.der for one in content.certificates] == [expected.leaf, expected.issuing, expected.root]
    (key,) = content.keys
    assert private_key.split_key(key.pkcs8)[2] == private_key.split_key(pki.pkcs8("rsa"))[2]
    assert key.local_key_id == content.certificates[0].local_key_id


@pytest.mark.parametrize("kind", pki.KINDS)
def test_kinds_of_keys(kind: str) -> None:
    content = convert(pki.pem("root", "issuing", kind), pki.key_pem(kind))
    assert content.certificates[0].der == pki.der(kind)
    assert private_key.split_key(content.keys[0].pkcs8) == private_key.split_key(pki.pkcs8(kind))


@pytest.mark.parametrize("kind", ["p-256", "p-384", "p-521", "brainpool"])
@pytest.mark.parametrize("form", ["sec1", "parameters first", "proc-type", "der", "openssh"])
def test_ec_forms(kind: str, form: str) -> None:
    if form == "openssh" and kind == "brainpool":
        pytest.skip("OpenSSH knows no brainpool curve")
    keys: dict[str, Callable[[], bytes]] = {
        "sec1": lambda: pki.key_pem(kind, TRADITIONAL),
        "parameters first": lambda: ec_parameters(kind) + pki.key_pem(kind, TRADITIONAL),
        "proc-type": lambda: pki.key_pem(kind, TRADITIONAL, PASSWORD.reveal()),
        "der": lambda: private_key.key_to_sec1(pki.pkcs8(kind)),
        "openssh": lambda: pki.key_pem(kind, PrivateFormat.OpenSSH),
    }
    content = convert(pki.pem(kind), keys[form]())
    assert private_key.split_key(content.keys[0].pkcs8) == private_key.split_key(pki.pkcs8(kind))


def test_dsa_traditional() -> None:
    in_der = pki.key("dsa").private_bytes(Encoding.DER, TRADITIONAL, pki.NoEncryption())
    for data in (pki.key_pem("dsa", TRADITIONAL), in_der):
        assert private_key.split_key(convert(pki.pem("dsa"), data).keys[0].pkcs8)[0] == private_key.DSA


def test_pfx_among_the_inputs() -> None:
    made = to_pfx([("a", ALL)], PASSWORD, (PASSWORD,), QUICK)
    again = convert(made.data)
    assert [one.der for one in again.certificates] == [one.der for one in convert(ALL).certificates]
    armoured = convert(write_pem("PKCS12", made.data))
    assert armoured == again
    renewed = convert(made.data, pki.pem("root"))
    assert renewed.keys == again.keys


def test_unprotected_pfx_opens_without_a_password() -> None:
    made = to_pfx([("a", ALL)], Secret(""), (Secret(""),), QUICK)
    assert convert(made.data).keys


def test_unrelated_key_before_the_right_one() -> None:
    both = pki.key_pem("rsa-other") + ALL
    with pytest.raises(FormatError, match="^input0: the RSA private key .* matches no certificate") as caught:
        convert(both)
    assert caught.value.error_id == "KeyMismatch"
    with pytest.raises(FormatError, match="^key: .* matches no certificate"):
        convert(CERTIFICATES, key=pki.key_pem("rsa") + pki.key_pem("rsa-other"))
    chosen = replace(QUICK, thumbprint=thumbprint(pki.der("rsa")))
    content = read_pfx(to_pfx([("a", both)], PASSWORD, (PASSWORD,), chosen).data, [PASSWORD]).content
    assert [private_key.split_key(key.pkcs8)[2] for key in content.keys] == [private_key.split_key(pki.pkcs8("rsa"))[2]]


def test_key_that_matches_none_is_refused_with_both_fingerprints() -> None:
    for inputs, key in (((pki.pem("rsa"), pki.key_pem("rsa-other")), None), ((ALL,), pki.key_pem("rsa-other"))):
        with pytest.raises(FormatError) as caught:
            convert(*inputs, key=key)
        assert caught.value.error_id == "KeyMismatch"
        message = caught.value.message
        from pkitools.keystore.pairing import certificate_key_fingerprint, key_fingerprint

        assert key_fingerprint(pki.pkcs8("rsa-other")) in message
        assert certificate_key_fingerprint(pki.der("rsa")) in message


def test_two_keys_are_written_with_a_warning_that_names_the_reader() -> None:
    both = (ALL, pki.pem("p-256"), pki.key_pem("p-256"))
    result = to_pfx([(str(i), one) for i, one in enumerate(both)], PASSWORD, (PASSWORD,), QUICK)
    assert len(read_pfx(result.data, [PASSWORD]).content.keys) == 2
    (warning,) = [item for item in result.findings if item.id == "SeveralKeys"]
    assert ".NET" in warning.message
    chosen = PfxOptions(iterations=1, mac_iterations=1, thumbprint=result.thumbprint)
    assert len(convert(*both, options=chosen).keys) == 1


def test_two_certificates_for_one_key_are_listed() -> None:
    renewed = write_pem("CERTIFICATE", pki.der("rsa", serial=8))
    with pytest.raises(InputError, match="2 certificates for one key") as caught:
        convert(ALL, renewed)
    assert caught.value.error_id == "SeveralKeys"
    assert caught.value.message.count("vpn.zürich.example") == 2


@pytest.mark.parametrize(
    ("inputs", "error_id"),
    [
        ((CERTIFICATES,), "NoPrivateKey"),
        ((pki.key_pem("rsa"),), "NoCertificate"),
        ((b"",), "NotPfx"),
        ((b"hello",), "NotPfx"),
        ((b"\xfe\xed\xfe\xed" + bytes(40),), "NotPfx"),
        ((write_pem("X509 CRL", b"0\0"),), "NoPrivateKey"),
        ((write_pem("CERTIFICATE", b"0\x03\x02\x01\x01"),), "Damaged"),
        ((ALL[:-30],), "InvalidFormat"),
    ],
)
def test_each_refusal_has_its_cause(inputs: tuple[bytes, ...], error_id: str) -> None:
    with pytest.raises((FormatError, InputError)) as caught:
        convert(*inputs)
    assert caught.value.error_id == error_id, caught.value.message


def test_errors_name_the_file() -> None:
    encrypted = pki.key_pem("rsa", password="other")
    with pytest.raises(PasswordError, match="^input1: "):
        convert(CERTIFICATES, encrypted)
    with pytest.raises(FormatError, match="^input1: "):
        convert(CERTIFICATES, b"junk")


def test_damaged_key_in_a_pfx_is_seen() -> None:
    from dataclasses import replace

    from pkitools.protocol.pkcs12 import write_pfx

    content = convert(ALL)
    damaged = bytearray(content.keys[0].pkcs8)
    damaged[-5] ^= 1
    data = write_pfx(
        replace(content, keys=(replace(content.keys[0], pkcs8=bytes(damaged)),)),
        PASSWORD,
        iterations=1,
        mac_iterations=1,
    )
    with pytest.raises(PkiToolsError, match="numbers do not belong together"):
        read_source("x", data, (PASSWORD,))


def test_damaged_comments_are_noted() -> None:
    source = read_source("x", b"# pkitools key-spec: AT_NOTHING\n" + pki.key_pem("rsa"), ())
    assert [note.id for note in source.content.notes] == ["DamagedComment"]
    assert source.content.keys
