"""Throws broken answers at the LDAP reader and at a whole connection: python scripts/fuzz/ldap.py [SECONDS [SEED]]

Anything but an answer or an error of pkitools ends it with the seed that shows the case again.
"""

from __future__ import annotations

import contextlib
import random
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pkitools.errors import PkiToolsError
from pkitools.transport.deadline import Deadline
from pkitools.transport.ldap_channel import LdapChannel
from pkitools.transport.ldap_client import LdapClient, Scope
from tests.lab.ldap_stub import entry, message, paged, result, tlv

SEEDS = (
    message(1, entry("CN=Köln", cn="Köln", nTSecurityDescriptor=bytes(300))) + message(1, result(0x65), paged(b"c")),
    message(1, tlv(0x73, tlv(4, b"ldap://x/")))
    + message(1, result(0x65, 10, "referral", tlv(0xA3, tlv(4, b"ldap://x")))),
    message(0, result(0x78, 52, "bye", tlv(0x8A, b"1.3.6.1.4.1.1466.20036"))),
    message(1, result(0x61, 14, extra=tlv(0x87, b"token"))),
)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, cut out, doubled or put in."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) or 1)
        action = chance.randrange(4)
        if action == 0 and changed:
            changed[at] = chance.choice((0, 1, 0x30, 0x7F, 0x80, 0x84, 0xFF, chance.randrange(256)))
        elif action == 1:
            del changed[at : at + chance.randint(1, 9)]
        elif action == 2:
            changed[at:at] = chance.randbytes(chance.randint(1, 5))
        else:
            changed[at:at] = changed[at : at + chance.randint(1, 30)]
    return bytes(changed)


def attack(seed: int) -> None:
    """One connection whose server answers a search with a mutated message, in pieces."""
    chance = random.Random(seed)
    ours, theirs = socket.socketpair()
    data = mutate(chance.choice(SEEDS), chance)

    def serve() -> None:
        with theirs, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            theirs.recv(65536)
            at = 0
            while at < len(data):
                step = chance.randint(1, 64)
                theirs.sendall(data[at : at + step])
                at += step

    server = threading.Thread(target=serve)
    server.start()
    client = LdapClient(LdapChannel(ours, "fuzz", Deadline(2)))
    try:
        list(client.search("CN=x", "(objectClass=*)", ["cn"], scope=Scope.SUBTREE, page_size=10))
    except PkiToolsError:
        pass
    finally:
        ours.close()
        server.join()


def main() -> None:
    """Runs for so many seconds (60)."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    end, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        try:
            attack(seed + rounds)
        except BaseException:
            print(f"seed {seed + rounds}", file=sys.stderr)
            raise
        rounds += 1
    print(f"{rounds} rounds from seed {seed}: no case")


if __name__ == "__main__":
    main()
