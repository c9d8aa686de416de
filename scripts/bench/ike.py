"""test-ike against ike-scan on a real charon, on loopback; ratios of one run. Needs what tests/lab/charon.py needs."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pkitools.aovpn.ike.probe import ProbeOptions
from pkitools.aovpn.ike.run import probe_hosts
from pkitools.models.outcome import Status
from tests.lab.charon import UNLIMITED, Charon, Responder
from tests.lab.charon_agent import add_silent_network

LIVE = [f"127.50.0.{number}" for number in range(1, 51)]
DEAD = [f"10.60.0.{number}" for number in range(1, 26)]
WINDOWS11 = "127.50.1.1"
DEADLINE = 2.0
SETS = (
    "aes256-aes192-aes128-3des-sha384-sha256-sha1-modp1024,aes256gcm16-aes128gcm16-prfsha384-prfsha256-prfsha1-modp1024"
)


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Median wall-clock time."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def cpu(*command: str) -> float:
    """Least user and system time of a program in five runs."""
    least = float("inf")
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=False, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        least = min(least, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return least


def probe(hosts: list[str], **options: object) -> None:
    """Probes and insists on right answers."""
    for outcome in probe_hosts(hosts, ProbeOptions(**options)):  # type: ignore[arg-type]
        expected = Status.NO_ANSWER if outcome.target in DEAD else Status.OK
        assert outcome.status is expected, outcome


def measure(rounds: int) -> dict[str, float]:
    """Runs inside charon's namespaces."""
    add_silent_network()
    scan = ("ike-scan", "--ikev2", "--sport=0")

    def run(*command: str) -> Callable[[], object]:
        return lambda: subprocess.run(command, check=False, capture_output=True)

    probe(LIVE[:2])  # imports
    return {
        "one target, stateless": seconds(lambda: probe(LIVE[:1]), 5 * rounds),
        "one target, --fast": seconds(lambda: probe(LIVE[:1], fast=True), 5 * rounds),
        "18 policies, stateless": seconds(lambda: probe([WINDOWS11]), rounds),
        "50 live, stateless": seconds(lambda: probe(LIVE), rounds),
        "50 live, --fast": seconds(lambda: probe(LIVE, fast=True), rounds),
        "50 live, ike-scan": seconds(run(*scan, *LIVE), rounds),
        "25 live + 25 dead, stateless": seconds(lambda: probe(LIVE[:25] + DEAD, timeout=DEADLINE), 1),
        "25 live + 25 dead, ike-scan": seconds(run(*scan, *LIVE[:25], *DEAD), 1),
        "CPU of the command": cpu(sys.executable, "-m", "pkitools", "test-ike", LIVE[0]),
        "CPU of import typer": cpu(sys.executable, "-c", "import typer"),
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    responders = [Responder(address, "aes256-sha256-ecp256") for address in LIVE]
    with tempfile.TemporaryDirectory() as folder:
        charon = Charon(Path(folder), [*responders, Responder(WINDOWS11, SETS)], UNLIMITED)
        try:
            results: dict[str, float] = charon.call("scripts.bench.ike:measure", rounds)
        finally:
            charon.close()
    load = os.getloadavg()[0]
    print(f"load {load:.1f} on {os.cpu_count()} processors, {rounds} rounds, medians")
    for name, value in results.items():
        print(f"{name:32} {value * 1000:8.1f} ms")
    scan = results["50 live, ike-scan"]
    print(f"ike-scan / ours, 50 live: {scan / results['50 live, stateless']:.1f} stateless, ", end="")
    print(f"{scan / results['50 live, --fast']:.1f} --fast")
    print(f"half dead over the deadline: {results['25 live + 25 dead, stateless'] - DEADLINE:+.2f} s")
    print(f"CPU of the command / import typer: {results['CPU of the command'] / results['CPU of import typer']:.2f}")


if __name__ == "__main__":
    main()
