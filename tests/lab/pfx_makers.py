"""PFX files made on the spot by the programs that people have: openssl, certtool, pk12util, keytool, cryptography."""

from __future__ import annotations

import datetime
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from tests.lab.programs import require_program

PASSWORDS = {"ascii": "Geheim 1!", "latin": "pässwörd", "emoji": "🔑 пароль", "empty": ""}


@dataclass(frozen=True, slots=True)
class Made:
    """One file: its password (None: absent), the thumbprint of the leaf (None: no certificate fits), how many keys."""

    name: str
    path: Path
    password: str | None
    leaf: str | None
    keys: int = 1
    certificates: int = 3
    note: str | None = None


@cache
def key_of(kind: str) -> Any:
    """A private key of this kind, one for the whole run."""
    if kind == "pss":
        return load_pem_private_key(_pss_pem(), None)
    rsa_bits = {"rsa2048": 2048, "rsa4096": 4096}
    if kind in rsa_bits:
        return rsa.generate_private_key(65537, rsa_bits[kind])
    curves = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1, "root": ec.SECP256R1}
    if kind in curves or kind in ("issuing", "second"):
        return ec.generate_private_key(curves.get(kind, ec.SECP256R1)())
    if kind == "dsa":
        return dsa.generate_private_key(2048)
    return {"ed25519": ed25519.Ed25519PrivateKey, "ed448": ed448.Ed448PrivateKey}[kind].generate()


KINDS = ("rsa2048", "rsa4096", "pss", "p256", "p384", "p521", "ed25519", "ed448", "dsa")


def certificate(name: str, public: Any, issuer: x509.Certificate | None, signer: Any, *, ca: bool) -> x509.Certificate:
    """A certificate with the extensions that chains are built by."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca, None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
    )
    return builder.sign(signer, hashes.SHA256())


@cache
def chain_of(kind: str) -> tuple[x509.Certificate, ...]:
    """Leaf, issuing CA and root for the key of a kind."""
    root = _root()
    issuing = _issuing()
    if kind == "pss":
        return _pss_leaf(), issuing, root
    leaf = certificate(f"VPN Zürich 🔑 {kind}", key_of(kind).public_key(), issuing, key_of("issuing"), ca=False)
    return leaf, issuing, root


@cache
def _pss_pem() -> bytes:
    """An RSA-PSS key as openssl writes it: libraries read it as RSA and write it as that."""
    return run("openssl", "genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048")


def _pss_leaf() -> x509.Certificate:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "key").write_bytes(_pss_pem())
        (folder / "ca.key").write_bytes(_pem(key_of("issuing")))
        (folder / "ca.crt").write_bytes(_issuing().public_bytes(Encoding.PEM))
        request = run("openssl", "req", "-new", "-key", folder / "key", "-subj", "/CN=pss")
        issue = ("openssl", "x509", "-req", "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-days", "900")
        return x509.load_pem_x509_certificate(run(*issue, data=request))


def _pem(key: Any) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def _root() -> x509.Certificate:
    return certificate("Wurzel", key_of("root").public_key(), None, key_of("root"), ca=True)


@cache
def _issuing() -> x509.Certificate:
    return certificate("Zwischen-CA", key_of("issuing").public_key(), _root(), key_of("root"), ca=True)


def thumbprint(cert: x509.Certificate) -> str:
    return cert.fingerprint(hashes.SHA1()).hex().upper()


def der_of(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(Encoding.DER)


def pkcs8_of(kind: str) -> bytes:
    if kind == "pss":
        return run("openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER", data=_pss_pem())
    return key_of(kind).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def run(*command: str | Path, data: bytes = b"") -> bytes:
    """A program's output; its errors are the failure's text."""
    done = subprocess.run([str(part) for part in command], input=data, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr.decode(errors='replace')}"
    return done.stdout


class Workshop:
    """A folder with the keys and chains in PEM, in which the makers work."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, kind: str) -> Path:
        path = self.folder / f"{kind}.key"
        if not path.exists():
            path.write_bytes(_pss_pem() if kind == "pss" else _pem(key_of(kind)))
        return path

    def pem(self, kind: str, *parts: int) -> Path:
        path = self.folder / f"{kind}-{''.join(map(str, parts))}.pem"
        path.write_bytes(b"".join(chain_of(kind)[part].public_bytes(Encoding.PEM) for part in parts))
        return path

    def leaf(self, kind: str) -> str:
        return thumbprint(chain_of(kind)[0])

    def made(self, name: str, password: str | None, kind: str = "p256", **more: Any) -> Made:
        return Made(name, self.folder / f"{name}.pfx", password, more.pop("leaf", self.leaf(kind)), **more)


def openssl(shop: Workshop, name: str, *options: str, kind: str = "p256", password: str = "ascii", **more: Any) -> Made:
    require_program("openssl")
    made = shop.made(f"openssl-{name}", PASSWORDS.get(password, password), kind, **more)
    secret = more.get("note") or made.password
    command = ["openssl", "pkcs12", "-export", "-inkey", shop.key(kind), "-in", shop.pem(kind, 0)]
    # the chain comes shuffled: root before the issuing CA
    run(*command, "-certfile", shop.pem(kind, 2, 1), "-out", made.path, "-passout", f"pass:{secret}", *options)
    return made


_CIPHERS = (
    "aes-128-cbc aes-192-cbc des-ede3-cbc camellia-256-cbc PBE-SHA1-3DES PBE-SHA1-RC4-128 PBE-SHA1-RC2-128 "
    "PBE-SHA1-RC2-40 PBE-SHA1-RC4-40 PBE-SHA1-2DES PBE-MD5-DES"
).split()


def openssl_files(shop: Workshop) -> Iterator[Made]:
    for kind in KINDS:
        yield openssl(shop, f"modern-{kind}", "-name", "VPN Zürich", "-caname", "Wurzel", kind=kind)
    for password in PASSWORDS:
        yield openssl(shop, f"aes-{password}", password=password)
        yield openssl(shop, f"old-{password}", "-legacy", "-descert", "-macalg", "sha1", password=password)
    yield openssl(shop, "legacy", "-legacy", kind="rsa2048")
    for cipher in _CIPHERS:
        yield openssl(shop, cipher, "-certpbe", cipher, "-keypbe", cipher, "-legacy")
    for digest in ("md5", "sha1", "sha224", "sha384", "sha512", "sha512-256", "sha3-256"):
        yield openssl(shop, f"mac-{digest}", "-macalg", digest)
    yield openssl(shop, "nomac", "-nomac")
    yield openssl(shop, "plain", "-keypbe", "NONE", "-certpbe", "NONE")
    yield openssl(shop, "plain-nomac", "-keypbe", "NONE", "-certpbe", "NONE", "-nomac")
    yield openssl(shop, "certificates-plain", "-certpbe", "NONE")
    yield openssl(shop, "iterations-1", "-noiter", "-nomaciter")
    schannel = ("-CSP", "Microsoft RSA SChannel Cryptographic Provider", "-LMK", "-keyex")
    yield openssl(shop, "machine-exchange", *schannel, kind="rsa2048")
    ksp = ("-CSP", "Microsoft Software Key Storage Provider", "-keysig")
    yield openssl(shop, "ksp-signature", *ksp, kind="rsa2048")
    mojibake = "pässwörd".encode().decode("latin-1")
    yield openssl(shop, "mojibake", "-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1",
                  password="pässwörd", note=mojibake)  # fmt: skip
    certificates = shop.made("openssl-certificates", "P", leaf=None, keys=0, certificates=2)
    run("openssl", "pkcs12", "-export", "-nokeys", "-in", shop.pem("p256", 2, 1), "-out", certificates.path,
        "-passout", "pass:P")  # fmt: skip
    yield certificates
    only_key = shop.made("openssl-only-key", "P", leaf=None, certificates=0)
    run("openssl", "pkcs12", "-export", "-nocerts", "-in", shop.key("p256"), "-out", only_key.path,
        "-passout", "pass:P")  # fmt: skip
    yield only_key


def certtool_files(shop: Workshop) -> Iterator[Made]:
    require_program("certtool")
    for name, password, options in (
        ("default", "Geheim", ("--password", "Geheim")),
        ("3des", "Geheim", ("--password", "Geheim", "--pkcs-cipher", "3des-pkcs12", "--hash", "sha1")),
        ("rc2-40", "Geheim", ("--password", "Geheim", "--pkcs-cipher", "rc2-40", "--hash", "sha1")),
        ("absent", None, ("--null-password",)),
        ("empty", "", ("--empty-password",)),
    ):
        made = shop.made(f"certtool-{name}", password)
        run("certtool", "--to-p12", "--load-privkey", shop.key("p256"), "--load-certificate", shop.pem("p256", 0, 2, 1),
            "--p12-name", "vpn", "--outder", "--outfile", made.path, *options)  # fmt: skip
        yield made
    armored = shop.made("certtool-armored", "Geheim")
    run("certtool", "--to-p12", "--load-privkey", shop.key("p256"), "--load-certificate", shop.pem("p256", 0, 1, 2),
        "--p12-name", "vpn", "--outfile", armored.path, "--password", "Geheim")  # fmt: skip
    yield armored


_NSS_OLD_KEY = "PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC"
_NSS_OLD_CERTIFICATE = "PKCS #12 V2 PBE With SHA-1 And 40 Bit RC2 CBC"


def pk12util_files(shop: Workshop) -> Iterator[Made]:
    require_program("pk12util")
    require_program("certutil")
    database = f"sql:{shop.folder / 'nss'}"
    (shop.folder / "nss").mkdir()
    run("certutil", "-N", "-d", database, "--empty-password")
    source = openssl(shop, "for-nss", "-name", "vpn", kind="rsa2048")
    run("pk12util", "-i", source.path, "-d", database, "-W", source.password or "")
    for name, options in (
        ("default", ()),
        ("aes256", ("-c", "AES-256-CBC", "-C", "AES-256-CBC")),
        ("old", ("-c", _NSS_OLD_KEY, "-C", _NSS_OLD_CERTIFICATE)),
    ):
        made = shop.made(f"pk12util-{name}", "Geheim", "rsa2048")
        run("pk12util", "-o", made.path, "-n", "vpn", "-d", database, "-W", "Geheim", *options)
        yield made


def keytool_files(shop: Workshop) -> Iterator[Made]:
    require_program("keytool")
    source = openssl(shop, "for-java", "-name", "vpn")
    modern = shop.made("keytool-modern", "changeit")
    legacy = shop.made("keytool-legacy", "changeit")
    secret = shop.made("keytool-secret", "changeit")
    trust = shop.made("keytool-truststore", "changeit", leaf=None, keys=0, certificates=1)
    run("keytool", "-genseckey", "-alias", "sk", "-keyalg", "AES", "-keysize", "256", "-keystore", secret.path,
        "-storetype", "PKCS12", "-storepass", "changeit")  # fmt: skip
    for made, options in ((modern, ()), (legacy, ("-J-Dkeystore.pkcs12.legacy",)), (secret, ())):
        run("keytool", *options, "-importkeystore", "-noprompt", "-srckeystore", source.path, "-srcstoretype", "PKCS12",
            "-srcstorepass", source.password or "", "-srcalias", "vpn", "-destalias", "vpn", "-destkeystore", made.path,
            "-deststoretype", "PKCS12", "-deststorepass", "changeit")  # fmt: skip
        yield made
    run("keytool", "-importcert", "-noprompt", "-file", shop.pem("p256", 2), "-alias", "root", "-keystore", trust.path,
        "-storetype", "PKCS12", "-storepass", "changeit")  # fmt: skip
    yield trust


def cryptography_files(shop: Workshop) -> Iterator[Made]:
    builder = PrivateFormat.PKCS12.encryption_builder
    old = builder().kdf_rounds(2000).key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
    for name, encryption in (
        ("best", lambda secret: BestAvailableEncryption(secret)),
        ("3des", lambda secret: old.hmac_hash(hashes.SHA1()).build(secret)),
    ):
        for password in ("ascii", "latin", "emoji"):
            made = shop.made(f"cryptography-{name}-{password}", PASSWORDS[password])
            made.path.write_bytes(_serialized("p256", encryption(PASSWORDS[password].encode())))
            yield made
    for kind in KINDS:
        if kind != "pss":
            made = shop.made(f"cryptography-{kind}", "P", kind)
            made.path.write_bytes(_serialized(kind, old.hmac_hash(hashes.SHA256()).build(b"P")))
            yield made
    plain = shop.made("cryptography-plain", None)
    plain.path.write_bytes(_serialized("p256", NoEncryption()))
    yield plain


def _serialized(kind: str, encryption: Any) -> bytes:
    leaf, issuing, root = chain_of(kind)
    others = [pkcs12.PKCS12Certificate(root, "Wurzel 🌱".encode()), pkcs12.PKCS12Certificate(issuing, None)]
    with warnings.catch_warnings(action="ignore"):
        return pkcs12.serialize_key_and_certificates("VPN 🔑".encode(), key_of(kind), leaf, others, encryption)


MAKERS: dict[str, Callable[[Workshop], Iterator[Made]]] = {
    "openssl": openssl_files,
    "certtool": certtool_files,
    "pk12util": pk12util_files,
    "keytool": keytool_files,
    "cryptography": cryptography_files,
}
