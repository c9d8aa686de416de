"""The trusted roots of this machine, and those that the user adds.

``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` replace the usual places, as they do for OpenSSL. A self-issued certificate is a
root; any other certificate in these files is an intermediate that may complete a path and is trusted for nothing.
"""

from __future__ import annotations

import binascii
import os
import re
import threading
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
    """Roots and helping intermediates, found by subject. ``problem`` says why the system's part is empty, if it is.

    A certificate is taken apart when somebody asks for a subject that occurs in it: of the hundreds that a system
    trusts one or two matter.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        """``folders`` are read only when a root is not found without them: hundreds of files."""
        self._folders = tuple(folders)
        self._lock = threading.RLock()
        self._unsorted: dict[bytes, Origin] = {}
        self._asked: set[bytes] = set()
        self._roots: dict[bytes, list[tuple[bytes, Origin]]] = {}
        self._others: dict[bytes, list[tuple[bytes, Origin]]] = {}
        self._trusted: set[bytes] = set()
        self.problem = ""

    def __len__(self) -> int:
        """Number of trusted roots."""
        with self._lock:
            self._read_folders()
            self._sort(list(self._unsorted))
            return len(self._trusted)

    def trusts_any(self) -> bool:
        """Whether there is any trusted root."""
        with self._lock:
            while self._unsorted and not self._trusted:
                self._sort([next(iter(self._unsorted))])
            return bool(self._trusted) or len(self) > 0

    def add(self, certificates: Iterable[bytes], origin: Origin) -> None:
        """Takes certificates in (DER); those that are no certificates are left out."""
        with self._lock:
            for der in certificates:
                if der not in self._trusted:
                    self._unsorted.setdefault(der, origin)
            self._asked.clear()

    def trusts(self, der: bytes) -> bool:
        """Whether exactly this certificate is a trusted root."""
        if der in self._trusted:
            return True
        with self._lock:
            self._sort([der])
            if der not in self._trusted and self._folders:
                self._read_folders()
                self._sort([der])
            return der in self._trusted

    def by_subject(self, subject: bytes) -> Iterator[tuple[bytes, Origin]]:
        """Certificates with this encoded subject, roots first."""
        with self._lock:
            self._sort_for(subject)
            if subject not in self._roots and self._folders:
                self._read_folders()
                self._sort_for(subject)
            found = (*self._roots.get(subject, ()), *self._others.get(subject, ()))
        yield from found

    def _read_folders(self) -> None:
        with self._lock:
            folders, self._folders = self._folders, ()
            for folder in folders:
                self.add(_folder(folder), Origin.STORE)

    def _sort_for(self, subject: bytes) -> None:
        if subject not in self._asked:
            self._sort([der for der in self._unsorted if subject in der])
            self._asked.add(subject)

    def _sort(self, certificates: Iterable[bytes]) -> None:
        for der in certificates:
            origin = self._unsorted.pop(der, None)
            if origin is not None:
                self._place(der, origin)

    def _place(self, der: bytes, origin: Origin) -> None:
        try:
            parts = split_certificate(der)
        except FormatError:
            return
        root = parts.subject == parts.issuer
        (self._roots if root else self._others).setdefault(parts.subject, []).append((der, origin))
        if root:
            self._trusted.add(der)


def system_store(ca_files: Sequence[Path] = ()) -> Store:
    """The machine's store with the certificates of ``ca_files`` (PEM, DER or PKCS #7) added.

    FileAccessError or FormatError for a file of ``ca_files``; an empty, missing or damaged system store is no error but
    ``Store.problem``.
    """
    bundle, folders = _system_places()
    store = Store(folders)
    try:
        store.add(_read_bundle(bundle) if bundle else (), Origin.STORE)
    except (FileAccessError, FormatError) as error:
        store.problem = f"the system's certificate store cannot be read: {error.message}"
    if not store.trusts_any() and not store.problem:
        store.problem = f"the system's certificate store is empty or missing ({_place()})"
    for path in ca_files:
        store.add(read_ca_file(path), Origin.EXTRA)
    return store


def read_ca_file(path: Path) -> tuple[bytes, ...]:
    """The certificates of one file; FormatError names the file."""
    try:
        return _read_bundle(path)
    except FormatError as error:
        raise FormatError(
            f"{path}: {error.message}", hint="give a file with CA certificates in PEM, DER or P7B"
        ) from error


_PLAIN = re.compile(rb"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n?\s*")


def _read_bundle(path: Path) -> tuple[bytes, ...]:
    """The certificates of one file. A bundle in the plain form that distributions ship is read without ceremony, since
    that is what every start of the program pays for."""
    data = read_capped(path)
    if not data.strip():
        raise FormatError("the file is empty")
    blocks = _PLAIN.findall(data)
    if blocks and not _PLAIN.sub(b"", data):
        try:
            return tuple(binascii.a2b_base64(block) for block in blocks)
        except binascii.Error:
            pass
    return read_certificates(data)


def _place() -> str:
    named = [f"{name}={os.environ[name]}" for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    return ", ".join(named) or ", ".join(BUNDLES[:2])


def _system_places() -> tuple[Path | None, tuple[Path, ...]]:
    """The bundle and the folders of this machine."""
    file, folders = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folders:
        named = tuple(Path(folder) for folder in (folders or "").split(os.pathsep) if folder)
        return Path(file) if file else None, named
    for bundle in map(Path, BUNDLES):
        if bundle.is_file() and bundle.stat().st_size:
            return bundle, ()
    return None, tuple(map(Path, FOLDERS))


def _folder(folder: Path) -> Iterator[bytes]:
    """The certificates of a folder; what is no certificate in it is passed over, as OpenSSL does."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir())[:MAX_FILES]:
        try:
            if path.is_file():
                yield from _read_bundle(path)
        except (FileAccessError, FormatError):
            continue
