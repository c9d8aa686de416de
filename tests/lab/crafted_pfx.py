"""PFX files that no program writes and some reader stumbles over, made with the project's own writer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pkitools.models.keystore import Attribute, CertificateEntry, KeyEntry, KeyStoreContent
from pkitools.models.secret import Secret
from pkitools.protocol import der
from pkitools.protocol.formats import DATA
from pkitools.protocol.pkcs12 import algorithms as alg
from pkitools.protocol.pkcs12 import write_pfx
from pkitools.protocol.pkcs12.mac import MacData
from pkitools.protocol.pkcs12.passwords import candidates
from pkitools.protocol.pkcs12.structure import BAG_OIDS, X509_CERTIFICATE
from tests.lab.pfx_makers import Made, chain_of, der_of, pkcs8_of, thumbprint

PASSWORD = "P"


def entry(kind: str, part: int = 0, **more: object) -> CertificateEntry:
    return replace(CertificateEntry(der_of(chain_of(kind)[part])), **more)


def key(kind: str, **more: object) -> KeyEntry:
    return replace(KeyEntry(pkcs8_of(kind)), **more)


def content(keys: list[KeyEntry], certificates: list[CertificateEntry]) -> KeyStoreContent:
    return KeyStoreContent(tuple(keys), tuple(certificates))


def leaf(kind: str) -> str:
    return thumbprint(chain_of(kind)[0])


def bag(kind: str, value: bytes, *attributes: bytes) -> bytes:
    """One bag; ``attributes`` are encoded."""
    tail = der.element(der.SET, b"".join(attributes)) if attributes else b""
    return der.sequence(der.oid(BAG_OIDS[kind]), der.element(der.context(0), value), tail)


def certificate_bag(kind: str, part: int = 0, *attributes: bytes) -> bytes:
    inner = der.element(der.context(0), der.octet_string(der_of(chain_of(kind)[part])))
    return bag("Certificate", der.sequence(der.oid(X509_CERTIFICATE), inner), *attributes)


def plain_pfx(*bags: bytes) -> bytes:
    """A PFX of one unencrypted safe with these bags, with a MAC."""
    safe = der.sequence(der.oid(DATA), der.element(der.context(0), der.octet_string(der.sequence(*bags))))
    return with_mac(der.sequence(safe))


def with_mac(authenticated: bytes) -> bytes:
    mac = MacData(alg.SHA256, "sha256", b"", b"8 octets", 1000)
    computed = mac.compute(authenticated, candidates([Secret(PASSWORD)])[0])
    digest = der.sequence(der.sequence(der.oid(alg.SHA256)), der.octet_string(computed))
    info = der.sequence(digest, der.octet_string(mac.salt), der.integer(1000))
    outer = der.sequence(der.oid(DATA), der.element(der.context(0), der.octet_string(authenticated)))
    return der.sequence(der.integer(3), outer, info)


def attribute(oid: str, *values: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.element(der.SET, b"".join(values)))


def local_key_id(value: bytes) -> bytes:
    return attribute("1.2.840.113549.1.9.21", der.octet_string(value))


def name(text: str) -> bytes:
    return attribute("1.2.840.113549.1.9.20", der.element(der.BMP_STRING, text.encode("utf-16-be")))


def crafted_files(folder: Path) -> Iterator[Made]:
    """Every file, with the leaf that a matching of keys finds."""
    for number, (title, data, expected, keys, certificates) in enumerate(_files()):
        path = folder / f"crafted-{number}-{title}.pfx"
        path.write_bytes(data)
        yield Made(f"crafted-{title}", path, PASSWORD, expected, keys, certificates)


def _files() -> Iterator[tuple[str, bytes, str | None, int, int]]:
    secret = Secret(PASSWORD)
    chain = [entry("p256", part) for part in range(3)]
    a, b = b"\1\0\0\0", b"\2\0\0\0"

    def written(title: str, what: KeyStoreContent, expected: str | None = leaf("p256"), **options: int):
        data = write_pfx(what, secret, **({"iterations": 1000, "mac_iterations": 1000} | options))
        distinct = len({each.der for each in what.certificates}), len({each.pkcs8 for each in what.keys})
        return title, data, expected, distinct[1], distinct[0]

    yield written("leaf-last", content([key("p256")], chain[::-1]))
    yield written("leaf-in-the-middle", content([key("p256")], [chain[2], chain[0], chain[1]]))
    yield written("two-keys", content([key("p256"), key("p384")], [*chain, entry("p384")]))
    yield written(
        "same-certificate-twice", content([key("p256", local_key_id=a)], [replace(chain[0], local_key_id=a)] * 2)
    )
    yield written("same-key-twice", content([key("p256")] * 2, chain))
    yield written("claimed-by-id", content([key("p384", local_key_id=a)], [replace(chain[0], local_key_id=a)]), None)
    crossed = content(
        [key("p256", local_key_id=a), key("p384", local_key_id=b)],
        [entry("p256", local_key_id=b), entry("p384", local_key_id=a)],
    )
    yield written("crossed-ids", crossed)
    types = content(
        [key("rsa2048", local_key_id=a), key("p384", local_key_id=b)],
        [entry("rsa2048", local_key_id=b), entry("p384", local_key_id=a)],
    )
    yield written("crossed-types", types, leaf("rsa2048"))
    colliding = content([key("p256", local_key_id=a), key("p384", local_key_id=a)],
                        [entry("p256", local_key_id=a), entry("p384", local_key_id=a)])  # fmt: skip
    yield written("colliding-ids", colliding)
    yield written("other-ids", content([key("p256", local_key_id=a)], [replace(chain[0], local_key_id=b), *chain[1:]]))
    yield written("unnamed-ed25519", content([key("ed25519"), key("p256")], chain))
    yield written("ed25519-by-key-only", content([key("ed25519")], [entry("ed25519")]), leaf("ed25519"))
    yield written("key-for-leaf-and-ca", content([key("p256"), key("issuing")], chain))
    yield written("unrelated-first", content([key("p256")], [entry("p384"), *chain]))
    for title, options in (
        ("mac-300000", {"mac_iterations": 300_000}),
        ("mac-300001", {"mac_iterations": 300_001}),
        ("kdf-300000", {"iterations": 300_000}),
        ("kdf-300001", {"iterations": 300_001}),
    ):
        yield written(title, content([key("p256")], chain), **options)
    four = content([key(kind) for kind in ("p256", "p384", "p521")], chain)
    yield written("sum-1000000", four, iterations=250_000, mac_iterations=300_000)
    yield written("sum-1000004", four, iterations=250_001)
    many = content([key("p256")], [replace(chain[0], friendly_name=str(number)) for number in range(201)])
    yield written("201-certificates", many)
    doubled = Attribute("1.2.840.113549.1.9.20", (b"\x1e\2\0b",))
    yield written(
        "doubled-attribute", content([key("p256")], [entry("p256", friendly_name="a", attributes=(doubled,))])
    )
    yield written("attribute-with-two-values", content(
        [key("p256", attributes=(Attribute("1.3.6.1.4.1.311.17.9", (b"\5\0", b"\5\0")),))], chain
    ))  # fmt: skip
    plain_key = bag("Key", pkcs8_of("p256"), local_key_id(a))
    leaf_bag = certificate_bag("p256", 0, local_key_id(a))
    nested = bag("SafeContents", der.sequence(plain_key))
    yield "nested-key", plain_pfx(leaf_bag, nested), leaf("p256"), 1, 1
    yield "nested-all", plain_pfx(bag("SafeContents", der.sequence(plain_key, leaf_bag))), leaf("p256"), 1, 1
    other = bag("SafeContents", der.sequence(certificate_bag("p384")))
    yield "nested-beside", plain_pfx(plain_key, leaf_bag, other), leaf("p256"), 1, 2
    yield "unsorted-and-empty-sets", plain_pfx(
        bag("Key", pkcs8_of("p256"), local_key_id(a), attribute("1.3.6.1.4.1.311.17.2")),
        bag("Certificate", _typed("p256"), name("x\0"), local_key_id(a)),
    ), leaf("p256"), 1, 1  # fmt: skip
    yield "trailing", plain_pfx(plain_key, leaf_bag) + bytes(8), leaf("p256"), 1, 1
    secret_bag = bag("Secret", der.sequence(der.oid("1.2.3.4"), der.element(der.context(0), b"\5\0")))
    yield "secret", plain_pfx(plain_key, leaf_bag, secret_bag), leaf("p256"), 1, 1
    yield "version-4", plain_pfx(plain_key, leaf_bag).replace(b"\2\1\3", b"\2\1\4", 1), leaf("p256"), 1, 1


def _typed(kind: str) -> bytes:
    inner = der.element(der.context(0), der.octet_string(der_of(chain_of(kind)[0])))
    return der.sequence(der.oid(X509_CERTIFICATE), inner)
