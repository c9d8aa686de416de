#!/usr/bin/env python3
"""How fast and how small ``pkitools test-ssl`` is, against what one would use instead; ratios measured in one run.

Run from the repository with the test extras installed: ``.venv/bin/python scripts/bench/test_ssl.py``. Needs nginx and
curl; nmap and sslyze are left out when they are missing (``--sslyze PATH``: sslyze pins other versions, so it lives in
a virtual environment of its own). All servers are nginx on loopback: verification, CRL and the SSTP question are on.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from cryptography.hazmat.primitives.serialization import Encoding

from tests.lab.listeners import Listener, sleep_until_left
from tests.lab.pki import LabPki, Leaf, make_key
from tests.lab.tls_servers import Servers
from tests.lab.web import WebServer

PORT = 10443
FLOOR = "import typer, asyncio, cryptography.x509, OpenSSL.SSL"


@dataclass(frozen=True)
class Cost:
    """The best of several runs: seconds on the clock, CPU seconds, peak MiB; ``code`` of the last run."""

    wall: float
    cpu: float
    rss: float
    code: int

    def __str__(self) -> str:
        return f"{self.wall * 1000:8.0f} ms wall {self.cpu * 1000:8.0f} ms CPU {self.rss:6.1f} MiB  exit {self.code}"


def measure(command: Sequence[str], runs: int, **environment: str) -> Cost:
    """Minima over ``runs``, since a shared machine only ever adds; the memory is the largest seen."""
    costs = [measure_once(command, environment) for _ in range(runs)]
    return Cost(
        min(item.wall for item in costs),
        min(item.cpu for item in costs),
        max(item.rss for item in costs),
        costs[-1].code,
    )


def measure_once(command: Sequence[str], environment: dict[str, str]) -> Cost:
    before = time.perf_counter()
    variables = {**os.environ, **environment}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling at every start is not what a user pays
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=variables)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - before
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode)


def ratio(label: str, ours: float, theirs: float, wanted: str) -> None:
    print(f"    {label}: {ours / theirs:.2f} (wanted: {wanted})", flush=True)


class Bench:
    """nginx on many loopback addresses, one CRL server, silent listeners."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        self.options = options
        self.servers = Servers(folder)
        web = WebServer()
        self.key = make_key("rsa2048")
        pki = LabPki(web.url, "http://127.0.0.1:9", "http://127.0.0.1:9", folder)
        web.files.update(pki.web_files)
        self.root = folder / "root.pem"
        self.root.write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
        self.hosts = [f"127.0.{1 + number // 250}.{1 + number % 250}" for number in range(2000)]
        blocks = [self._block(pki, host) for host in self.hosts]
        # the last one takes the port on all addresses, so that nginx opens one socket and asks for the address
        blocks.append(blocks[0].replace(f"{self.hosts[0]}:{PORT} ssl", f"0.0.0.0:{PORT} ssl backlog=2048"))
        self.servers.nginx("nginx", blocks, "127.0.0.1", PORT)

    def _block(self, pki: LabPki, host: str) -> str:
        """A server with a certificate of its own; the key is one for all, since making 2,000 takes minutes."""
        pair = pki.leaf(Leaf(key="rsa2048", sans=(host,)), key=self.key)
        chain, key = self.folder / f"{host}.pem", self.folder / "all.key"
        chain.write_bytes(pair.chain_pem)
        key.write_bytes(pair.key_pem)
        files = f"ssl_certificate {chain}; ssl_certificate_key {key};"
        return f"server {{ listen {host}:{PORT} ssl; {files} location / {{ return 200; }} }}"

    def pkitools(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "pkitools", "test-ssl", "--ca-file", str(self.root), *arguments]

    def targets(self, count: int, silent: Sequence[str] = ()) -> str:
        path = self.folder / f"targets-{count}-{len(silent)}.txt"
        names = [f"{host}:{PORT}" for host in self.hosts[: count - len(silent)]]
        for number, name in enumerate(silent):
            names.insert(number * 10, name)
        path.write_text("\n".join(names) + "\n")
        return str(path)

    def curl(self, count: int) -> list[str]:
        config = self.folder / f"curl-{count}.cfg"
        entry = 'url = "https://{}:{}/"\noutput = "/dev/null"\nwrite-out = "%{{certs}}"\n'
        config.write_text("".join(entry.format(host, PORT) for host in self.hosts[:count]))
        return ["curl", "-s", "-k", "--parallel", "--parallel-max", "64", "-K", str(config)]

    def one_host(self) -> None:
        runs = self.options.runs
        print("one host", flush=True)
        floor = measure([sys.executable, "-c", FLOOR], runs)
        print(f"  import floor      {floor}")
        ours = measure(self.pkitools(f"{self.hosts[0]}:{PORT}"), runs)
        print(f"  pkitools test-ssl {ours}")
        ratio("CPU against the floor", ours.cpu, floor.cpu, "<= 1.5")
        print(f"    peak RSS {ours.rss:.1f} MiB (wanted: <= 60)")
        if self.options.sslyze:
            theirs = measure([self.options.sslyze, "--certinfo", f"{self.hosts[0]}:{PORT}"], max(1, runs // 2))
            print(f"  sslyze --certinfo {theirs}")
            ratio("sslyze's wall against ours", theirs.wall, ours.wall, ">= 3")
        if shutil.which("nmap"):
            command = ["nmap", "-Pn", "-n", "-p", str(PORT), "--script", "+sstp-discover", self.hosts[0]]
            theirs = measure(command, max(1, runs // 2))
            print(f"  nmap sstp         {theirs}")
            ratio("wall against nmap's", ours.wall, theirs.wall, "<= 1")

    def many_hosts(self, count: int) -> Cost:
        runs = self.options.runs
        print(f"{count} hosts", flush=True)
        ours = measure(self.pkitools("--targets", self.targets(count), "-o", "ndjson"), runs)
        print(f"  pkitools test-ssl {ours}")
        theirs = measure(self.curl(count), runs)
        print(f"  curl --parallel   {theirs}")
        ratio("wall against curl's", ours.wall, theirs.wall, "<= 3")
        print(f"    peak RSS {ours.rss:.1f} MiB (wanted: <= {90 if count <= 200 else 120})")
        if self.options.sslyze and count <= 200:
            listing = self.folder / "sslyze.txt"
            listing.write_text("".join(f"{host}:{PORT}\n" for host in self.hosts[:count]))
            theirs = measure([self.options.sslyze, "--certinfo", f"--targets_in={listing}"], 2)
            print(f"  sslyze --certinfo {theirs}")
            ratio("sslyze's wall against ours", theirs.wall, ours.wall, ">= 5.5")
        return ours

    def silent_hosts(self) -> None:
        print("200 hosts, 20 of them silent, --timeout 5", flush=True)
        listeners = [Listener(sleep_until_left) for _ in range(20)]
        names = [f"127.0.0.1:{listener.port}" for listener in listeners]
        path = self.targets(200, names)
        ours = measure(self.pkitools("--targets", path, "-o", "ndjson", "--timeout", "5"), 1)
        print(f"  pkitools test-ssl {ours}")
        print(f"    {ours.wall - 5:.2f} s beyond the deadline (wanted: <= 2)")

    def help_page(self) -> None:
        runs = self.options.runs
        print("pkitools --help", flush=True)
        floor = measure([sys.executable, "-c", "import typer"], runs)
        ours = measure([sys.executable, "-m", "pkitools", "--help"], runs)
        print(f"  import typer      {floor}\n  pkitools --help   {ours}")
        ratio("CPU against the import", ours.cpu, floor.cpu, "<= 2.5")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sslyze", default=shutil.which("sslyze"))
    parser.add_argument("--only", choices=["one", "200", "2000", "silent", "help"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), options)
        try:
            parts = {
                "one": bench.one_host,
                "200": lambda: bench.many_hosts(200),
                "2000": lambda: bench.many_hosts(2000),
                "silent": bench.silent_hosts,
                "help": bench.help_page,
            }
            for label, part in parts.items():
                if options.only in (None, label):
                    part()
        finally:
            bench.servers.stop()
    print(f"load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
