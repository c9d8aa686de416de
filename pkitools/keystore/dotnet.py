"""What .NET makes of a PFX, check by check in the order of .NET's own loader, so that the prediction names the limit or
the cause that stops it.

Measured with .NET 10 on Linux; the order of the checks and the matching of keys as in dotnet/runtime's
X509CertificateLoader. On Windows the loader hands on what it let through to PFXImportCertStore.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pkitools.errors import FormatError
from pkitools.keystore.pairing import certificate_public_key, public_key_of, thumbprint
from pkitools.models.keystore import CertificateEntry, Encryption, KeyEntry
from pkitools.models.shown import ReaderPrediction
from pkitools.protocol.formats import DATA
from pkitools.protocol.pkcs12 import Bag, PasswordForm, PfxFile
from pkitools.protocol.pkcs12.attributes import LOCAL_KEY_ID, octets_value
from pkitools.protocol.pkcs12.structure import ENCRYPTED_DATA
from pkitools.protocol.private_key import DSA, EC, RSA, algorithm_name, split_key
from pkitools.protocol.x509 import read_certificate

LOADER = ".NET X509CertificateLoader"
CONSTRUCTOR = ".NET X509Certificate2 constructor, Get-PfxCertificate"
_DIGESTS = ("MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512")
_PRFS = ("HMAC-SHA-1", "HMAC-SHA-256", "HMAC-SHA-384", "HMAC-SHA-512")
_PBES1_CIPHERS = ("3DES-CBC", "2-key 3DES-CBC", "RC2-128-CBC", "RC2-40-CBC", "RC2-64-CBC", "DES-CBC")
_PBES2_CIPHERS = ("AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "3DES-CBC")
_KEY_TYPES = (RSA, EC, DSA)
_EC_DH = "1.3.132.1.12"
_NO_CERTIFICATE = 'it holds no certificate: "The provided PFX data contains no certificates."'


@dataclass(frozen=True, slots=True)
class Limits:
    """Pkcs12LoaderLimits; None is no limit."""

    mac_iterations: int | None = 300_000
    kdf_iterations: int | None = 300_000
    total_iterations: int | None = 1_000_000
    max_keys: int | None = 200
    max_certificates: int | None = 200
    duplicate_attributes: bool = False


DEFAULTS = Limits()
NO_LIMITS = Limits(None, None, None, None, None, duplicate_attributes=True)


def predict_dotnet(pfx: PfxFile, *, opened: bool) -> tuple[ReaderPrediction, ReaderPrediction]:
    """The predictions for the loader with its default limits, and for the doors without limits."""
    return _predict(LOADER, pfx, DEFAULTS, opened), _predict(CONSTRUCTOR, pfx, NO_LIMITS, opened)


def _predict(reader: str, pfx: PfxFile, limits: Limits, opened: bool) -> ReaderPrediction:
    problem = _outside(pfx, limits) or _contents(pfx, limits)
    if problem:
        return ReaderPrediction(reader, False, problem)
    if not opened:
        return ReaderPrediction(reader, None, "cannot be told without the password")
    certificates = [bag for bag in _seen(pfx) if isinstance(bag.entry, CertificateEntry)]
    keys = [bag for bag in _seen(pfx) if bag.kind in ("Key", "ShroudedKey")]
    if not certificates:
        return ReaderPrediction(reader, False, _NO_CERTIFICATE)
    try:
        with_key = _bound(certificates, keys)
    except _Refused as refused:
        return ReaderPrediction(reader, False, str(refused))
    leaf = with_key or certificates[-1]
    return ReaderPrediction(reader, True, _remark(certificates, keys, with_key), _thumbprint(leaf))


def _remark(certificates: Sequence[Bag], keys: Sequence[Bag], with_key: Bag | None) -> str:
    if with_key is None:
        return "no certificate gets a key; it takes the last certificate of the file"
    return "it takes the last certificate of the file that has a key" if len(certificates) > 1 or len(keys) > 1 else ""


def _thumbprint(bag: Bag) -> str | None:
    return thumbprint(bag.entry.der) if isinstance(bag.entry, CertificateEntry) else None


def _seen(pfx: PfxFile) -> list[Bag]:
    """The bags that .NET looks at: nested safes are skipped with all that is in them."""
    return [bag for bag in pfx.bags if bag.depth == 0]


def _outside(pfx: PfxFile, limits: Limits) -> str | None:
    if pfx.armored:
        return 'it is PEM or base64 text: "ASN1 corrupted data."'
    if pfx.mac_problem:
        return pfx.mac_problem
    mac = pfx.mac
    if mac is not None:
        if mac.kind == "PBMAC1":
            return "PBMAC1: \"'1.2.840.113549.1.5.14' is not a known hash algorithm.\""
        if limits.mac_iterations is not None and mac.iterations > limits.mac_iterations:
            return f"MacIterationLimit: {mac.iterations:,} iterations of the MAC, {limits.mac_iterations:,} are allowed"
        if mac.digest not in _DIGESTS:
            return f"a MAC with {mac.digest} is unknown to it"
    if pfx.password_form in (PasswordForm.UTF8_AS_LATIN1, PasswordForm.LATIN1):
        return "it does not try the broken form of the password that opens the file"
    return None


def _contents(pfx: PfxFile, limits: Limits) -> str | None:
    """The safes in the file's order: what stops at the first."""
    work = keys = certificates = 0
    for safe in pfx.safes:
        if safe.content_type not in (DATA, ENCRYPTED_DATA):
            return f"a safe of type {safe.content_type}"
        if safe.encryption:
            if problem := _kdf_problem(safe.encryption, work, limits):
                return problem
            work += safe.encryption.iterations
        for bag in safe.bags or ():
            if bag.depth or bag.kind not in ("Key", "ShroudedKey", "Certificate"):
                continue
            if not limits.duplicate_attributes and _duplicates(bag):
                return "AllowDuplicateAttributes: a bag has an attribute twice, or with two values"
            if bag.kind == "Certificate":
                certificates += bag.entry is not None
            else:
                keys += 1
            if limits.max_certificates is not None and certificates > limits.max_certificates:
                return f"MaxCertificates: more than {limits.max_certificates} certificates"
            if limits.max_keys is not None and keys > limits.max_keys:
                return f"MaxKeys: more than {limits.max_keys} keys"
            if bag.encryption:
                if problem := _kdf_problem(bag.encryption, work, limits):
                    return problem
                work += bag.encryption.iterations
    return None


def _kdf_problem(encryption: Encryption, work: int, limits: Limits) -> str | None:
    what = encryption.algorithm
    if encryption.kdf == "scrypt":
        return "scrypt is unknown to it"
    if what not in (_PBES2_CIPHERS if encryption.kdf == "PBKDF2" else _PBES1_CIPHERS):
        return f"{what} ({encryption.oid}) is unknown to it"
    if encryption.kdf == "PBKDF2" and encryption.prf not in _PRFS:
        return f"{encryption.prf} is unknown to it"
    count = encryption.iterations
    if limits.kdf_iterations is not None and count > limits.kdf_iterations:
        return f"IndividualKdfIterationLimit: {count:,} iterations, {limits.kdf_iterations:,} are allowed"
    if limits.total_iterations is not None and count + work > limits.total_iterations:
        return f"TotalKdfIterationLimit: {count + work:,} iterations together, {limits.total_iterations:,} are allowed"
    return None


def _duplicates(bag: Bag) -> bool:
    oids = [attribute.oid for attribute in bag.attributes]
    return len(oids) != len(set(oids)) or any(len(attribute.values) > 1 for attribute in bag.attributes)


class _Refused(Exception):
    """The whole file is refused, for this reason."""


def _bound(certificates: Sequence[Bag], keys: Sequence[Bag]) -> Bag | None:
    """The certificate that LoadPkcs12 returns: the last of the file that gets a key. _Refused when a key that a
    certificate's localKeyID names cannot be loaded."""
    loaded = [_loads(bag) for bag in keys]
    ids = [_local_key_id(bag) for bag in keys]
    used: set[int] = set()
    found: Bag | None = None
    for certificate in reversed(certificates):
        wanted = _local_key_id(certificate)
        index = ids.index(wanted) if wanted is not None and wanted in ids else _fitting(certificate, keys, loaded)
        if index is None:
            continue
        if not loaded[index]:
            raise _Refused(f"a certificate names a key that it cannot load ({_key_name(keys[index])})")
        if index in used and _family(keys[index]) != _certificate_family(certificate):
            raise _Refused("two certificates claim one key, which is of another type than the second")
        used.add(index)
        found = found or certificate
    return found


def _local_key_id(bag: Bag) -> bytes | None:
    """The first localKeyID that has a value."""
    for attribute in bag.attributes:
        if attribute.oid == LOCAL_KEY_ID and attribute.values:
            return octets_value(attribute.values[0])
    return None


def _fitting(certificate: Bag, keys: Sequence[Bag], loaded: Sequence[bool]) -> int | None:
    """The first key whose public half the certificate has; a certificate that says RSA-PSS never fits."""
    assert isinstance(certificate.entry, CertificateEntry)
    public = certificate_public_key(certificate.entry.der)
    if public is None or _certificate_family(certificate) not in _KEY_TYPES:
        return None
    for index, bag in enumerate(keys):
        if loaded[index] and isinstance(bag.entry, KeyEntry) and public_key_of(bag.entry.pkcs8) == public:
            return index
    return None


def _loads(bag: Bag) -> bool:
    """Whether .NET makes a key of this bag."""
    if not isinstance(bag.entry, KeyEntry):
        return False
    return _family(bag) in _KEY_TYPES and public_key_of(bag.entry.pkcs8) is not None


def _family(bag: Bag) -> str | None:
    try:
        oid = split_key(bag.entry.pkcs8)[0] if isinstance(bag.entry, KeyEntry) else None
    except FormatError:
        return None
    return EC if oid == _EC_DH else oid


def _key_name(bag: Bag) -> str:
    family = _family(bag)
    return algorithm_name(family) if family else "damaged"


def _certificate_family(bag: Bag) -> str | None:
    assert isinstance(bag.entry, CertificateEntry)
    try:
        return read_certificate(bag.entry.der).key_algorithm.value
    except FormatError:
        return None
