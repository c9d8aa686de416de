"""Real TLS servers on loopback: nginx, haproxy, openssl s_server and ocsp, sstpd. Each ends with its ``Servers``."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.pki import Pair
from tests.lab.programs import require_program

SECLEVEL_0 = """openssl_conf = oc
[oc]
ssl_conf = sc
[sc]
system_default = sd
[sd]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
"""

NGINX = """
worker_processes 1; daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  {servers}
}}
"""


def fresh_address() -> str:
    """A loopback address that nobody else uses."""
    return f"127.{random.randint(32, 250)}.{random.randint(0, 250)}.{random.randint(1, 250)}"


def free_port(address: str = "127.0.0.1") -> int:
    """A port that was free a moment ago, outside the range for outgoing connections."""
    for _ in range(200):
        port = random.randint(11000, 31000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


def wait_until(done: Callable[[], bool], process: subprocess.Popen, log: Path) -> None:
    """Until the server is up. Fails with the program's words when it died."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}")
        if done():
            return
        time.sleep(0.03)
    raise RuntimeError(f"the server does not come up: {log.read_text(errors='replace')[-2000:]}")


def accepts(address: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection((address, port), 0.2).close()
    except OSError:
        return False
    return True


@dataclass
class Servers:
    """Starts servers in a folder of its own and stops them all."""

    folder: Path
    processes: list[subprocess.Popen] = field(default_factory=list)

    def start(
        self, label: str, command: list[str], address: str, port: int, *, ready: bytes = b"", **environment: str
    ) -> None:
        """Waits until the port accepts, or until the program has said ``ready``."""
        log = self.folder / f"{label}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        self.processes.append(process)
        if ready:
            wait_until(lambda: ready in log.read_bytes(), process, log)
        else:
            wait_until(lambda: accepts(address, port), process, log)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def write_pair(self, label: str, pair: Pair) -> tuple[str, str]:
        """The chain and the key as files."""
        chain, key = self.folder / f"{label}.pem", self.folder / f"{label}.key"
        chain.write_bytes(pair.chain_pem)
        key.write_bytes(pair.key_pem)
        (self.folder / f"{label}.bundle").write_bytes(pair.chain_pem + pair.key_pem)
        return str(chain), str(key)

    def nginx(self, label: str, blocks: list[str], address: str, port: int) -> None:
        """nginx with these server blocks; the last one must listen on ``address:port``."""
        program = require_program("nginx")
        folder = self.folder / label
        folder.mkdir()
        (folder / "seclevel0.cnf").write_text(SECLEVEL_0)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, servers="\n".join(blocks)))
        command = [program, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", str(folder / "error.log")]
        self.start(label, command, address, port, OPENSSL_CONF=str(folder / "seclevel0.cnf"))

    def haproxy(self, mode: str, bundle: Path, backend_port: int) -> int:
        """haproxy with TLS offload in front of a plain backend; returns its port."""
        program = require_program("haproxy")
        port = free_port()
        config = self.folder / f"haproxy-{mode}.cfg"
        config.write_text(
            f"defaults\n  mode {mode}\n  timeout connect 5s\n  timeout client 20s\n  timeout server 20s\n"
            f"frontend f\n  bind 127.0.0.1:{port} ssl crt {bundle}\n  default_backend b\n"
            f"backend b\n  server s 127.0.0.1:{backend_port}\n"
        )
        self.start(f"haproxy-{mode}", [program, "-db", "-f", str(config)], "127.0.0.1", port)
        return port

    def sstpd(self, label: str, pair: Pair, *, plain: bool = False) -> int:
        """sstp-server; returns its port."""
        program, pppd = require_program("sstpd"), require_program("pppd")
        chain, key = self.write_pair(f"sstpd-{label}", pair)
        options = self.folder / "options.sstpd"
        options.write_text("name sstpd\nrequire-mschap-v2\nnologfd\nnodefaultroute\n")
        port = free_port()
        command = [program, "-l", "127.0.0.1", "-p", str(port), "-c", chain, "-k", key, "--pppd", pppd]
        command += ["--pppd-config", str(options), "--local", "192.168.20.1", "--remote", "192.168.20.0/24"]
        self.start(f"sstpd-{label}", command + ["-n"] * plain, "127.0.0.1", port)
        return port

    def s_server(self, label: str, pair: Pair, *options: str) -> int:
        """openssl s_server; returns its port."""
        chain, key = self.write_pair(f"s_server-{label}", pair)
        port = free_port()
        command = [require_program("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-cert", chain, "-key", key]
        command += ["-cert_chain", chain, "-quiet", "-naccept", "20", *options]
        self.start(f"s_server-{label}", command, "127.0.0.1", port)
        return port

    def ocsp_responder(self, issuing: Pair, known: dict[str, Pair], revoked: str, port: int) -> None:
        """openssl ocsp as the responder of the issuing CA."""
        lines = []
        for label, pair in known.items():
            serial = f"{pair.certificate.serial_number:X}"
            serial = serial.rjust(len(serial) + len(serial) % 2, "0")
            end = pair.certificate.not_valid_after_utc.strftime("%y%m%d%H%M%SZ")
            state, since = ("R", "260101000000Z") if label == revoked else ("V", "")
            lines.append(f"{state}\t{end}\t{since}\t{serial}\tunknown\t/CN={label}\n")
        index = self.folder / "index.txt"
        index.write_text("".join(lines))
        ca, key = self.write_pair("ocsp-ca", issuing)
        command = [require_program("openssl"), "ocsp", "-index", str(index), "-CA", ca, "-rsigner", ca, "-rkey", key]
        command += ["-port", str(port), "-ndays", "7"]
        # it spins for ever over a connection that ends without a request, so nobody may knock
        self.start("ocsp", command, "127.0.0.1", port, ready=b"waiting for OCSP client")
