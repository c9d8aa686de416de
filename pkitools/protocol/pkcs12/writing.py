"""Writing a PFX that Windows can open: attributes and their places byte for byte as OpenSSL writes them."""

from __future__ import annotations

import os
from enum import Enum

from pkitools.models.keystore import CertificateEntry, KeyEntry, KeyStoreContent
from pkitools.models.secret import Secret
from pkitools.protocol import der
from pkitools.protocol.formats import DATA
from pkitools.protocol.pkcs12 import algorithms as alg
from pkitools.protocol.pkcs12.attributes import bag_attributes, with_key_spec, write_attributes
from pkitools.protocol.pkcs12.mac import MacData
from pkitools.protocol.pkcs12.passwords import Candidate, candidates
from pkitools.protocol.pkcs12.pbe import KeyDerivation, Scheme
from pkitools.protocol.pkcs12.structure import BAG_OIDS, ENCRYPTED_DATA, X509_CERTIFICATE, X509_CRL

_NULL = der.element(der.NULL, b"")
_SALT_OCTETS = 16
_OLD_SALT_OCTETS = 8  # of PBES1 and the MAC; some macOS refused MAC salts of 16
_PBMAC1_KEY_OCTETS = 32


class Profile(Enum):
    """Which readers shall open the file: WINDOWS takes AES-256 and SHA-256 (Server 2019 and later), WINDOWS2016 3DES
    and SHA-1 (Server 2016 and older), PBMAC1 is WINDOWS with the integrity check of RFC 9879 (no Windows yet)."""

    WINDOWS = "windows"
    WINDOWS2016 = "windows2016"
    PBMAC1 = "pbmac1"


# .NET refuses more than 300,000 for the MAC or a key, and 1,000,000 for all keys; old appliances want few
DEFAULT_ITERATIONS = {Profile.WINDOWS: 100_000, Profile.WINDOWS2016: 2_048, Profile.PBMAC1: 100_000}


def write_pfx(
    content: KeyStoreContent,
    password: Secret,
    profile: Profile = Profile.WINDOWS,
    *,
    iterations: int | None = None,
    mac_iterations: int | None = None,
) -> bytes:
    """A PFX of keys and certificates in the order given, with their attributes.

    Certificates stand in one encrypted safe, keys shrouded in a plain one after it, as OpenSSL has it. ``iterations``
    count for each key and for the certificates, ``mac_iterations`` for the MAC; both default by profile.
    """
    rounds = iterations or DEFAULT_ITERATIONS[profile]
    secret = candidates([password])[0]
    safes = []
    if content.certificates or content.crls:
        safes.append(_encrypted_safe(_certificate_bags(content), secret, profile, rounds))
    if content.keys:
        bags = [_key_bag(key, secret, profile, rounds) for key in content.keys]
        safes.append(_content_info(DATA, der.octet_string(der.sequence(*bags))))
    authenticated = der.sequence(*safes)
    mac = _mac(authenticated, secret, profile, mac_iterations or DEFAULT_ITERATIONS[profile])
    return der.sequence(der.integer(3), _content_info(DATA, der.octet_string(authenticated)), mac)


def encrypt_private_key(pkcs8: bytes, password: Secret, *, iterations: int | None = None) -> bytes:
    """The EncryptedPrivateKeyInfo (AES-256-CBC, PBKDF2 with HMAC-SHA-256) of a PrivateKeyInfo, attributes kept."""
    rounds = iterations or DEFAULT_ITERATIONS[Profile.WINDOWS]
    return _shrouded(pkcs8, candidates([password])[0], Profile.WINDOWS, rounds)


def _content_info(content_type: str, content: bytes) -> bytes:
    return der.sequence(der.oid(content_type), der.element(der.context(0), content))


def _encryption(profile: Profile, iterations: int) -> tuple[Scheme, bytes]:
    """A scheme with fresh salt and IV, and its AlgorithmIdentifier."""
    if profile is Profile.WINDOWS2016:
        derivation = KeyDerivation("PKCS12", "sha1", os.urandom(_OLD_SALT_OCTETS), iterations)
        parameters = der.sequence(der.octet_string(derivation.salt), der.integer(iterations))
        scheme = Scheme(alg.PBE_3DES, alg.PBES1[alg.PBE_3DES].cipher, derivation)
        return scheme, der.sequence(der.oid(alg.PBE_3DES), parameters)
    derivation = KeyDerivation("PBKDF2", "sha256", os.urandom(_SALT_OCTETS), iterations)
    cipher = alg.CIPHERS[alg.AES_256_CBC]
    scheme = Scheme(alg.AES_256_CBC, cipher, derivation, os.urandom(cipher.iv_size))
    encryption = der.sequence(der.oid(alg.AES_256_CBC), der.octet_string(scheme.iv))
    return scheme, der.sequence(der.oid(alg.PBES2), der.sequence(_pbkdf2(derivation), encryption))


def _pbkdf2(derivation: KeyDerivation) -> bytes:
    key_length = der.integer(derivation.key_length) if derivation.key_length else b""
    prf = der.sequence(der.oid(alg.HMAC_SHA256), _NULL)
    parameters = der.sequence(der.octet_string(derivation.salt), der.integer(derivation.iterations), key_length, prf)
    return der.sequence(der.oid(alg.PBKDF2), parameters)


def _encrypted_safe(contents: bytes, secret: Candidate, profile: Profile, iterations: int) -> bytes:
    scheme, algorithm = _encryption(profile, iterations)
    encrypted = der.element(der.context(0, constructed=False), scheme.encrypt(contents, secret))
    info = der.sequence(der.oid(DATA), algorithm, encrypted)
    return _content_info(ENCRYPTED_DATA, der.sequence(der.integer(0), info))


def _shrouded(pkcs8: bytes, secret: Candidate, profile: Profile, iterations: int) -> bytes:
    scheme, algorithm = _encryption(profile, iterations)
    return der.sequence(algorithm, der.octet_string(scheme.encrypt(pkcs8, secret)))


def _bag(kind: str, value: bytes, entry: KeyEntry | CertificateEntry | None) -> bytes:
    attributes = write_attributes(bag_attributes(entry)) if entry else b""
    tail = der.element(der.SET, attributes) if attributes else b""
    return der.sequence(der.oid(BAG_OIDS[kind]), der.element(der.context(0), value), tail)


def _key_bag(key: KeyEntry, secret: Candidate, profile: Profile, iterations: int) -> bytes:
    pkcs8 = with_key_spec(key.pkcs8, key.key_spec)
    return _bag("ShroudedKey", _shrouded(pkcs8, secret, profile, iterations), key)


def _certificate_bags(content: KeyStoreContent) -> bytes:
    bags = [
        _bag("Certificate", _typed(X509_CERTIFICATE, certificate.der), certificate)
        for certificate in content.certificates
    ]
    return der.sequence(*bags, *(_bag("Crl", _typed(X509_CRL, crl), None) for crl in content.crls))


def _typed(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.element(der.context(0), der.octet_string(value)))


def _mac(authenticated: bytes, secret: Candidate, profile: Profile, iterations: int) -> bytes:
    if profile is Profile.PBMAC1:
        return _pbmac1(authenticated, secret, iterations)
    oid = alg.SHA1 if profile is Profile.WINDOWS2016 else alg.SHA256
    mac = MacData(oid, alg.DIGESTS[oid], b"", os.urandom(_OLD_SALT_OCTETS), iterations)
    return _mac_data(der.sequence(der.oid(oid), _NULL), mac, mac.compute(authenticated, secret))


def _pbmac1(authenticated: bytes, secret: Candidate, iterations: int) -> bytes:
    """RFC 9879 4: salt and iterations of MacData are there for the form only."""
    salt = os.urandom(_SALT_OCTETS)
    derivation = KeyDerivation("PBKDF2", "sha256", salt, iterations, _PBMAC1_KEY_OCTETS)
    mac = MacData(alg.PBMAC1, "sha256", b"", b"NOT USED", 1, derivation)
    scheme = der.sequence(der.oid(alg.HMAC_SHA256), _NULL)
    algorithm = der.sequence(der.oid(alg.PBMAC1), der.sequence(_pbkdf2(derivation), scheme))
    return _mac_data(algorithm, mac, mac.compute(authenticated, secret))


def _mac_data(algorithm: bytes, mac: MacData, computed: bytes) -> bytes:
    digest_info = der.sequence(algorithm, der.octet_string(computed))
    iterations = der.integer(mac.iterations) if mac.iterations != 1 else b""
    return der.sequence(digest_info, der.octet_string(mac.salt), iterations)
