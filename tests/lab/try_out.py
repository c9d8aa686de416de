"""``scripts/lab up`` and ``scripts/lab down``: the lab's domain controller, left running for people to try."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.lab.samba_dc import ALICE, DOMAIN, REALM, SambaDC, reserve_address

DIRECTORY = Path(tempfile.gettempdir()) / f"pkitools-lab-{os.getuid()}"
USAGE = "usage: scripts/lab up | down"

READY = """\
A domain controller of {domain} runs on {dc.address}, with users, templates and CAs. Try:

  export LAB_PASSWORD='{user.password}'
  scripts/pkitools get-ca --dns {dc.address} --domain {domain} --user 'AD\\{user.name}' --password-env LAB_PASSWORD
  scripts/pkitools get-template --aovpn --dns {dc.address} --domain {domain} --user {user.name}@{domain} \\
      --password-env LAB_PASSWORD --ldaps --auth simple --ca-file {dc.ca_file}

With a Kerberos ticket:

  export KRB5_CONFIG={dc.krb5_conf}
  kinit {user.name}@{realm}
  scripts/pkitools get-ca --dns {dc.address} --domain {domain}

scripts/lab down ends it."""


def main(arguments: list[str]) -> int:
    if arguments == ["up"]:
        return up()
    if arguments == ["down"]:
        return down()
    print(USAGE, file=sys.stderr)
    return 2


def up() -> int:
    if os.geteuid() != 0:
        print("error: a domain controller needs root for its ports\n  next: sudo scripts/lab up", file=sys.stderr)
        return 2
    if (DIRECTORY / "run" / "samba.pid").exists():
        print(f"error: the lab is up already ({DIRECTORY})\n  next: scripts/lab down", file=sys.stderr)
        return 2
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(mode=0o755)
    address, marker = reserve_address()
    with marker:
        dc = SambaDC(DIRECTORY, address)
        dc.provision()
        dc.start()
    print(READY.format(dc=dc, user=ALICE, domain=DOMAIN, realm=REALM))
    return 0


def down() -> int:
    try:
        process = int((DIRECTORY / "run" / "samba.pid").read_text())
        os.kill(process, signal.SIGTERM)
        for _ in range(100):
            os.kill(process, 0)
            time.sleep(0.1)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        pass
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
