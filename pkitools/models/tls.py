"""What ``test-ssl`` says of a TLS or SSTP server: PSPKI's WebSSL object, and after its properties ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from pkitools.models.certificate import Certificate
from pkitools.models.outcome import Finding
from pkitools.models.trust import ChainElement, ChainStatus, FetchedUrl, RevocationResult


class SstpVerdict(Enum):
    """What stands behind a TLS port when one asks for SSTP.

    LISTENER acknowledged a call; HTTP_NO_SSTP is a web server, or a listener that is full or broken; TLS_NO_HTTP ended
    or spoke something else; SILENT accepted the question and did not answer; REJECTED is an SSTP server that refused
    the call; NOT_ASKED when nobody asked, or the handshake did not complete.
    """

    LISTENER = "Listener"
    HTTP_NO_SSTP = "HttpNoSstp"
    TLS_NO_HTTP = "TlsNoHttp"
    SILENT = "Silent"
    REJECTED = "Rejected"
    NOT_ASKED = "NotAsked"


@dataclass(frozen=True, slots=True)
class Sstp:
    """The answers of both halves of an SSTP listener.

    ``detail`` is one sentence. ``http_status`` is status and reason as received, ``server`` the Server field;
    ``hash_protocols`` what the crypto binding may use (``SHA1``, ``SHA256``); latencies are milliseconds of the HTTP
    half and of the Call Connect Acknowledge; ``refusals`` the status attributes of a Call Connect Nak.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.Sstp"

    verdict: SstpVerdict
    detail: str
    http_status: str | None = None
    server: str | None = None
    hash_protocols: tuple[str, ...] = ()
    nonce_length: int | None = None
    http_latency_ms: float | None = None
    ack_latency_ms: float | None = None
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsSession:
    """The negotiated session. ``sni`` is the server name that was sent (None: none was).

    ``accepted_versions`` is None unless all versions were tried; ``group`` is the key exchange's; ``failure`` says what
    ended the handshake after the certificate was read.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.TlsSession"

    version: str
    cipher: str
    group: str | None
    sni: str | None
    client_certificate_requested: bool
    ocsp_stapled: bool
    accepted_versions: tuple[str, ...] | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One address behind the name. ``error`` says why there is no certificate; thumbprints are upper-case hex."""

    PS_TYPE: ClassVar[str] = "PkiTools.Node"

    address: str
    thumbprint: str | None = None
    thumbprint_sha256: str | None = None
    subject: str | None = None
    tls_version: str | None = None
    sstp: SstpVerdict | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a plain HTTP request over TLS got, as a load balancer's monitor sees it. ``status`` is None without one."""

    PS_TYPE: ClassVar[str] = "PkiTools.HttpAnswer"

    request: str
    status: int | None = None
    status_text: str | None = None
    server: str | None = None
    location: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CryptoBindingHashes:
    """Hashes of the certificate that the client saw, upper-case hex: what RRAS must have as its SSTP certificate hash.

    With TLS offload RRAS does not hold this certificate and must be told (MS-SSTP 2.2.7, crypto binding).
    """

    PS_TYPE: ClassVar[str] = "PkiTools.CryptoBindingHashes"

    sha1: str = field(metadata={"name": "SHA1"})
    sha256: str = field(metadata={"name": "SHA256"})


@dataclass(frozen=True, slots=True)
class WebServerSsl:
    """A server's certificate and what a Windows client thinks of it.

    The properties of PSPKI's ``PKI.Web.WebSSL`` come first, in its order, with these differences:

    - ``returned_uri`` is where ``GET /`` redirects to when that was asked (``--http``), else the original: the
      certificate shown is always that of the target itself;
    - ``pkcs7_chain`` is the chain exactly as the server sent it, leaf first (PSPKI shows the one that .NET built; here
      that is ``chain``);
    - ``response`` is the answer to ``GET /``, None when it was not asked;
    - ``subject_alternative_names`` are written as .NET writes them: ``DNS Name=…``, ``IP Address=…``.

    ``certificate_is_valid`` judges the chain and its revocation, ``name_match`` the name. ``days_left`` counts whole
    days to the certificate's end, negative after it. ``address`` is the endpoint that was probed.
    """

    PS_TYPE: ClassVar[str] = "PKI.Web.WebSSL"

    original_uri: str
    returned_uri: str
    certificate: Certificate
    pkcs7_chain: tuple[Certificate, ...]
    subject: str
    issuer: str
    name_match: bool
    subject_alternative_names: tuple[str, ...]
    certificate_is_valid: bool
    error_information: tuple[ChainStatus, ...]
    response: HttpAnswer | None
    user_context: bool
    findings: tuple[Finding, ...]
    days_left: int | None
    address: str
    tls: TlsSession
    sstp: Sstp
    chain: tuple[ChainElement, ...]
    revocation: tuple[RevocationResult, ...]
    fetched: tuple[FetchedUrl, ...]
    nodes: tuple[Node, ...]
    http: tuple[HttpAnswer, ...]
    crypto_binding_hashes: CryptoBindingHashes
