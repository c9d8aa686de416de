"""get-template against ldapsearch and Certipy on one domain controller: time ratios, memory, growth. Needs root, samba.

python scripts/bench/directory.py [small|large|all]
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.lab.pki_directory import many, to_ldif
from tests.lab.samba_dc import ALICE, CONFIG_DN, DOMAIN, FQDN, SambaDC, reserve_address

RUNS = 5
PKS = f"CN=Public Key Services,CN=Services,{CONFIG_DN}"


@dataclass(frozen=True)
class Measured:
    """The median time in seconds and the highest memory in MiB of several runs of a program."""

    seconds: float
    mebibytes: float


def run(command: Sequence[str], environment: dict[str, str]) -> Measured:
    seconds, memory = [], 0.0
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryFile() as messages:
            started = time.monotonic()
            process = subprocess.Popen(
                command, env=environment, cwd=empty, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds.append(time.monotonic() - started)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                messages.seek(0)
                raise SystemExit(f"{command} failed: {messages.read().decode(errors='replace')[-2000:]}")
        memory = max(memory, usage.ru_maxrss / 1024)
    return Measured(statistics.median(seconds), memory)


def get_template(dc: SambaDC) -> Measured:
    options = [
        "--user", f"AD\\{ALICE.name}", "--password-env", "BENCH_PASSWORD", "--auth", "ntlm",
        "--dns", dc.address, "--domain", DOMAIN, "--timeout", "120", "-o", "ndjson",
    ]  # fmt: skip
    return run([sys.executable, "-m", "pkitools", "get-template", *options], environment())


def ldapsearch(dc: SambaDC) -> Measured:
    """The same subtree with descriptors, by OpenLDAP's client: simple bind over TLS, pages of 1,000."""
    with tempfile.NamedTemporaryFile("w") as secret:
        secret.write(ALICE.password)
        secret.flush()
        command = [
            "ldapsearch", "-LLL", "-H", f"ldaps://{dc.address}", "-x", "-D", f"{ALICE.name}@{DOMAIN}",
            "-y", secret.name, "-o", "TLS_REQCERT=never", "-E", "pr=1000/noprompt",
            "-E", "!1.2.840.113556.1.4.801=::MAMCAQc=",
            "-b", PKS, "(objectClass=*)", "*", "nTSecurityDescriptor",
        ]  # fmt: skip
        return run(command, environment())


def certipy(dc: SambaDC) -> Measured | None:
    """Certipy 5 if it is on PATH (it needs Python 3.12), over LDAPS: it cannot do NTLM with Samba otherwise."""
    program = shutil.which("certipy", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        return None
    command = [
        program, "find", "-dc-only", "-u", f"{ALICE.name}@{DOMAIN}", "-p", ALICE.password, "-dc-ip", dc.address,
        "-target", FQDN, "-ns", dc.address, "-ldap-scheme", "ldaps", "-ldap-simple-auth", "-output", "found", "-json",
    ]  # fmt: skip
    return run(command, environment())


def environment() -> dict[str, str]:
    return {**os.environ, "BENCH_PASSWORD": ALICE.password, "PYTHONPATH": str(Path(__file__).parents[2])}


def report(label: str, ours: Measured, theirs: Measured | None, name: str) -> None:
    ratio = f"{ours.seconds / theirs.seconds:.2f} × {name} ({theirs.seconds:.2f} s)" if theirs else f"no {name} here"
    print(f"{label}: {ours.seconds:.2f} s, {ours.mebibytes:.0f} MiB, {ratio}", flush=True)


def main() -> None:
    """Provisions a controller and measures: 40 templates, then 500 to 4,000."""
    what = sys.argv[1] if len(sys.argv) > 1 else "all"
    address, marker = reserve_address()
    with marker, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        dc = SambaDC(Path(directory) / "dc", address)
        dc.directory.mkdir()
        dc.provision()
        dc.start()
        try:
            if what in {"small", "all"}:
                report("about 50 templates", get_template(dc), certipy(dc), "certipy find -dc-only")
            if what in {"large", "all"}:
                measure_growth(dc)
        finally:
            dc.stop()


def measure_growth(dc: SambaDC) -> None:
    loaded = 0
    objects = many(4000, 50)
    templates, cas = objects[:4000], objects[4000:]
    for count in (500, 1000, 2000, 4000):
        batch = templates[loaded:count] + (cas if not loaded else [])
        dc.populate(ldif=to_ldif(batch, CONFIG_DN, dc.domain_sid))
        loaded = count
        report(f"{count} more templates, 50 more CAs", get_template(dc), ldapsearch(dc), "ldapsearch")


if __name__ == "__main__":
    main()
