"""Which program will open a PFX, and why not: what was measured with each, as a table.

OpenSSL 3.0, pk12util 3.87 and keytool 17 were measured file by file, .NET has its own module. Windows Server, macOS,
Java 8 and OpenSSL 1.1 were not run: what is said of them comes from their makers' documentation and from bug reports,
and where that does not suffice, ``opens`` is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pkitools.errors import FormatError
from pkitools.keystore.dotnet import predict_dotnet
from pkitools.keystore.pairing import certificate_public_key, public_key_of, thumbprint
from pkitools.models.keystore import Encryption, KeyEntry, Mac
from pkitools.models.shown import ReaderPrediction
from pkitools.protocol.pkcs12 import Bag, PasswordForm, PfxFile
from pkitools.protocol.private_key import DSA, EC, ED448, ED25519, RSA, RSA_PSS, algorithm_name, split_key

_TRIPLE_DES = frozenset({"PKCS12 3DES-CBC"})
_OLD = _TRIPLE_DES | {"PKCS12 RC2-40-CBC", "PKCS12 RC2-128-CBC", "PKCS12 RC4-128", "PKCS12 RC4-40"}
_AES = frozenset({"PBKDF2 AES-128-CBC", "PBKDF2 AES-256-CBC"})
_PBES2 = _AES | {"PBKDF2 AES-192-CBC", "PBKDF2 3DES-CBC"}
_CAMELLIA = frozenset({f"PBKDF2 Camellia-{bits}-CBC" for bits in (128, 192, 256)})
_SCRYPT = frozenset({f"scrypt AES-{bits}-CBC" for bits in (128, 192, 256)})
_SHA = frozenset({"SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"})
_JAVA_SHA = _SHA | {"SHA-512/224", "SHA-512/256"}
_OPENSSL_DIGESTS = _JAVA_SHA | {"MD5", "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512"}
_ALL_KEYS = frozenset({RSA, RSA_PSS, EC, DSA, ED25519, ED448})


@dataclass(frozen=True, slots=True)
class _Rules:
    """What one reader takes. ``ciphers`` are "KDF cipher", ``maybe`` those that only some of its versions take, with
    the remark; ``extra`` are checks beyond the table; ``leaf`` chooses the certificate that it takes as its own."""

    name: str
    ciphers: frozenset[str]
    digests: frozenset[str]
    leaf: Callable[[PfxFile], str | None]
    maybe: str = ""
    maybe_ciphers: frozenset[str] = frozenset()
    keys: frozenset[str] = _ALL_KEYS
    pbmac1: str = "PBMAC1 (RFC 9879) is unknown to it"
    needs_mac: bool = False
    plain_keys: str = ""
    max_iterations: int | None = None
    max_mac_iterations: int | None = None
    ascii_only: bool = False
    broken_passwords: bool = False
    extra: tuple[Callable[[PfxFile], str | None], ...] = field(default=())


def predict(pfx: PfxFile, *, opened: bool) -> tuple[ReaderPrediction, ...]:
    """The prediction of every reader. ``opened`` is False for a file that was only inspected from outside."""
    return (
        *(_judge(rules, pfx, opened) for rules in _WINDOWS),
        *predict_dotnet(pfx, opened=opened),
        *(_judge(rules, pfx, opened) for rules in _OTHERS),
    )


def _judge(rules: _Rules, pfx: PfxFile, opened: bool) -> ReaderPrediction:
    problem = next(_problems(rules, pfx), None)
    if problem:
        return ReaderPrediction(rules.name, False, problem)
    if not opened:
        return ReaderPrediction(rules.name, None, "cannot be told without the password")
    leaf = rules.leaf(pfx)
    if rules.maybe and any(_token(each) in rules.maybe_ciphers for each in _encryptions(pfx)):
        return ReaderPrediction(rules.name, None, rules.maybe, leaf)
    return ReaderPrediction(rules.name, True, _remark(pfx, leaf), leaf)


def _remark(pfx: PfxFile, leaf: str | None) -> str:
    keys = pfx.content.keys
    return "" if leaf or not keys else "it finds no certificate for the key"


def _token(encryption: Encryption) -> str:
    return f"{encryption.kdf} {encryption.algorithm}"


def _encryptions(pfx: PfxFile) -> list[Encryption]:
    safes = [safe.encryption for safe in pfx.safes if safe.encryption]
    return safes + [bag.encryption for bag in pfx.bags if bag.encryption]


def _problems(rules: _Rules, pfx: PfxFile) -> Iterator[str]:
    """What stops the reader, the first cause first."""
    if pfx.armored:
        yield "it is PEM or base64 text, not a binary PFX"
    if pfx.mac_problem:
        yield pfx.mac_problem
    yield from _mac_problems(rules, pfx.mac)
    for encryption in _encryptions(pfx):
        yield from _encryption_problems(rules, encryption)
    yield from _password_problems(rules, pfx)
    for key in pfx.content.keys:
        oid = _key_algorithm(key)
        if oid not in rules.keys:
            yield f"{algorithm_name(oid)} keys are unknown to it"
    if rules.plain_keys and any(bag.kind == "Key" for bag in pfx.bags):
        yield rules.plain_keys
    yield from (problem for check in rules.extra if (problem := check(pfx)))


def _mac_problems(rules: _Rules, mac: Mac | None) -> Iterator[str]:
    if mac is None:
        if rules.needs_mac:
            yield "it has no integrity check (MAC), and the reader asks for one"
        return
    if mac.kind == "PBMAC1":
        if rules.pbmac1:
            yield rules.pbmac1
    elif mac.digest not in rules.digests:
        yield f"a MAC with {mac.digest} is unknown to it"
    limit = rules.max_mac_iterations or rules.max_iterations
    if limit is not None and mac.iterations > limit:
        yield f"{mac.iterations:,} iterations of the MAC, {limit:,} are allowed; it reports a wrong password"


def _encryption_problems(rules: _Rules, encryption: Encryption) -> Iterator[str]:
    if _token(encryption) not in rules.ciphers | rules.maybe_ciphers:
        kind = "" if encryption.kdf in ("PKCS12", "PBKDF2") else f" with {encryption.kdf}"
        yield f"{encryption.algorithm}{kind} is unknown to it"
    if rules.max_iterations is not None and encryption.iterations > rules.max_iterations:
        yield f"{encryption.iterations:,} iterations, {rules.max_iterations:,} are allowed; it reports a wrong password"


def _password_problems(rules: _Rules, pfx: PfxFile) -> Iterator[str]:
    if rules.ascii_only and not pfx.ascii_password:
        yield "its tools take no password with other than ASCII characters"
    broken = pfx.password_form in (PasswordForm.UTF8_AS_LATIN1, PasswordForm.LATIN1)
    if broken and not rules.broken_passwords:
        yield "it does not try the broken form of the password that opens the file"


def _key_algorithm(key: KeyEntry) -> str:
    try:
        return split_key(key.pkcs8)[0]
    except FormatError:
        return "damaged"


def _first_key(pfx: PfxFile) -> Bag | None:
    return next((bag for bag in pfx.bags if isinstance(bag.entry, KeyEntry)), None)


def _by_id(pfx: PfxFile) -> str | None:
    """The first certificate whose localKeyID is that of the first key: what Windows, Java and NSS go by."""
    key = _first_key(pfx)
    if key is None or key.entry is None or key.entry.local_key_id is None:
        return _by_key(pfx)
    wanted = key.entry.local_key_id
    found = (each.der for each in pfx.content.certificates if each.local_key_id == wanted)
    return next(map(thumbprint, found), None)


def _by_key(pfx: PfxFile) -> str | None:
    """The certificate that the first key fits, as OpenSSL's PKCS12_parse chooses: from the end of the file."""
    key = _first_key(pfx)
    if key is None or not isinstance(key.entry, KeyEntry):
        return None
    public = public_key_of(key.entry.pkcs8)
    found = (c.der for c in reversed(pfx.content.certificates) if public and certificate_public_key(c.der) == public)
    return next(map(thumbprint, found), None)


def _secret_with_pbes2(pfx: PfxFile) -> str | None:
    secret = any(bag.kind == "Secret" for bag in pfx.bags)
    modern = any(encryption.kdf == "PBKDF2" for encryption in _encryptions(pfx))
    return 'a secret bag beside PBES2 breaks the import ("An internal error occurred")' if secret and modern else None


def _nss_needs_ids(pfx: PfxFile) -> str | None:
    """NSS imports a key only by way of the certificate that its localKeyID names."""
    keys = [key.local_key_id for key in pfx.content.keys]
    named = {certificate.local_key_id for certificate in pfx.content.certificates}
    if any(identifier is None or identifier not in named for identifier in keys):
        return "a key has no localKeyID that a certificate has too (SEC_ERROR_PKCS12_UNABLE_TO_IMPORT_KEY)"
    return "two keys have the same localKeyID" if len(set(keys)) < len(keys) else None


def _doubled_attributes(pfx: PfxFile) -> str | None:
    doubled = any(len({each.oid for each in bag.attributes}) < len(bag.attributes) for bag in pfx.bags)
    return "a bag has an attribute twice" if doubled else None


def _not_version_3(pfx: PfxFile) -> str | None:
    return f"it wants version 3, the file says {pfx.version}" if pfx.version != 3 else None


def _nested_keys(pfx: PfxFile) -> str | None:
    keys = [bag for bag in pfx.bags if bag.kind in ("Key", "ShroudedKey")]
    return "it passes over the nested safe with the key, without an error" if keys and keys[0].depth else None


_WINDOWS_MAX = 600_000
_WINDOWS_KEYS = frozenset({RSA, EC, DSA})
_WINDOWS = (
    *(
        _Rules(
            f"Windows Server {version}",
            _OLD | {"PKCS12 2-key 3DES-CBC"},
            frozenset({"SHA-1"}),
            _by_id,
            keys=_WINDOWS_KEYS,
            needs_mac=True,
            max_iterations=_WINDOWS_MAX,
        )
        for version in ("2012 R2", "2016")
    ),
    _Rules(
        "Windows Server 2019 and later",
        _OLD | _PBES2 | {"PKCS12 2-key 3DES-CBC"},
        _SHA,
        _by_id,
        keys=_WINDOWS_KEYS,
        needs_mac=True,
        max_iterations=_WINDOWS_MAX,
        extra=(_secret_with_pbes2,),
    ),
)
_NO_PLAIN_KEYS = "it passes over unencrypted keys without an error"
_OTHERS = (
    _Rules(
        "macOS",
        _TRIPLE_DES | {"PKCS12 RC2-40-CBC"},
        _SHA,
        _by_id,
        maybe="10.15 and older refuse AES; later versions read it, some only with a MAC salt of 8 octets",
        maybe_ciphers=_AES,
        keys=frozenset({RSA, EC}),
    ),
    _Rules(
        "Java 8",
        _OLD | {"PBKDF1 DES-CBC"},
        _JAVA_SHA,
        _by_id,
        maybe="AES needs Java 8u301 or later",
        maybe_ciphers=_AES,
        plain_keys=_NO_PLAIN_KEYS,
        max_mac_iterations=5_000_000,
        extra=(_nested_keys,),
        ascii_only=True,
    ),
    _Rules(
        "Java 17",
        _OLD | _AES | {"PBKDF1 DES-CBC"},
        _JAVA_SHA,
        _by_id,
        plain_keys=_NO_PLAIN_KEYS,
        max_mac_iterations=5_000_000,
        extra=(_nested_keys,),
        ascii_only=True,
    ),
    _Rules(
        "OpenSSL 1.1",
        _OLD | _PBES2 | _CAMELLIA | _SCRYPT | {"PKCS12 2-key 3DES-CBC", "PBKDF1 DES-CBC", "PBKDF1 RC2-64-CBC"},
        _OPENSSL_DIGESTS,
        _by_key,
        broken_passwords=True,
    ),
    _Rules(
        "OpenSSL 3",
        _TRIPLE_DES | _PBES2 | _CAMELLIA | _SCRYPT | {"PKCS12 2-key 3DES-CBC"},
        _OPENSSL_DIGESTS,
        _by_key,
        pbmac1="PBMAC1 needs OpenSSL 3.4 or later",
        broken_passwords=True,
    ),
    _Rules(
        "OpenSSL 3 with -legacy",
        _OLD | _PBES2 | _CAMELLIA | _SCRYPT | {"PKCS12 2-key 3DES-CBC", "PBKDF1 DES-CBC", "PBKDF1 RC2-64-CBC"},
        _OPENSSL_DIGESTS,
        _by_key,
        pbmac1="PBMAC1 needs OpenSSL 3.4 or later",
        broken_passwords=True,
    ),
    _Rules(
        "NSS (Firefox, pk12util)",
        _OLD | _PBES2 | _CAMELLIA,
        _SHA | {"MD5"},
        _by_id,
        keys=frozenset({RSA, RSA_PSS, EC, DSA}),
        needs_mac=True,
        extra=(_nss_needs_ids, _doubled_attributes, _not_version_3),
    ),
)
