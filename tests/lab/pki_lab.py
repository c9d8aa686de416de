"""Asking and extending the Public Key Services of the lab's running domain controller, without the program's code."""

from __future__ import annotations

import base64
import re
import subprocess

from tests.lab.pki_directory import DirectoryObject, to_ldif
from tests.lab.samba_dc import BASE_DN, CONFIG_DN, SYSTEM_PYTHON, SambaDC
from tests.lab.sddl import sid_from_bytes

SD_FLAGS = "!1.2.840.113556.1.4.801=::MAMCAQc="
"""The control for owner, group and access list, as ldapsearch's ``-E`` takes it."""


def search(dc: SambaDC, base: str, query: str, *attributes: str) -> dict[str, dict[str, list[bytes]]]:
    """What ldapsearch reads: DN to attributes."""
    output = dc.ldap_tool("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-E", SD_FLAGS, "-b", base, query, *attributes)
    found: dict[str, dict[str, list[bytes]]] = {}
    for block in output.strip().split("\n\n"):
        values: dict[str, list[bytes]] = {}
        for line in block.splitlines():
            match = re.fullmatch(r"([^:#]+):(:?) ?(.*)", line)
            if match:
                raw = base64.b64decode(match[3]) if match[2] else match[3].encode()
                values.setdefault(match[1], []).append(raw)
        if "dn" in values:
            found[values.pop("dn")[0].decode()] = values
    return found


def sid_of(dc: SambaDC, account: str) -> str:
    """The SID of an account."""
    entry = next(iter(search(dc, BASE_DN, f"(sAMAccountName={account})", "objectSid").values()))
    return sid_from_bytes(entry["objectSid"][0])


def add(dc: SambaDC, objects: list[DirectoryObject]) -> None:
    """Adds objects, access lists included, to the running directory."""
    dc.populate(ldif=to_ldif(objects, CONFIG_DN, dc.domain_sid))


def remove(dc: SambaDC, objects: list[DirectoryObject]) -> None:
    """Takes them away again."""
    dc.ldap_tool("ldapdelete", *(item.dn(CONFIG_DN) for item in objects))


def samba_sddl(descriptors: list[bytes], domain_sid: str) -> list[str]:
    """Descriptors as Samba's own parser writes them."""
    script = (
        "import sys, base64\n"
        "from samba.dcerpc import security\n"
        "from samba.ndr import ndr_unpack\n"
        "sid = security.dom_sid(sys.argv[1])\n"
        "for line in sys.stdin:\n"
        "    print(ndr_unpack(security.descriptor, base64.b64decode(line)).as_sddl(sid))\n"
    )
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", script, domain_sid],
        input="\n".join(base64.b64encode(item).decode() for item in descriptors),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()
