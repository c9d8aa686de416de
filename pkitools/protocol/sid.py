"""Security identifiers in their binary and their text form, and the ones whose name is the same everywhere.

MS-DTYP 2.4.2 (SID), 2.4.2.4 (well-known SIDs).
"""

from __future__ import annotations

import re

from pkitools.errors import FormatError

_MAX_SUB_AUTHORITIES = 15
_TEXT = re.compile(r"S-1-(\d{1,15}|0x[0-9A-Fa-f]{1,12})((?:-\d{1,10}){0,15})", re.IGNORECASE)

WELL_KNOWN: dict[str, str] = {
    "S-1-0-0": "NULL SID",
    "S-1-1-0": "Everyone",
    "S-1-2-0": "LOCAL",
    "S-1-3-0": "CREATOR OWNER",
    "S-1-3-1": "CREATOR GROUP",
    "S-1-3-4": "OWNER RIGHTS",
    "S-1-5-1": "NT AUTHORITY\\DIALUP",
    "S-1-5-2": "NT AUTHORITY\\NETWORK",
    "S-1-5-3": "NT AUTHORITY\\BATCH",
    "S-1-5-4": "NT AUTHORITY\\INTERACTIVE",
    "S-1-5-6": "NT AUTHORITY\\SERVICE",
    "S-1-5-7": "NT AUTHORITY\\ANONYMOUS LOGON",
    "S-1-5-9": "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS",
    "S-1-5-10": "NT AUTHORITY\\SELF",
    "S-1-5-11": "NT AUTHORITY\\Authenticated Users",
    "S-1-5-15": "NT AUTHORITY\\This Organization",
    "S-1-5-17": "NT AUTHORITY\\IUSR",
    "S-1-5-18": "NT AUTHORITY\\SYSTEM",
    "S-1-5-19": "NT AUTHORITY\\LOCAL SERVICE",
    "S-1-5-20": "NT AUTHORITY\\NETWORK SERVICE",
    "S-1-5-32-544": "BUILTIN\\Administrators",
    "S-1-5-32-545": "BUILTIN\\Users",
    "S-1-5-32-546": "BUILTIN\\Guests",
    "S-1-5-32-548": "BUILTIN\\Account Operators",
    "S-1-5-32-549": "BUILTIN\\Server Operators",
    "S-1-5-32-554": "BUILTIN\\Pre-Windows 2000 Compatible Access",
    "S-1-5-32-560": "BUILTIN\\Windows Authorization Access Group",
    "S-1-5-32-574": "BUILTIN\\Certificate Service DCOM Access",
}
"""SIDs with the same meaning on every machine; names as an English Windows shows them."""

_DOMAIN_RIDS: dict[int, str] = {
    498: "Enterprise Read-only Domain Controllers",
    500: "Administrator",
    501: "Guest",
    502: "krbtgt",
    512: "Domain Admins",
    513: "Domain Users",
    514: "Domain Guests",
    515: "Domain Computers",
    516: "Domain Controllers",
    517: "Cert Publishers",
    518: "Schema Admins",
    519: "Enterprise Admins",
    520: "Group Policy Creator Owners",
    521: "Read-only Domain Controllers",
    525: "Protected Users",
    526: "Key Admins",
    527: "Enterprise Key Admins",
    553: "RAS and IAS Servers",
}


def unpack_sid(data: bytes) -> str:
    """``S-1-5-21-…`` of a SID that fills ``data`` exactly. Raises FormatError when it does not."""
    if len(data) < 8:
        raise FormatError(f"a SID needs 8 bytes at least, here are {len(data)}")
    revision, count = data[0], data[1]
    if revision != 1 or count > _MAX_SUB_AUTHORITIES:
        raise FormatError(f"not a SID: revision {revision}, {count} sub-authorities")
    if len(data) != 8 + 4 * count:
        raise FormatError(f"a SID of {count} sub-authorities has {8 + 4 * count} bytes, here are {len(data)}")
    authority = int.from_bytes(data[2:8], "big")
    subs = [int.from_bytes(data[at : at + 4], "little") for at in range(8, len(data), 4)]
    # MS-DTYP 2.4.2.1: an authority of 2^32 and more is written in hex
    return "-".join(["S", "1", str(authority) if authority < 1 << 32 else f"0x{authority:012X}", *map(str, subs)])


def pack_sid(text: str) -> bytes:
    """The binary form of ``S-1-…``. Raises FormatError for anything else."""
    match = _TEXT.fullmatch(text)
    if match is None:
        raise FormatError(f"not a SID: {text!r}")
    authority = int(match[1], 0) if match[1][:2].lower() == "0x" else int(match[1])
    subs = [int(part) for part in match[2].split("-")[1:]]
    if authority >= 1 << 48 or any(sub >= 1 << 32 for sub in subs):
        raise FormatError(f"not a SID: a number in {text!r} is too large")
    return bytes([1, len(subs)]) + authority.to_bytes(6, "big") + b"".join(sub.to_bytes(4, "little") for sub in subs)


def well_known_name(sid: str) -> str | None:
    """The name of a SID that means the same everywhere, None for a domain's own SIDs."""
    return WELL_KNOWN.get(sid)


def rid_name(sid: str) -> str | None:
    """The English name of a built-in account or group of some domain (``…-512`` = Domain Admins), by its last number.

    For principals that no directory answered for: the name may have been translated or changed there.
    """
    parts = sid.split("-")
    if len(parts) != 8 or parts[:4] != ["S", "1", "5", "21"]:
        return None
    return _DOMAIN_RIDS.get(int(parts[7]))
