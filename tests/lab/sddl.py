"""Security descriptors from SDDL (MS-DTYP 2.5.1), enough for the access lists of templates; without the program's code.

An independent encoder: tests compare what the program reads with what was written here, and the lab with Samba's.
"""

from __future__ import annotations

import re
import struct
from uuid import UUID

RIGHTS = {
    "CC": 0x1, "DC": 0x2, "LC": 0x4, "SW": 0x8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80, "CR": 0x100,
    "SD": 0x10000, "RC": 0x20000, "WD": 0x40000, "WO": 0x80000, "GA": 0x10000000,
}  # fmt: skip
FLAGS = {"OI": 1, "CI": 2, "NP": 4, "IO": 8, "ID": 0x10}
TYPES = {"A": 0, "D": 1, "OA": 5, "OD": 6}
SIDS = {
    "AU": "S-1-5-11", "WD": "S-1-1-0", "SY": "S-1-5-18", "ED": "S-1-5-9", "BA": "S-1-5-32-544", "AN": "S-1-5-7",
}  # fmt: skip
RIDS = {"DA": 512, "DU": 513, "DG": 514, "DC": 515, "DD": 516, "CA": 517, "EA": 519, "RS": 553, "RO": 498}


def sid_text(name: str, domain_sid: str) -> str:
    if name in RIDS:
        return f"{domain_sid}-{RIDS[name]}"
    return SIDS.get(name, name)


def sid_bytes(text: str) -> bytes:
    numbers = [int(part) for part in text.split("-")[2:]]
    head = struct.pack(">BBHI", 1, len(numbers) - 1, 0, numbers[0])
    return head + struct.pack(f"<{len(numbers) - 1}I", *numbers[1:])


def ace_bytes(text: str, domain_sid: str) -> bytes:
    kind, flags, rights, guid, inherited, sid = text.split(";")
    mask = int(rights, 16) if rights.startswith("0x") else sum(RIGHTS[part] for part in re.findall("..", rights))
    body = struct.pack("<I", mask)
    if kind[0] == "O":
        body += struct.pack("<I", bool(guid) | bool(inherited) << 1)
        body += b"".join(UUID(item).bytes_le for item in (guid, inherited) if item)
    body += sid_bytes(sid_text(sid, domain_sid))
    bits = sum(FLAGS[part] for part in re.findall("..", flags))
    return struct.pack("<BBH", TYPES[kind], bits, 4 + len(body)) + body


def descriptor_bytes(sddl: str, domain_sid: str) -> bytes:
    """The self-relative descriptor: DACL first, as Windows lays it out, then owner and group."""
    sddl = sddl.replace("{ROOTSID}", domain_sid)
    owner = re.search(r"O:(\w\w(?![-\w])|\w\w(?=G:)|S-[\d-]+)", sddl)
    group = re.search(r"G:(\w\w(?=D:)|S-[\d-]+)", sddl)
    aces = [ace_bytes(ace, domain_sid) for ace in re.findall(r"\(([^)]*)\)", sddl)]
    acl = struct.pack("<BBHHH", 4, 0, 8 + sum(map(len, aces)), len(aces), 0) + b"".join(aces)
    parts = [acl, *(sid_bytes(sid_text(found[1], domain_sid)) if found else b"" for found in (owner, group))]
    starts = [20, 20 + len(acl), 20 + len(acl) + len(parts[1])]
    protected = 0x1000 if re.search(r"D:\w*P", sddl) else 0
    header = struct.pack(
        "<BBHIIII", 1, 0, 0x8004 | protected, starts[1] if parts[1] else 0, starts[2] if parts[2] else 0, 0, starts[0]
    )
    return header + b"".join(parts)


def sid_from_bytes(raw: bytes) -> str:
    authority = int.from_bytes(raw[2:8], "big")
    return "-".join(["S-1", str(authority), *map(str, struct.unpack(f"<{raw[1]}I", raw[8:]))])
