"""Puts the lab's Public Key Services into a running domain controller."""

from __future__ import annotations

import base64
import subprocess

from tests.lab.pki_directory import DirectoryObject, forest, to_ldif
from tests.lab.samba_dc import BASE_DN, CONFIG_DN, SYSTEM_PYTHON, SambaDC
from tests.lab.sddl import sid_from_bytes


def sid_of(dc: SambaDC, account: str) -> str:
    """The SID of an account, as ldapsearch reads it."""
    output = dc.ldap_tool("ldapsearch", "-LLL", "-b", BASE_DN, f"(sAMAccountName={account})", "objectSid")
    line = next(line for line in output.splitlines() if line.startswith("objectSid:: "))
    return sid_from_bytes(base64.b64decode(line.partition(":: ")[2]))


def fill(dc: SambaDC, objects: list[DirectoryObject] | None = None) -> list[DirectoryObject]:
    """Loads the lab's forest (or the objects given) over LDAP; returns what was loaded.

    The Always On VPN user template is for the group VPN-Benutzer, in which alice is.
    """
    domain_sid = sid_of(dc, "Domain Users").rpartition("-")[0]
    wanted = forest(users=sid_of(dc, "VPN-Benutzer")) if objects is None else objects
    dc.load_ldif(to_ldif(wanted, CONFIG_DN, domain_sid))
    return wanted


def samba_sddl(descriptor: bytes, domain_sid: str) -> str:
    """A descriptor as Samba's own parser writes it."""
    script = (
        "import sys, base64\n"
        "from samba.dcerpc import security\n"
        "from samba.ndr import ndr_unpack\n"
        "raw = base64.b64decode(sys.stdin.read())\n"
        "print(ndr_unpack(security.descriptor, raw).as_sddl(security.dom_sid(sys.argv[1])))\n"
    )
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", script, domain_sid],
        input=base64.b64encode(descriptor).decode(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
