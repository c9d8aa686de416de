"""The lab of ``test-ssl``: one PKI, one web server for its CRLs, nginx with every certificate, and a way to ask."""

from __future__ import annotations

import contextlib
import io
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from cryptography.hazmat.primitives.serialization import Encoding

from pkitools.cli import main
from tests.lab.pki import NAME, LabPki, Pair, make_leaves
from tests.lab.programs import require_program
from tests.lab.tls_servers import Servers, free_port, fresh_address
from tests.lab.web import WebServer

TLS_VERSIONS = {"tls10": "TLSv1", "tls11": "TLSv1.1", "tls12": "TLSv1.2", "tls13": "TLSv1.3"}


@dataclass
class Answer:
    """What a run of the command gave."""

    code: int
    records: list[dict]
    text: str
    stderr: str

    @property
    def record(self) -> dict:
        (record,) = self.records
        return record

    def codes(self, severity: str = "Error") -> set[str]:
        """The Windows codes (or ids) of the findings of a severity."""
        return {item["Code"] or item["Id"] for item in self.record["Findings"] if item["Severity"] == severity}

    def ids(self) -> set[str]:
        return {item["Id"] for item in self.record["Findings"]}

    @property
    def flags(self) -> set[str]:
        return {item["Status"] for item in self.record["ErrorInformation"]}


def run(*arguments: str, output: str = "json", environment: dict[str, str] | None = None) -> Answer:
    """The real command line in this process. The system's store is emptied, so that verdicts are the lab's."""
    out, err = io.StringIO(), io.StringIO()
    settings = {"SSL_CERT_FILE": "/dev/null", "COLUMNS": "200", **(environment or {})}
    with mock.patch.dict(os.environ, settings), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main.run(["test-ssl", *arguments, "-o", output])
    text = out.getvalue()
    records = json.loads(text) if output == "json" and text else []
    return Answer(code, records, text, err.getvalue())


@dataclass
class TlsLab:
    """Everything that is up; ``ports`` by case name, all on ``address``."""

    folder: Path
    web: WebServer
    pki: LabPki
    leaves: dict[str, Pair]
    servers: Servers
    address: str
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def root_file(self) -> str:
        return str(self.folder / "root.pem")

    def ask(self, case: str, *options: str, name: str = NAME, service: str = "https", **settings) -> Answer:
        """Asks the server of a case under the lab's name."""
        target = f"{name}:{self.ports[case]}"
        return self.ask_at(target, self.address, *options, service=service, **settings)

    def ask_at(self, target: str, address: str, *options: str, service: str = "https", **settings) -> Answer:
        """Asks a target at an address, trusting the lab's root."""
        common = ["--ca-file", self.root_file, "--connect", address, "--service", service, "--timeout", "4"]
        return run(target, *common, *options, **settings)

    def close(self) -> None:
        self.servers.stop()
        self.web.close()


def open_lab(folder: Path) -> TlsLab:
    """Starts all that the tests of certificates need."""
    web = WebServer()
    ocsp_port, dead_port = free_port(), free_port()
    pki = LabPki(web.url, f"http://127.0.0.1:{ocsp_port}/", f"http://127.0.0.1:{dead_port}", folder)
    leaves = make_leaves(pki, require_program("openssl"))
    web.files.update(pki.web_files)
    (folder / "root.pem").write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    lab = TlsLab(folder, web, pki, leaves, Servers(folder), fresh_address())
    lab.servers.ocsp_responder(pki.issuing, {key: leaves[key] for key in ("revoked", "ocspgood")}, "revoked", ocsp_port)
    _start_nginx(lab)
    return lab


def _start_nginx(lab: TlsLab) -> None:
    blocks = []
    for number, (case, pair) in enumerate(lab.leaves.items()):
        lab.ports[case] = 10100 + number
        blocks.append(_block(lab, case, pair, "ssl_protocols TLSv1.2 TLSv1.3;"))
    good = lab.leaves["good"]
    for number, (case, protocol) in enumerate(TLS_VERSIONS.items()):
        lab.ports[case] = 10200 + number
        blocks.append(_block(lab, case, good, f"ssl_protocols {protocol}; ssl_ciphers 'ALL:@SECLEVEL=0';"))
    staple = _staple(lab)
    extra = {
        "clientcert": f"ssl_client_certificate {lab.root_file}; ssl_verify_client on;",
        "redirect": f"location / {{ return 302 https://{NAME}:10001/; }}",
        "sra401": "location /sra_ { return 401; } location / { return 404; }",
        "stapling": f"ssl_stapling on; ssl_stapling_file {staple};",
        "alltls": "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers 'ALL:@SECLEVEL=0';",
    }
    for number, (case, words) in enumerate(extra.items()):
        lab.ports[case] = 10300 + number
        pair = lab.leaves["ocspgood"] if case == "stapling" else good
        blocks.append(_block(lab, case, pair, words))
    lab.ports["snirequired"] = 10400
    listen = f"{lab.address}:10400"
    blocks.append(f"server {{ listen {listen} ssl default_server; ssl_reject_handshake on; }}")
    blocks.append(_block(lab, "snirequired", good, f"server_name {NAME};"))
    lab.servers.nginx("nginx", blocks, lab.address, 10400)


def _block(lab: TlsLab, case: str, pair: Pair, words: str) -> str:
    chain, key = lab.servers.write_pair(case, pair)
    location = "" if "location" in words else "location / { return 200 'hello'; }"
    listen = f"{lab.address}:{lab.ports[case]}"
    return f"server {{ listen {listen} ssl; ssl_certificate {chain}; ssl_certificate_key {key}; {words} {location} }}"


def _staple(lab: TlsLab) -> Path:
    """An OCSP answer for the leaf ``ocspgood``, as a server would staple it."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509 import ocsp

    issuer, leaf = lab.pki.issuing, lab.leaves["ocspgood"].certificate
    now = datetime.datetime.now(datetime.UTC)
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf,
        issuer=issuer.certificate,
        algorithm=hashes.SHA1(),
        cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=now - datetime.timedelta(hours=1),
        next_update=now + datetime.timedelta(days=1),
        revocation_time=None,
        revocation_reason=None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    path = lab.folder / "staple.der"
    path.write_bytes(builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER))
    assert isinstance(leaf, x509.Certificate)
    return path
