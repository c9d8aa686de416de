"""A PowerShell in a world of its own: its name server is the lab's domain controller, its hosts are lab servers.

Script lines that name ``login.live.com`` or ``ca01.company.com`` run there unchanged. A mount namespace gives the
process an /etc/hosts and an /etc/resolv.conf; it needs root, as the domain controller does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from pkitools.powershell.install import source_folder
from tests.lab import pki_lab
from tests.lab.ca_standin import CaData, CaStandin, Template
from tests.lab.listeners import Listener, connect_proxy
from tests.lab.pki import DAY, LabPki, Leaf, Pair
from tests.lab.pki_directory import LabCA, enrollment_service
from tests.lab.programs import refuse, require_program
from tests.lab.pwsh import PwshWorker, clean_environment, run_file
from tests.lab.samba_dc import ALICE, DOMAIN, NETBIOS, SambaDC
from tests.lab.tls_servers import Servers, free_port, fresh_address
from tests.lab.web import WebServer

REPOSITORY = Path(__file__).parents[2]
WEB_NAMES = ("login.live.com", "paypal.com", "vpn.lab.test", "sstp401.lab.test", "nothing404.lab.test")
CA_HOSTS = ("ca1.ad.example.test", "ca01.company.com")
CA_NAME = "Köln & Partner Sub CA"
CA_SANITIZED = "K!00f6ln !0026 Partner Sub CA"

NAMESPACE = """#!/bin/sh
exec unshare --mount --uts --propagation private sh -c '
mount --bind "$0/hosts" /etc/hosts && mount --bind "$0/resolv.conf" /etc/resolv.conf &&
hostname ca01.company.com && exec "$@"' "{folder}" "{pwsh}" "$@"
"""
COMPANY_CA = LabCA("RootCa", "RootCa", CA_HOSTS[1], issuer=None, templates=("User", "WebServer"))
PROGRAM = """#!/bin/sh
exec "{python}" -m pkitools "$@"
"""
PREAMBLE = """
Import-Module PkiTools
$account = [pscredential]::new('{user}', (ConvertTo-SecureString -AsPlainText -Force '{password}'))
foreach ($name in 'Get-CertificationAuthority', 'Connect-CertificationAuthority', 'Get-CATemplate',
                  'Get-CertificateTemplate', 'Ping-ICertInterface') {{
    $PSDefaultParameterValues["${{name}}:Credential"] = $account
    $PSDefaultParameterValues["${{name}}:Domain"] = '{domain}'
}}
"""


@dataclass
class PowerShellLab:
    """The PowerShell, the module's program, and servers as far as they were started."""

    folder: Path
    pwsh: str
    environment: dict[str, str] = field(default_factory=dict)
    preamble: str = "Import-Module PkiTools\n"
    closing: ExitStack = field(default_factory=ExitStack)
    _worker: PwshWorker | None = None

    @property
    def worker(self) -> PwshWorker:
        """The process that answers most scripts; a new one when the last has died."""
        if self._worker is None or not self._worker.alive:
            self._worker = PwshWorker(self.pwsh, self.environment)
        return self._worker

    def run(self, script: str, timeout: float = 60) -> dict[str, Any]:
        """A script in a fresh runspace with the module and the lab's account."""
        return self.worker.run(self.preamble + script, timeout)

    def output(self, script: str) -> list[str | None]:
        """Its output as text; nothing may stand in the other streams."""
        answer = self.run(script)
        assert answer["errors"] == [] and answer["thrown"] is None, (script, answer)
        found: list[str | None] = answer["output"]
        return found

    def run_file(self, script: str, timeout: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
        """A script in a process of its own."""
        return run_file(self.pwsh, self.preamble + script, {**self.environment, **environment}, timeout)

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
        self.closing.close()


def plain_lab(folder: Path, pwsh: str) -> PowerShellLab:
    """PowerShell and the program, no server and no namespace."""
    program = folder / "pkitools"
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    paths = [str(source_folder().parent), os.environ.get("PSModulePath", "")]
    environment = clean_environment(
        PKITOOLS_PROGRAM=str(program),
        PYTHONPATH=str(REPOSITORY),
        PSModulePath=":".join(item for item in paths if item),
        PATH=f"{folder}:{os.environ['PATH']}",
    )
    return PowerShellLab(folder, pwsh, environment)


def open_lab(folder: Path, pwsh: str, dc: SambaDC) -> PowerShellLab:
    """With the domain controller, which learns of one more CA, a CA that answers, web servers and a proxy."""
    lab = plain_lab(folder, pwsh)
    added = [enrollment_service(COMPANY_CA)]
    pki_lab.add(dc, added)
    lab.closing.callback(pki_lab.remove, dc, added)
    ca_address, web_address, proxy_address = fresh_address(), fresh_address(), fresh_address()
    _write_namespace(lab, dc, {CA_HOSTS: ca_address, WEB_NAMES: web_address, ("proxy.company.com",): proxy_address})
    _start_web(lab, web_address)
    proxy = Listener(connect_proxy(hosts=dict.fromkeys(WEB_NAMES, web_address)), address=proxy_address, port=8080)
    lab.closing.callback(proxy.close)
    users = folder / "users"
    users.write_text(f"{NETBIOS}:{ALICE.name}:{ALICE.password}\n", "utf-8")
    ca = CaData(name=CA_NAME, sanitized=CA_SANITIZED, dns_name=CA_HOSTS[0], rights={f"ad\\{ALICE.name}": 0x303})
    ca.templates = [Template("User", "1.3.6.1.4.1.311.21.8.1.2.1")]
    lab.closing.enter_context(CaStandin(ca, address=ca_address, mapper_port=135, users_file=str(users)))
    lab.preamble = PREAMBLE.format(user=f"{NETBIOS}\\{ALICE.name}", password=ALICE.password, domain=DOMAIN)
    return lab


def _write_namespace(lab: PowerShellLab, dc: SambaDC, names: dict[tuple[str, ...], str]) -> None:
    require_program("unshare")
    lines = ["127.0.0.1 localhost", f"{dc.address} dc1.{DOMAIN}"]
    lines += [f"{address} {name}" for group, address in names.items() for name in group]
    (lab.folder / "hosts").write_text("\n".join(lines) + "\n")
    (lab.folder / "resolv.conf").write_text(f"nameserver {dc.address}\n")
    wrapper = lab.folder / "lab-pwsh"
    wrapper.write_text(NAMESPACE.format(folder=lab.folder, pwsh=lab.pwsh))
    wrapper.chmod(0o755)
    tried = subprocess.run(["unshare", "--mount", "--uts", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        refuse(f"no mount namespace: {tried.stderr.strip()}")
    lab.pwsh = str(wrapper)


def _start_web(lab: PowerShellLab, address: str) -> None:
    """nginx on port 443 with a certificate for all names, and one that has expired."""
    web = WebServer()
    lab.closing.callback(web.close)
    pki = LabPki(web.url, f"http://127.0.0.1:{free_port()}/", f"http://127.0.0.1:{free_port()}", lab.folder)
    web.files.update(pki.web_files)
    (lab.folder / "root.pem").write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    lab.environment["SSL_CERT_FILE"] = str(lab.folder / "root.pem")
    servers = Servers(lab.folder)
    lab.closing.callback(servers.stop)
    good = pki.leaf(Leaf(sans=WEB_NAMES, common_name=WEB_NAMES[0], key="rsa2048"))
    expired = pki.leaf(Leaf(sans=WEB_NAMES, end=-2 * DAY))
    pages = dict.fromkeys(WEB_NAMES, "return 200 'hello'") | {
        "sstp401.lab.test": "return 401",
        "nothing404.lab.test": "return 404",
    }
    blocks = [_block(servers, address, 8443, "expired", expired, "return 200 'old'")]
    blocks += [_block(servers, address, 443, name, good, page) for name, page in pages.items()]
    servers.nginx("nginx", blocks, address, 443)


def _block(servers: Servers, address: str, port: int, name: str, pair: Pair, page: str) -> str:
    chain, key = servers.write_pair(name, pair)
    return (
        f"server {{ listen {address}:{port} ssl; server_name {name}; ssl_certificate {chain}; "
        f"ssl_certificate_key {key}; location / {{ {page}; }} }}"
    )
