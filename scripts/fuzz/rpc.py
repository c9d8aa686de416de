"""Hostile CAs: mutated answers through the whole ping, sealed as they must be. Usage: scripts/fuzz/rpc.py COUNT SEED

Three ways: replies of a real conversation damaged before they are sealed (their signature holds, so they reach all
decoders), PDUs damaged on the wire (none may make a CA healthy), and the decoders alone. Only outcomes and errors of
pkitools may come of it, each within its time, with nothing left behind. A failure prints the number to repeat it.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pkitools.adcs.ca_session import REQUEST, CaSession, StepError
from pkitools.adcs.ca_state import read_state
from pkitools.adcs.ping import CaAddress
from pkitools.adcs.ping_many import PingOptions, ping_one
from pkitools.errors import PkiToolsError
from pkitools.models.outcome import Status
from pkitools.models.secret import Secret
from pkitools.protocol.dcom import activation, ca_property, endpoint_mapper, icertadmin, icertrequest, ids, orpc, pdu
from pkitools.protocol.dcom.object_exporter import ServerAlive2
from pkitools.transport.credentials import AuthMethod, Credentials
from pkitools.transport.deadline import Deadline
from pkitools.transport.rpc_security import RpcLogon
from pkitools.transport.security import Logon
from tests.lab.ca_standin import CaData, CaStandin, Faults, Template

PASSWORD = "Pässwörd"
NAME = "Lab Issuing CA"
TIMEOUT = 0.5
SLACK = 0.25
SEALED = ("activate", "call")
DECODERS: tuple[Callable[[bytes], object], ...] = (
    lambda data: activation.unpack_remote_create_instance(data, ids.ICERT_REQUEST_D2.uuid),
    lambda data: activation.unpack_remote_activation(data, ids.ICERT_REQUEST_D2.uuid),
    ServerAlive2.unpack,
    endpoint_mapper.unpack_ept_map,
    lambda data: icertrequest.text_of(icertrequest.unpack_blob(data, "reply")[1]),
    lambda data: ca_property.unpack_templates(icertrequest.unpack_blob(data, "reply")[1]),
    lambda data: ca_property.CaInfo.unpack(icertrequest.unpack_blob(data, "reply")[1]),
    icertadmin.unpack_get_my_roles,
    icertadmin.unpack_get_config_entry,
    lambda data: orpc.unpack_hresult_only(data, "reply"),
    pdu.unpack_pdu,
    pdu.BindAck.unpack,
)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """One to three damages: bits, counts and lengths at their places, cuts, insertions, repeats."""
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        if not damaged:
            break
        at = rng.randrange(len(damaged))
        match rng.randrange(6):
            case 0:
                damaged[at] ^= 1 << rng.randrange(8)
            case 1:
                del damaged[at:]
            case 2:
                at &= ~3
                value = rng.choice((0, 1, 0x7F, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF))
                damaged[at : at + 4] = value.to_bytes(4, "little")
            case 3:
                damaged[at:at] = rng.randbytes(rng.randint(1, 16))
            case 4:
                damaged[at:at] = damaged[at : at + rng.randint(1, 64)] * rng.randint(1, 8)
            case _:
                del damaged[at : at + rng.randint(1, 16)]
    return bytes(damaged)


class Damage:
    """Damages the n-th reply of a stage of one conversation, and remembers what it saw."""

    def __init__(self) -> None:
        self.rng = random.Random()
        self.stage = ""
        self.countdown = -1
        self.struck = self.changed = False
        self.seen: list[bytes] = []

    def arm(self, rng: random.Random, stage: str) -> None:
        """Strike at one of the first three replies of ``stage``."""
        self.rng, self.stage, self.countdown = rng, stage, rng.randrange(3)
        self.struck = self.changed = False

    def __call__(self, stage: str, data: bytes) -> bytes:
        if len(self.seen) < 40:
            self.seen.append(data)
        if stage != self.stage or self.struck:
            return data
        self.countdown -= 1
        if self.countdown >= 0:
            return data
        self.struck = True
        damaged = mutate(data, self.rng)
        # octets behind the last answer of a connection are never looked at
        self.changed = not damaged.startswith(data)
        return damaged


class Arena:
    """A stand-in CA, a logon that is good, and the damage."""

    def __init__(self, folder: Path) -> None:
        users = folder / "users"
        users.write_text(f"LAB:admin:{PASSWORD}\n", "utf-8")
        templates = [Template("User", "1.3.6.1"), Template("Büro \U0001f511", "")]
        ca = CaData(rights={"lab\\admin": 0x303}, templates=templates)
        self.stubs, self.wire = Damage(), Damage()
        faults = Faults(mutate_stub=self.stubs, mutate_bytes=self.wire)
        self.server = CaStandin(ca, faults, users_file=str(users))
        self.logon = self.new_logon()

    @staticmethod
    def new_logon() -> Logon:
        """The right password, not yet tried."""
        return Logon(Credentials("LAB\\admin", Secret(PASSWORD), method=AuthMethod.NTLM))

    def ping(self) -> Status:
        """One whole ping; its time is held against the timeout."""
        options = PingOptions(timeout=TIMEOUT, address="127.0.0.1", mapper_port=self.server.mapper_port)
        began = time.thread_time()
        outcome = ping_one(CaAddress("ca.lab.test", NAME), self.logon, options)
        assert time.thread_time() - began < TIMEOUT + SLACK
        assert outcome.value is not None
        assert (outcome.status is Status.OK) <= outcome.value.icert_request
        assert outcome.status is Status.OK or outcome.reason is not None or outcome.value.findings
        return outcome.status

    def state(self) -> Status:
        """One reading of the whole state."""
        deadline = Deadline(TIMEOUT)
        port = self.server.mapper_port
        logon = RpcLogon(self.logon, "ca.lab.test", deadline)
        session = CaSession("ca.lab.test", deadline, logon, lambda host, limit: ["127.0.0.1"], mapper_port=port)
        try:
            with session:
                session.connect()
                read_state(session, session.activate(REQUEST), NAME)
        except StepError as error:
            return error.cause.status
        return Status.OK

    def strike(self, rng: random.Random) -> Status:
        """One conversation with one damage."""
        while self.server.is_busy:  # the damage is for this conversation, not for the end of the one before
            time.sleep(0.0005)
        self.logon = self.new_logon()  # a damaged handshake looks like a wrong password, which ends a logon
        self.stubs.arm(rng, "")
        self.wire.arm(rng, "")
        work = self.ping if rng.random() < 0.7 else self.state
        if rng.random() < 0.6:
            self.stubs.arm(rng, rng.choice((*SEALED, "call", "alive", "map", "release")))
            return work()
        stage = rng.choice(("bind-scm", "bind-process", *SEALED))
        self.wire.arm(rng, stage)
        status = work()
        if self.wire.changed and stage in SEALED and work == self.ping:
            # NTLM signs whole fragments: what was changed on the wire never makes a CA healthy
            assert status is not Status.OK, f"a damaged {stage} answer was taken"
        return status


def decode(seeds: list[bytes], rng: random.Random) -> bool:
    """The decoders alone, with answers that need not be theirs; whether it was refused."""
    data = mutate(rng.choice(seeds), rng)
    if data and rng.random() < 0.5:
        data = data[rng.choice((0, 16, 24)) :]
    try:
        rng.choice(DECODERS)(data)
    except PkiToolsError:
        return True
    return False


def left_behind() -> tuple[int, int]:
    """Threads and descriptors, once the stand-in's own have ended."""
    gc.collect()
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def run(count: int, seed: int, conversations: float = 0.1) -> Counter[str]:
    """``count`` mutated answers, a share of them in whole conversations; how each ended."""
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        arena = Arena(Path(folder))
        with arena.server:
            assert arena.ping() is Status.OK
            assert arena.state() is Status.OK
            seeds = arena.stubs.seen + arena.wire.seen
            before = left_behind()
            for number in range(count):
                rng = random.Random(f"{seed}:{number}")
                try:
                    if rng.random() < conversations:
                        ends[arena.strike(rng).value] += 1
                    else:
                        ends["refused by a decoder" if decode(seeds, rng) else "decoded"] += 1
                except BaseException:
                    print(f"seed {seed}:{number}", file=sys.stderr)
                    raise
            time.sleep(0.5)
            after = left_behind()
            arena.stubs.arm(random.Random(), "")
            arena.wire.arm(random.Random(), "")
            arena.logon = arena.new_logon()
            assert arena.ping() is Status.OK, "the stand-in still works"
        assert after[0] <= before[0] + 4 and after[1] <= before[1] + 8, (before, after)
    return ends


if __name__ == "__main__":
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    start = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began = time.perf_counter()
    results = run(total, start, 0.1 if total > 20_000 else 0.5)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{total} mutated answers in {time.perf_counter() - began:.0f} s, {memory:.0f} MB: {dict(results)}")
