"""ping-ca beside impacket's DCOM client on the same stand-in CAs; ratios of one run. Needs root (port 135).

Usage: scripts/bench/ping_ca.py [ROUNDS]
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pkitools.adcs.ping import CaAddress
from pkitools.adcs.ping_many import PingOptions, ping_many, ping_one
from pkitools.models.outcome import Status
from pkitools.models.secret import Secret
from pkitools.transport.credentials import AuthMethod, Credentials
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.security import Logon
from tests.lab import impacket_ca
from tests.lab.ca_standin import CaData, CaStandin, Faults

NAME = "Lab Issuing CA"
PASSWORD = "Passw0rd"
ACCOUNT = ("LAB", "admin", PASSWORD)
HOSTS = [f"127.70.0.{number}" for number in range(1, 51)]
BLACK_HOLE = "127.70.1.1"
SLACK = "over the timeout"


def serve(pipe: Connection, users: str) -> None:
    """The stand-ins, in a process of their own: the server's work is not the client's."""
    servers = []
    for address in [*HOSTS, BLACK_HOLE]:
        ca = CaData(rights={"lab\\admin": 0x303})
        faults = Faults(mapper_silent=address == BLACK_HOLE)
        server = CaStandin(ca, faults, users_file=users, address=address, mapper_port=135).__enter__()
        server.faults.bindings = ((7, f"{address}[{server.process_port}]"),)
        servers.append(server)
    pipe.send("ready")
    pipe.recv()


def logon() -> Logon:
    """The account, not yet proven."""
    return Logon(Credentials("LAB\\admin", Secret(PASSWORD), method=AuthMethod.NTLM))


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Median wall-clock time."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def cpu(*command: str) -> float:
    """Least user and system time of a program in seven runs."""
    least = float("inf")
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "LAB_PASSWORD": PASSWORD})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        least = min(least, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return least


def ping(address: str, account: Logon, timeout: float = 10.0) -> int:
    """One ping of both interfaces; its round trips."""
    outcome = ping_one(CaAddress(address, NAME), account, PingOptions(timeout=timeout))
    assert outcome.status is Status.OK and outcome.value is not None, outcome.reason
    return outcome.value.round_trips


def ping_all(hosts: Sequence[str], timeout: float = 10.0) -> None:
    """All CAs at once, one of them perhaps a black hole."""

    def resolver(host: str, port: int, deadline: Deadline) -> list[Endpoint]:
        return [Endpoint(host, port)]

    targets = [CaAddress(host, NAME) for host in hosts]
    for outcome in ping_many(targets, logon(), PingOptions(timeout=timeout), resolver):
        expected = Status.NO_ANSWER if outcome.target.startswith(BLACK_HOLE) else Status.OK
        assert outcome.status is expected, (outcome.target, outcome.reason)


def impacket_all(threads: int) -> None:
    """impacket on all CAs."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda host: impacket_ca.read_property(host, ACCOUNT, NAME, 2), HOSTS))


def worst_overrun(users: str, timeout: float) -> tuple[float, int]:
    """Over all fault switches of the tests: the most that a ping took beyond its timeout."""
    from tests.lab.test_ping_ca import CASES

    worst = 0.0
    for faults, *_ in CASES:
        with CaStandin(CaData(rights={"lab\\admin": 0x303}), faults, users_file=users) as server:
            options = PingOptions(timeout=timeout, address="127.0.0.1", mapper_port=server.mapper_port)
            began = time.perf_counter()
            ping_one(CaAddress("ca.lab.test", NAME), logon(), options)
            worst = max(worst, time.perf_counter() - began - timeout)
    return worst, len(CASES)


def far_away(delay: float) -> None:
    """In a network namespace of its own: one ping over a link with ``delay`` seconds of round trip."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    half = f"{delay / 2 * 1000:g}ms"
    netem = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", half]
    is_far = subprocess.run(netem, check=False, capture_output=True).returncode == 0
    how = "with 50 ms of round trip" if is_far else "no netem here: replies 50 ms late, connecting not"
    with tempfile.TemporaryDirectory() as folder:
        users = write_users(folder)
        ca = CaData(rights={"lab\\admin": 0x303})
        faults = Faults(delay=0 if is_far else delay)
        with CaStandin(ca, faults, users_file=users, address=HOSTS[0], mapper_port=135):
            account = logon()
            ping(HOSTS[0], account)
            trips = seconds(lambda: ping(HOSTS[0], account), 5) / delay
    print(f"{how:44} {trips:8.1f} round trips' worth")


def write_users(folder: str) -> str:
    """The acceptor's users file."""
    path = Path(folder) / "users"
    path.write_text(f"LAB:admin:{PASSWORD}\n", "ascii")
    return str(path)


def measure(users: str, rounds: int) -> None:
    """Everything but the far-away link."""
    account = logon()
    trips = ping(HOSTS[0], account)
    impacket_ca.read_property(HOSTS[0], ACCOUNT, NAME, 2)
    ours = seconds(lambda: ping(HOSTS[0], account), 4 * rounds)
    theirs = seconds(lambda: impacket_ca.read_property(HOSTS[0], ACCOUNT, NAME, 2), rounds)
    show("warm, both interfaces", ours, "impacket", theirs, 0.2)
    print(f"{'round trips, NTLM':44} {trips:8d}")
    ours = seconds(lambda: ping_all(HOSTS), rounds)
    theirs = seconds(lambda: impacket_all(8), max(1, rounds // 2))
    show("50 CAs", ours, "impacket, 8 threads", theirs, 0.5)
    over = seconds(lambda: ping_all([BLACK_HOLE, *HOSTS[1:]], 3.0), 1) - 3.0
    print(f"{'50 CAs, one black-holed, ' + SLACK:44} {over:+8.2f} s")
    worst, number = worst_overrun(users, 0.5)
    print(f"{f'worst of {number} faults, ' + SLACK:44} {worst:+8.2f} s")
    command = [sys.executable, "-m", "pkitools", "ping-ca", f"{HOSTS[0]}\\{NAME}", "--user", "LAB\\admin"]
    ours = cpu(*command, "--password-env", "LAB_PASSWORD", "--auth", "ntlm")
    show("CPU of the command", ours, "import typer, spnego", cpu(sys.executable, "-c", "import typer, spnego"), 1.4)


def show(what: str, ours: float, beside: str, theirs: float, target: float) -> None:
    """One line: times, and their ratio beside its target."""
    times = f"{ours * 1000:8.1f} ms, {beside}: {theirs * 1000:.1f} ms"
    print(f"{what:44} {times}: ratio {ours / theirs:.2f} (target {target:g})")


def main() -> None:
    if sys.argv[1:] == ["--far-away"]:
        far_away(0.05)
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as folder:
        users = write_users(folder)
        here, there = multiprocessing.Pipe()
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(there, users), daemon=True)
        server.start()
        here.recv()
        try:
            measure(users, rounds)
        finally:
            here.send("end")
            server.terminate()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'most memory, impacket and faults included':44} {memory:8.0f} MB")
    sys.stdout.flush()
    subprocess.run(["unshare", "--net", sys.executable, __file__, "--far-away"], check=False)


if __name__ == "__main__":
    main()
