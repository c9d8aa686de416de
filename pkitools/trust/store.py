"""The trusted roots of this machine, and those that the user adds.

``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` replace the usual places, as they do for OpenSSL. A self-issued certificate is a
root; any other certificate in these files is an intermediate that may complete a path and is trusted for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pkitools.errors import FileAccessError, FormatError
from pkitools.files.reading import read_capped
from pkitools.models.trust import Origin
from pkitools.protocol.pkcs7 import read_certificates
from pkitools.protocol.x509 import split_certificate

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # RHEL, Fedora
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",
)
FOLDERS = ("/etc/ssl/certs", "/etc/pki/tls/certs")
MAX_FILES = 2_000


class Store:
    """Roots and helping intermediates, found by subject. ``problem`` says why the system's part is empty, if it is."""

    def __init__(self) -> None:
        self._roots: dict[bytes, list[tuple[bytes, Origin]]] = {}
        self._others: dict[bytes, list[tuple[bytes, Origin]]] = {}
        self._trusted: set[bytes] = set()
        self.problem = ""

    def __len__(self) -> int:
        """Number of trusted roots."""
        return len(self._trusted)

    def add(self, certificates: Iterable[bytes], origin: Origin) -> None:
        """Takes certificates in (DER); those that are no certificates are left out."""
        for der in certificates:
            try:
                parts = split_certificate(der)
            except FormatError:
                continue
            if der in self._trusted:
                continue
            root = parts.subject == parts.issuer
            (self._roots if root else self._others).setdefault(parts.subject, []).append((der, origin))
            if root:
                self._trusted.add(der)

    def trusts(self, der: bytes) -> bool:
        """Whether exactly this certificate is a trusted root."""
        return der in self._trusted

    def by_subject(self, subject: bytes) -> Iterator[tuple[bytes, Origin]]:
        """Certificates with this encoded subject, roots first."""
        yield from self._roots.get(subject, ())
        yield from self._others.get(subject, ())


def system_store(ca_files: Sequence[Path] = ()) -> Store:
    """The machine's store with the certificates of ``ca_files`` (PEM, DER or PKCS #7) added.

    FileAccessError or FormatError for a file of ``ca_files``; an empty, missing or damaged system store is no error but
    ``Store.problem``.
    """
    store = Store()
    try:
        store.add(_system_certificates(), Origin.STORE)
    except (FileAccessError, FormatError) as error:
        store.problem = f"the system's certificate store cannot be read: {error.message}"
    if not len(store) and not store.problem:
        store.problem = f"the system's certificate store is empty or missing ({_place()})"
    for path in ca_files:
        store.add(read_ca_file(path), Origin.EXTRA)
    return store


def read_ca_file(path: Path) -> tuple[bytes, ...]:
    """The certificates of one file; FormatError names the file."""
    try:
        return read_certificates(read_capped(path))
    except FormatError as error:
        raise FormatError(
            f"{path}: {error.message}", hint="give a file with CA certificates in PEM, DER or P7B"
        ) from error


def _place() -> str:
    named = [f"{name}={os.environ[name]}" for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    return ", ".join(named) or ", ".join(BUNDLES[:2])


def _system_certificates() -> Iterator[bytes]:
    file, folders = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folders:
        if file:
            yield from read_certificates(read_capped(Path(file)))
        for folder in filter(None, (folders or "").split(os.pathsep)):
            yield from _folder(Path(folder))
        return
    for bundle in BUNDLES:
        if Path(bundle).is_file() and Path(bundle).stat().st_size:
            yield from read_certificates(read_capped(Path(bundle)))
            return
    for folder in FOLDERS:
        yield from _folder(Path(folder))


def _folder(folder: Path) -> Iterator[bytes]:
    """The certificates of a folder; what is no certificate in it is passed over, as OpenSSL does."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir())[:MAX_FILES]:
        try:
            if path.is_file():
                yield from read_certificates(read_capped(path))
        except (FileAccessError, FormatError):
            continue
