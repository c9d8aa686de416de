"""Private keys in every form that people have: read into PKCS #8 (RFC 5208, RFC 5958), written as asked for.

The PrivateKeyInfo is the one form inside pkitools, carried as raw DER: its attributes (KeySpec) and its algorithm
(RSA-PSS, explicit curve parameters) stay as found, which no key object of a library keeps. Read are PKCS #8 plain and
encrypted, PKCS #1 (RFC 8017 A.1.2), SEC 1 (RFC 5915), DSA as OpenSSL writes it, all of them also as RFC 1421
``Proc-Type: 4,ENCRYPTED``, and OpenSSH's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache

from pkitools.errors import FormatError, PasswordError
from pkitools.models.secret import Secret
from pkitools.protocol import der
from pkitools.protocol.pem import PemBlock, write_pem

RSA = "1.2.840.113549.1.1.1"
RSA_PSS = "1.2.840.113549.1.1.10"
EC = "1.2.840.10045.2.1"
DSA = "1.2.840.10040.4.1"
ED25519 = "1.3.101.112"
ED448 = "1.3.101.113"

NAMES = {
    RSA: "RSA",
    RSA_PSS: "RSASSA-PSS",
    EC: "EC",
    DSA: "DSA",
    "1.2.840.10046.2.1": "DH",
    "1.3.101.110": "X25519",
    "1.3.101.111": "X448",
    ED25519: "Ed25519",
    ED448: "Ed448",
}


class KeyForm(Enum):
    """The form of a private key in DER, told by its structure alone."""

    PKCS8 = "PKCS #8"
    ENCRYPTED_PKCS8 = "encrypted PKCS #8"
    PKCS1 = "PKCS #1"
    SEC1 = "SEC 1"
    DSA = "DSA"


_LABELS = {
    "PRIVATE KEY": KeyForm.PKCS8,
    "ENCRYPTED PRIVATE KEY": KeyForm.ENCRYPTED_PKCS8,
    "RSA PRIVATE KEY": KeyForm.PKCS1,
    "EC PRIVATE KEY": KeyForm.SEC1,
    "DSA PRIVATE KEY": KeyForm.DSA,
}
MAX_ITERATIONS = 10_000_000
_NULL = der.element(der.NULL, b"")
_WHAT = "the private key"


def key_from_pem(
    block: PemBlock,
    passwords: Sequence[Secret],
    *,
    parameters: bytes | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> bytes:
    """The PrivateKeyInfo in a PEM block whose label names a private key.

    ``passwords`` are tried in order. ``parameters`` are those of an ``EC PARAMETERS`` block before it, used when the
    key itself has none, ``max_iterations`` the limit for an encrypted PKCS #8. Raises PasswordError (WrongPassword,
    PasswordMissing), FormatError (Damaged, UnsupportedAlgorithm, IterationsOverLimit).
    """
    if block.label == "OPENSSH PRIVATE KEY":
        from pkitools.protocol.openssh_key import read_openssh_key

        return read_openssh_key(block.der, passwords)
    form = _LABELS.get(block.label)
    if "ENCRYPTED" in (block.header("Proc-Type") or ""):
        from pkitools.protocol.legacy_pem import decrypted

        for content in decrypted(block, passwords):
            if key_form(content) in (form, KeyForm.PKCS8):
                return key_from_der(content, passwords, parameters=parameters)
        raise wrong_password(f"the {block.label} in line {block.line}", passwords)
    found = key_form(block.der)
    if found is None or (form is not None and found is not form and KeyForm.PKCS8 not in (form, found)):
        raise FormatError(f"the {block.label} in line {block.line} is damaged: it is no such key", error_id="Damaged")
    return key_from_der(block.der, passwords, parameters=parameters, max_iterations=max_iterations)


def key_from_der(
    data: bytes,
    passwords: Sequence[Secret],
    *,
    parameters: bytes | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> bytes:
    """The PrivateKeyInfo of a key in DER, of whichever form. Raises as ``key_from_pem``."""
    form = key_form(data)
    if form is KeyForm.ENCRYPTED_PKCS8:
        return _decrypt(data, passwords, max_iterations)
    if form is KeyForm.PKCS8:
        return data
    if form is KeyForm.PKCS1:
        return _private_key_info(der.sequence(der.oid(RSA), _NULL), data)
    if form is KeyForm.SEC1:
        return _from_sec1(data, parameters)
    if form is KeyForm.DSA:
        return _from_dsa(data)
    raise FormatError("this is no private key that pkitools knows", error_id="NotPrivateKey")


def key_form(data: bytes) -> KeyForm | None:
    """What kind of private key these bytes are, None when they are none (a certificate, a PFX)."""
    try:
        outer = der.Reader(data, _WHAT).sequence("the outer structure")
        first = outer.peek()
        if first == der.SEQUENCE:
            outer.enter(der.SEQUENCE, "the algorithm").oid("the algorithm")
            outer.octets("the encrypted key")
            return None if outer.more() else KeyForm.ENCRYPTED_PKCS8
        if first != der.INTEGER:
            return None
        outer.content(der.INTEGER, "the version")
        return _plain_form(outer)
    except der.DerError:
        return None


def _plain_form(outer: der.Reader) -> KeyForm | None:
    follows = outer.peek()
    if follows == der.SEQUENCE:
        outer.enter(der.SEQUENCE, "the algorithm").oid("the algorithm")
        outer.octets("the key")
        return KeyForm.PKCS8
    if follows & ~der.CONSTRUCTED == der.OCTET_STRING:
        return KeyForm.SEC1
    integers = 1
    while outer.peek() == der.INTEGER:
        outer.content(der.INTEGER, "a number")
        integers += 1
    return {6: KeyForm.DSA, 9: KeyForm.PKCS1}.get(integers) or (KeyForm.PKCS1 if outer.more() else None)


def _decrypt(data: bytes, passwords: Sequence[Secret], max_iterations: int) -> bytes:
    from pkitools.protocol.pkcs12 import decrypt_private_key

    if not passwords:
        raise wrong_password("the encrypted private key", ())
    return decrypt_private_key(data, passwords, max_iterations=max_iterations)


def wrong_password(what: str, passwords: Sequence[Secret]) -> PasswordError:
    """The error for a key that none of the passwords opens, or that needs one."""
    if any(passwords):
        return PasswordError(
            f"wrong password for {what}", hint="pem-to-pfx takes other passwords for its inputs with --in-password-file"
        )
    return PasswordError(
        f"{what} is encrypted and no password was given",
        hint="give it with --password-file (pem-to-pfx: --in-password-file)",
        error_id="PasswordMissing",
    )


def _private_key_info(algorithm: bytes, key: bytes) -> bytes:
    return der.sequence(der.integer(0), algorithm, der.octet_string(key))


def _from_sec1(data: bytes, parameters: bytes | None) -> bytes:
    """The curve moves from the key to the AlgorithmIdentifier (RFC 5958), as OpenSSL and Windows have it."""
    key = der.Reader(data, "the EC private key").sequence("ECPrivateKey")
    start = key.position
    key.content(der.INTEGER, "the version")
    key.octets("the private value")
    head = data[start : key.position]
    if key.peek() == der.context(0):
        parameters = key.enter(der.context(0), "the curve").any()[1]
    if parameters is None:
        raise FormatError("the EC private key names no curve", hint="its EC PARAMETERS block is missing")
    without_curve = der.sequence(head, data[key.position : key.end])
    return _private_key_info(der.sequence(der.oid(EC), parameters), without_curve)


def _from_dsa(data: bytes) -> bytes:
    key = der.Reader(data, "the DSA private key").sequence("DSAPrivateKey")
    numbers = [key.raw(der.INTEGER, "a number") for _ in range(6)]
    algorithm = der.sequence(der.oid(DSA), der.sequence(*numbers[1:4]))
    return _private_key_info(algorithm, numbers[5])


def split_key(pkcs8: bytes) -> tuple[str, bytes, bytes]:
    """Algorithm OID, AlgorithmIdentifier (DER) and key octets of a PrivateKeyInfo. DerError when damaged."""
    info = der.Reader(pkcs8, _WHAT).sequence("PrivateKeyInfo")
    info.integer("the version")
    start = info.position
    oid = info.sequence("the algorithm").oid("the algorithm")
    algorithm = pkcs8[start : info.position]
    return oid, algorithm, info.octets("the key")


def with_algorithm(pkcs8: bytes, algorithm: bytes) -> bytes:
    """The same key under another AlgorithmIdentifier: an RSA key of a PKCS #1 block that was RSA-PSS before."""
    info = der.Reader(pkcs8, _WHAT).sequence("PrivateKeyInfo")
    version = info.raw(der.INTEGER, "the version")
    info.raw(der.SEQUENCE, "the algorithm")
    return der.sequence(version, algorithm, pkcs8[info.position : info.end])


def without_attributes(pkcs8: bytes) -> bytes:
    """The PrivateKeyInfo without attributes and without the public key of RFC 5958, for readers that know none."""
    _, algorithm, key = split_key(pkcs8)
    return _private_key_info(algorithm, key)


def algorithm_name(oid: str) -> str:
    """The algorithm's name for people, the OID when it has none here."""
    return NAMES.get(oid, oid)


def key_to_pkcs1(pkcs8: bytes) -> bytes:
    """RSAPrivateKey (RFC 8017 A.1.2). FormatError for a key that is not RSA."""
    oid, _, key = split_key(pkcs8)
    if oid not in (RSA, RSA_PSS):
        raise _no_such_form("PKCS #1", oid, "sec1" if oid == EC else "pkcs8")
    return key


def key_to_sec1(pkcs8: bytes) -> bytes:
    """ECPrivateKey (RFC 5915) with its curve inside. FormatError for a key that is not EC."""
    oid, algorithm, key = split_key(pkcs8)
    if oid != EC:
        raise _no_such_form("SEC 1", oid, "pkcs1" if oid in (RSA, RSA_PSS) else "pkcs8")
    reader = der.Reader(key, _WHAT).sequence("ECPrivateKey")
    head = reader.raw(der.INTEGER, "the version") + reader.raw(der.OCTET_STRING, "the private value")
    if reader.peek() == der.context(0):
        return key
    parameters = der.Reader(algorithm, _WHAT).sequence("the algorithm")
    parameters.oid("the algorithm")
    curve = der.element(der.context(0), parameters.any()[1])
    return der.sequence(head, curve, key[reader.position : reader.end])


def _no_such_form(form: str, oid: str, instead: str) -> FormatError:
    return FormatError(
        f"a key of type {algorithm_name(oid)} has no {form} form",
        hint=f"use --key-format {instead}",
        error_id="KeyFormat",
    )


def key_to_pem(pkcs8: bytes, form: KeyForm = KeyForm.PKCS8, password: Secret | None = None) -> bytes:
    """The key as a PEM block. ``password`` is needed for ENCRYPTED_PKCS8. FormatError: the key has no such form."""
    if form is KeyForm.ENCRYPTED_PKCS8:
        from pkitools.protocol.pkcs12 import encrypt_private_key

        if password is None:
            raise PasswordError(
                "an encrypted key needs a password",
                hint="give it with --key-password-file, or as the password of the PFX",
                error_id="PasswordMissing",
            )
        return write_pem("ENCRYPTED PRIVATE KEY", encrypt_private_key(pkcs8, password, iterations=_PEM_ITERATIONS))
    if form is KeyForm.PKCS1:
        return write_pem("RSA PRIVATE KEY", key_to_pkcs1(pkcs8))
    if form is KeyForm.SEC1:
        return write_pem("EC PRIVATE KEY", key_to_sec1(pkcs8))
    return write_pem("PRIVATE KEY", pkcs8)


_PEM_ITERATIONS = 100_000


@lru_cache(maxsize=4)  # reading, matching and comparing look at the same key
def check_rsa_numbers(key: bytes) -> None:
    """Whether the numbers of an RSAPrivateKey belong together, in microseconds and without a primality test.

    Libraries load such a key without a look when their slow validation is off; a damaged one would sign wrongly, and
    a wrong CRT part even gives the key away. FormatError when damaged.
    """
    reader = der.Reader(key, "the RSA private key").sequence("RSAPrivateKey")
    reader.integer("the version")
    n, e, d, p, q, dp, dq, qinv = (reader.integer("a number", max_octets=2100) for _ in range(8))
    if reader.more():  # RFC 8017 multi-prime: rare, and left to the library
        return
    if (
        min(n, e, d, p, q, dp, dq, qinv) < 1
        or p * q != n
        or p <= 1
        or q <= 1
        or e * dp % (p - 1) != 1 % (p - 1)
        or e * dq % (q - 1) != 1 % (q - 1)
        or q * qinv % p != 1
        or d % (p - 1) != dp % (p - 1)
        or d % (q - 1) != dq % (q - 1)
    ):
        raise FormatError("the RSA private key is damaged: its numbers do not belong together", error_id="Damaged")
