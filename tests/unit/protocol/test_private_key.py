"""Private keys of every kind and form become one PrivateKeyInfo, and leave in the form asked for."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.errors import FormatError, MissingDependencyError, PasswordError, PkiToolsError
from pkitools.models.secret import Secret
from pkitools.protocol import der, legacy_pem, openssh_key
from pkitools.protocol import private_key as keys
from pkitools.protocol.pem import PemBlock, read_pem, write_pem
from pkitools.protocol.private_key import KeyForm

PASSWORD = Secret("pässwörd 🔑")
_KEYS = {
    "rsa": rsa.generate_private_key(65537, 1024),
    "p-256": ec.generate_private_key(ec.SECP256R1()),
    "p-521": ec.generate_private_key(ec.SECP521R1()),
    "brainpool": ec.generate_private_key(ec.BrainpoolP256R1()),
    "dsa": dsa.generate_private_key(1024),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ed448": ed448.Ed448PrivateKey.generate(),
}
TRADITIONAL = [name for name in _KEYS if not name.startswith("ed")]
PKCS8 = {name: key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()) for name, key in _KEYS.items()}


def numbers(pkcs8: bytes) -> object:
    key = load_der_private_key(pkcs8, None)
    return key.private_numbers() if hasattr(key, "private_numbers") else key.private_bytes_raw()


def pem_of(name: str, form: PrivateFormat, password: Secret | None = None) -> PemBlock:
    how = BestAvailableEncryption(password.reveal().encode()) if password else NoEncryption()
    (block,) = read_pem(_KEYS[name].private_bytes(Encoding.PEM, form, how))
    return block


@pytest.mark.parametrize("name", _KEYS)
def test_pkcs8_stays_as_found(name: str) -> None:
    assert keys.key_from_pem(pem_of(name, PrivateFormat.PKCS8), ()) == PKCS8[name]
    assert keys.key_from_der(PKCS8[name], ()) == PKCS8[name]


@pytest.mark.parametrize("name", TRADITIONAL)
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_traditional_forms(name: str, password: Secret | None) -> None:
    block = pem_of(name, PrivateFormat.TraditionalOpenSSL, password)
    assert bool(block.header("DEK-Info")) is bool(password)
    found = keys.key_from_pem(block, (Secret("wrong"), PASSWORD))
    assert numbers(found) == _KEYS[name].private_numbers()
    if password is None:
        assert keys.key_from_der(block.der, ()) == found


@pytest.mark.parametrize("name", ["rsa", "p-256", "ed25519"])
def test_openssh_plain(name: str) -> None:
    found = keys.key_from_pem(pem_of(name, PrivateFormat.OpenSSH), ())
    assert numbers(found) == numbers(PKCS8[name])


def test_openssh_header_is_checked_before_any_work() -> None:
    block = pem_of("ed25519", PrivateFormat.OpenSSH)
    assert openssh_key.read_header(block.der) == openssh_key.OpenSshHeader("none", "none", 0, 1)

    def string(text: bytes) -> bytes:
        return len(text).to_bytes(4, "big") + text

    options = string(string(bytes(16)) + (2**31).to_bytes(4, "big"))
    greedy = b"openssh-key-v1\0" + string(b"aes256-ctr") + string(b"bcrypt") + options + bytes(3) + b"\1"
    with pytest.raises(FormatError, match="KDF rounds"):
        openssh_key.read_openssh_key(greedy, (PASSWORD,))
    for cut in range(len(block.der)):
        with pytest.raises(FormatError):
            openssh_key.read_openssh_key(block.der[:cut], (PASSWORD,))


def test_openssh_key_with_a_compressed_point_is_refused() -> None:
    block = pem_of("p-256", PrivateFormat.OpenSSH)
    compressed = block.der.replace(bytes.fromhex("0000004104"), bytes.fromhex("0000004102"))
    assert compressed != block.der
    with pytest.raises(FormatError, match="damaged"):
        openssh_key.read_openssh_key(compressed, ())


def test_openssh_cipher_that_needs_bcrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    header = openssh_key.OpenSshHeader("aes256-gcm@openssh.com", "bcrypt", 16, 1)
    with pytest.raises(MissingDependencyError, match="bcrypt"):
        openssh_key._load_without_bcrypt(b"", b"x", header)


def test_curve_of_a_parameters_block() -> None:
    block = pem_of("p-256", PrivateFormat.TraditionalOpenSSL)
    reader = der.Reader(block.der).sequence("key")
    head = reader.raw(der.INTEGER, "version") + reader.raw(der.OCTET_STRING, "value")
    curve = reader.enter(der.context(0), "curve").any()[1]
    bare = PemBlock("EC PRIVATE KEY", der.sequence(head))
    assert numbers(keys.key_from_pem(bare, (), parameters=curve)) == _KEYS["p-256"].private_numbers()
    with pytest.raises(FormatError, match="names no curve"):
        keys.key_from_pem(bare, ())
    # and the written SEC 1 form always has its curve
    written = keys.key_to_sec1(keys.key_from_pem(bare, (), parameters=curve))
    assert keys.key_from_der(written, ()) and curve in written


def test_legacy_derivation() -> None:
    """Vector: ``openssl enc -aes-256-cbc -md md5 -S 0011223344556677 -P -k secret``."""
    key = legacy_pem.derive(b"secret", bytes.fromhex("0011223344556677"), 48)
    assert key[:32].hex().upper() == "6C634F48357975117B982645F825E6E69BAEF03EB9B45A39B409BEFD557EB185"
    assert key[32:].hex().upper() == "81750AD2D4979221CB58EE61EA7E7D13"


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ((("Proc-Type", "4,ENCRYPTED"),), "has no DEK-Info"),
        ((("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", "SEED-CBC,00")), "'SEED-CBC', which is unsupported"),
        ((("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", "AES-128-CBC,zz")), "damaged DEK-Info"),
        ((("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", "AES-128-CBC,00")), "length does not fit"),
        ((("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", "DES-CBC,0011223344556677")), "wrong password"),
    ],
)
def test_legacy_damage_is_named(headers: tuple[tuple[str, str], ...], says: str) -> None:
    block = PemBlock("RSA PRIVATE KEY", bytes(64), headers, line=7)
    with pytest.raises((FormatError, PasswordError), match=says) as caught:
        keys.key_from_pem(block, (PASSWORD,))
    assert "line 7" in str(caught.value)
    assert PASSWORD.reveal() not in str(caught.value) + caught.value.hint


def test_password_missing_and_wrong_are_two_causes() -> None:
    block = pem_of("rsa", PrivateFormat.TraditionalOpenSSL, PASSWORD)
    with pytest.raises(PasswordError) as caught:
        keys.key_from_pem(block, ())
    assert caught.value.error_id == "PasswordMissing"
    with pytest.raises(PasswordError) as caught:
        keys.key_from_pem(block, (Secret("falsch"),))
    assert caught.value.error_id == "WrongPassword"
    with pytest.raises(PasswordError) as caught:
        keys.key_from_pem(pem_of("rsa", PrivateFormat.PKCS8, PASSWORD), ())
    assert caught.value.error_id == "PasswordMissing"


def test_forms_written() -> None:
    def loads(name: str, form: KeyForm) -> bool:
        return load_pem_private_key(keys.key_to_pem(PKCS8[name], form), None) is not None

    assert loads("rsa", KeyForm.PKCS1) and loads("rsa", KeyForm.PKCS8)
    assert loads("p-521", KeyForm.SEC1) and loads("ed448", KeyForm.PKCS8)
    with pytest.raises(FormatError, match="EC has no PKCS #1 form") as caught:
        keys.key_to_pem(PKCS8["p-256"], KeyForm.PKCS1)
    assert "sec1" in caught.value.hint
    with pytest.raises(FormatError, match="RSA has no SEC 1 form"):
        keys.key_to_pem(PKCS8["rsa"], KeyForm.SEC1)
    with pytest.raises(FormatError, match="Ed25519 has no PKCS #1 form"):
        keys.key_to_pem(PKCS8["ed25519"], KeyForm.PKCS1)
    with pytest.raises(PasswordError):
        keys.key_to_pem(PKCS8["rsa"], KeyForm.ENCRYPTED_PKCS8)


def with_attributes(pkcs8: bytes) -> bytes:
    info = der.Reader(pkcs8).sequence("info")
    return der.sequence(pkcs8[info.position : info.end], bytes.fromhex("a00d300b0603551d0f310403020410"))


def test_rsa_pss_and_attributes_are_kept() -> None:
    _, _, key = keys.split_key(PKCS8["rsa"])
    pss = der.sequence(der.oid(keys.RSA_PSS))
    raw = keys.with_algorithm(with_attributes(PKCS8["rsa"]), pss)
    assert keys.key_from_der(raw, ()) == raw
    assert keys.split_key(raw) == (keys.RSA_PSS, pss, key)
    assert keys.key_to_pkcs1(raw) == key
    plain = keys.without_attributes(raw)
    assert bytes.fromhex("0603551d0f") in raw and bytes.fromhex("0603551d0f") not in plain
    assert keys.split_key(plain) == keys.split_key(raw)


@pytest.mark.parametrize("form", [None, KeyForm.PKCS8, KeyForm.PKCS1, KeyForm.SEC1, KeyForm.DSA])
def test_key_form(form: KeyForm | None) -> None:
    samples = {
        None: [b"", b"\x30", b"\x30\x00", b"text", bytes.fromhex("3003020105"), der.sequence(der.sequence())],
        KeyForm.PKCS8: [*PKCS8.values(), with_attributes(PKCS8["rsa"])],
        KeyForm.PKCS1: [pem_of("rsa", PrivateFormat.TraditionalOpenSSL).der],
        KeyForm.SEC1: [pem_of("p-256", PrivateFormat.TraditionalOpenSSL).der],
        KeyForm.DSA: [pem_of("dsa", PrivateFormat.TraditionalOpenSSL).der],
    }
    assert {keys.key_form(sample) for sample in samples[form]} == {form}
    encrypted = pem_of("rsa", PrivateFormat.PKCS8, PASSWORD)
    assert keys.key_form(encrypted.der) is KeyForm.ENCRYPTED_PKCS8


def test_label_and_content_differ() -> None:
    sec1 = pem_of("p-256", PrivateFormat.TraditionalOpenSSL).der
    with pytest.raises(FormatError, match="no such key"):
        keys.key_from_pem(PemBlock("RSA PRIVATE KEY", sec1), ())
    # a PKCS #8 under a traditional label is what some programs write: it is read
    assert keys.key_from_pem(PemBlock("RSA PRIVATE KEY", PKCS8["rsa"]), ()) == PKCS8["rsa"]


def test_damaged_rsa_numbers() -> None:
    _, _, key = keys.split_key(PKCS8["rsa"])
    keys.check_rsa_numbers(key)
    for position in range(len(key) - 40, len(key), 7):  # the last number is the CRT coefficient
        damaged = bytearray(key)
        damaged[position] ^= 1
        with pytest.raises(FormatError, match="do not belong together"):
            keys.check_rsa_numbers(bytes(damaged))


_BLOCKS = [
    pem_of("rsa", PrivateFormat.TraditionalOpenSSL, PASSWORD),
    pem_of("p-256", PrivateFormat.TraditionalOpenSSL),
    pem_of("dsa", PrivateFormat.TraditionalOpenSSL),
    pem_of("ed25519", PrivateFormat.OpenSSH),
    PemBlock("PRIVATE KEY", with_attributes(PKCS8["rsa"])),
]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutations_give_only_our_errors(data: st.DataObject) -> None:
    block = data.draw(st.sampled_from(_BLOCKS))
    mutated = bytearray(block.der)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(mutated) - 1))
        mutated[position] = data.draw(st.integers(0, 255))
    changed = PemBlock(block.label, bytes(mutated[: data.draw(st.integers(0, len(mutated)))]), block.headers)
    try:
        found = keys.key_from_pem(changed, (PASSWORD,))
        keys.split_key(found)
        keys.key_to_pkcs1(found)
    except PkiToolsError as error:
        assert "\n" not in error.message


def test_written_pem_is_strict() -> None:
    assert keys.key_to_pem(PKCS8["rsa"]) == write_pem("PRIVATE KEY", PKCS8["rsa"])
