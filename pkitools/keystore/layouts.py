"""PEM layouts: which files a program or device wants, what stands in each and in which order.

Only the two plain layouts carry comment lines. In a device layout nothing stands outside BEGIN and END, and the key is
without PKCS #8 attributes: several devices refuse either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from pkitools.errors import InputError
from pkitools.keystore.comments import comment_lines
from pkitools.models.conversion import ChainChoice, KeyFormat, Layout, PemFile
from pkitools.models.keystore import CertificateEntry, KeyEntry
from pkitools.models.secret import Secret
from pkitools.protocol.pem import CERTIFICATE, write_pem
from pkitools.protocol.private_key import KeyForm, key_to_pem, without_attributes


class Part(Enum):
    """What stands in a file: the private key, the leaf, or the certificates above the leaf, lowest first."""

    KEY = "Key"
    LEAF = "Certificate"
    CHAIN = "Chain"


@dataclass(frozen=True, slots=True)
class LayoutFile:
    """One file: the ending that replaces the input's, and its parts in order."""

    ending: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class LayoutRule:
    """A layout. ``chain`` and ``key`` are what it takes unless asked otherwise; ``source`` is the public page that says
    so; ``proven`` by what it was tried (empty: documented only)."""

    files: tuple[LayoutFile, ...]
    source: str
    chain: ChainChoice = ChainChoice.NO_ROOT
    key: KeyFormat = KeyFormat.PKCS8
    plain: bool = False
    proven: str = ""


_KEY, _LEAF, _CHAIN = Part.KEY, Part.LEAF, Part.CHAIN

RULES: dict[Layout, LayoutRule] = {
    Layout.SINGLE: LayoutRule(
        (LayoutFile(".pem", (_KEY, _LEAF, _CHAIN)),),
        "Convert-PfxToPem of PSPKI: key, certificate, chain",
        chain=ChainChoice.FULL,
        plain=True,
        proven="openssl, certtool, ssl.SSLContext.load_cert_chain",
    ),
    Layout.SPLIT: LayoutRule(
        (LayoutFile(".key", (_KEY,)), LayoutFile(".crt", (_LEAF,)), LayoutFile("-chain.crt", (_CHAIN,))),
        "a file each for key, certificate and chain",
        chain=ChainChoice.FULL,
        plain=True,
        proven="openssl, certtool, ssl.SSLContext.load_cert_chain",
    ),
    Layout.HAPROXY: LayoutRule(
        (LayoutFile(".pem", (_LEAF, _CHAIN, _KEY)),),
        "https://docs.haproxy.org/dev/configuration.html#5.1-crt",
        proven="haproxy -c",
    ),
    Layout.NGINX: LayoutRule(
        (LayoutFile(".crt", (_LEAF, _CHAIN)), LayoutFile(".key", (_KEY,))),
        "https://nginx.org/en/docs/http/configuring_https_servers.html#chains",
        proven="nginx -t",
    ),
    Layout.F5: LayoutRule(
        (LayoutFile(".crt", (_LEAF,)), LayoutFile(".key", (_KEY,)), LayoutFile("-chain.crt", (_CHAIN,))),
        "https://my.f5.com/manage/s/article/K13302",
    ),
    Layout.KEMP: LayoutRule(
        (LayoutFile(".pem", (_LEAF, _KEY)), LayoutFile("-intermediate.pem", (_CHAIN,))),
        "https://support.kemptechnologies.com/hc/en-us/articles/7170517414413-SSL-Accelerated-Services",
    ),
    Layout.NETSCALER: LayoutRule(
        (LayoutFile(".pem", (_LEAF, _KEY, _CHAIN)),),
        "https://docs.netscaler.com/en-us/citrix-adc/current-release/ssl/ssl-certificates/add-group-certs.html",
    ),
    Layout.AWS: LayoutRule(
        (LayoutFile("-body.pem", (_LEAF,)), LayoutFile("-chain.pem", (_CHAIN,)), LayoutFile("-key.pem", (_KEY,))),
        "https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-format.html",
        chain=ChainChoice.FULL,
    ),
    Layout.AZURE: LayoutRule(
        (LayoutFile(".pem", (_KEY, _LEAF, _CHAIN)),),
        "https://learn.microsoft.com/en-us/azure/key-vault/certificates/certificate-scenarios",
        chain=ChainChoice.FULL,
    ),
    Layout.FORTIGATE: LayoutRule(
        (LayoutFile(".crt", (_LEAF,)), LayoutFile(".key", (_KEY,)), LayoutFile("-ca.crt", (_CHAIN,))),
        "https://docs.fortinet.com/document/fortigate/7.0.2/administration-guide/322226/"
        "uploading-a-certificate-using-the-gui",
    ),
    Layout.PALOALTO: LayoutRule(
        (LayoutFile(".crt", (_LEAF, _CHAIN)), LayoutFile(".key", (_KEY,))),
        "https://live.paloaltonetworks.com/docs/DOC-4289",
    ),
    Layout.KUBERNETES: LayoutRule(
        (LayoutFile(".tls.crt", (_LEAF, _CHAIN)), LayoutFile(".tls.key", (_KEY,))),
        "https://kubernetes.io/docs/reference/kubectl/generated/kubectl_create/kubectl_create_secret_tls/",
    ),
}

_FORMS = {
    KeyFormat.PKCS8: KeyForm.PKCS8,
    KeyFormat.PKCS1: KeyForm.PKCS1,
    KeyFormat.SEC1: KeyForm.SEC1,
    KeyFormat.ENCRYPTED: KeyForm.ENCRYPTED_PKCS8,
}


def lay_out(
    layout: Layout,
    key: KeyEntry,
    chain: Sequence[CertificateEntry],
    *,
    key_format: KeyFormat | None = None,
    password: Secret | None = None,
) -> tuple[PemFile, ...]:
    """The files of a layout for a key and its certificates, leaf first; each ``path`` is an ending for now.

    ``password`` encrypts the key when ``key_format`` is ENCRYPTED. A file that would be empty is left out. Raises
    FormatError when the key has no such form.
    """
    rule = RULES[layout]
    form = _FORMS[key_format or rule.key]
    pieces = {
        Part.KEY: _key_text(key, form, password, plain=rule.plain),
        Part.LEAF: _certificates(chain[:1], plain=rule.plain),
        Part.CHAIN: _certificates(chain[1:], plain=rule.plain),
    }
    files = []
    for file in rule.files:
        present = tuple(part for part in file.parts if pieces[part])
        if present:
            text = b"".join(pieces[part] for part in present)
            files.append(PemFile(file.ending, tuple(part.value for part in present), text))
    return tuple(files)


def lay_out_authorities(chain: Sequence[CertificateEntry], *, plain: bool) -> tuple[PemFile, ...]:
    """One file with CA certificates alone, for ``--chain only-ca``. InputError when there are none."""
    if not chain:
        raise InputError("the file holds no certificate of a CA", hint="--chain leaf writes the certificate alone")
    return (PemFile("-ca.pem", (Part.CHAIN.value,), _certificates(chain, plain=plain)),)


def _key_text(key: KeyEntry, form: KeyForm, password: Secret | None, *, plain: bool) -> bytes:
    if plain:
        return comment_lines(key, form) + key_to_pem(key.pkcs8, form, password)
    return key_to_pem(without_attributes(key.pkcs8), form, password)


def _certificates(entries: Sequence[CertificateEntry], *, plain: bool) -> bytes:
    return b"".join((comment_lines(entry) if plain else b"") + write_pem(CERTIFICATE, entry.der) for entry in entries)
