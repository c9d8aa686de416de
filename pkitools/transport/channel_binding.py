"""The channel binding that ties a logon to the TLS connection it is made in (RFC 5929 4, tls-server-end-point)."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from pkitools.errors import ProtocolError

_PREFIX = b"tls-server-end-point:"


def tls_server_end_point(certificate: bytes) -> bytes:
    """The application data of the binding for a server's certificate (DER).

    The hash is that of the certificate's signature, with SHA-256 in place of MD5 and SHA-1 (RFC 5929 4.1). A signature
    without a single hash (Ed25519) leaves the binding undefined there; SHA-256 is taken. Raises ProtocolError when the
    certificate cannot be read.
    """
    try:
        parsed = x509.load_der_x509_certificate(certificate)
    except ValueError as error:
        raise ProtocolError("the server's TLS certificate cannot be read") from error
    try:
        algorithm = parsed.signature_hash_algorithm
    except (UnsupportedAlgorithm, ValueError):  # ValueError: parameters of RSASSA-PSS that are none
        algorithm = None
    if algorithm is None or isinstance(algorithm, hashes.MD5 | hashes.SHA1):
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(certificate)
    return _PREFIX + digest.finalize()
