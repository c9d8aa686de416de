"""Logs of charon (strongSwan) and pluto (Libreswan): the proposals that a client offered and the server has.

The log is the server's: its received (remote) proposals are the client's, its configured (local) ones its own. The last
negotiation in the log counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

from pkitools.aovpn.policy_sources.source import PolicySource
from pkitools.aovpn.policy_sources.words import Collected, collect
from pkitools.aovpn.proposals import ChildProposal, IkeProposal
from pkitools.errors import FormatError

_CHARON = re.compile(r"(received|configured) proposals: ((?:IKE|ESP|AH):[^\n]*)")
_PLUTO_HEAD = re.compile(r"(remote) proposals|(local) (?:IKE|ESP|AH|Child)[^\n:]*")
_PLUTO_ITEM = re.compile(r"\d+:(IKE|ESP)([:=])(\S+)")
_MAX_PROPOSALS: Final = 512
_P = TypeVar("_P")


def looks_like_log(text: str) -> bool:
    """True when a text has a line of proposals as charon or pluto write them."""
    return bool(_CHARON.search(text) or _PLUTO_ITEM.search(text))


def read_log(text: str, *, client: bool) -> PolicySource:
    """The client's offers (``client``), or the server's own proposals. Raises FormatError when the log has none."""
    kind = "client's offers" if client else "server's proposals"
    ike: tuple[IkeProposal, ...] = ()
    child: tuple[ChildProposal, ...] | None = None
    if _CHARON.search(text):
        source = "charon's log"
        for protocol, proposals in _charon_negotiations(text, client=client):
            if protocol == "IKE":
                ike, child = _charon(proposals, Collected.ike), None
            else:
                child = _charon(proposals, Collected.child)
    else:
        source = "pluto's log"
        ike, child = _pluto(text, client=client)
    if not ike:
        raise FormatError(
            f"the log does not hold the {kind} for IKE",
            hint="charon logs both when nothing matches (cfg 1), pluto as 'remote proposals' and 'local IKE proposals'",
        )
    notes = () if child else ("the negotiation in the log did not come to the child SA",)
    return PolicySource(f"{source}: the {kind}", ike, child or None, notes=notes, strongswan=not client)


def _charon_negotiations(text: str, *, client: bool) -> list[tuple[str, str]]:
    """Protocol and proposals of one side, of each negotiation in turn.

    A responder logs what it received and then what it has; an initiator's log has its own proposals alone.
    """
    received: dict[str, str] = {}
    answered: list[tuple[str, str]] = []
    alone: list[tuple[str, str]] = []
    for match in _CHARON.finditer(text):
        direction, proposals = match.groups()
        protocol = proposals[:3]
        if direction == "received":
            received[protocol] = proposals
        elif protocol in received:
            offers = received.pop(protocol)
            answered.append((protocol, offers if client else proposals))
        else:
            alone.append((protocol, proposals))
    return answered or (alone if client else [])


def _charon(text: str, build: Callable[[Collected], tuple[_P, ...]]) -> tuple[_P, ...]:
    found: list[_P] = []
    for item in text.split(",")[:_MAX_PROPOSALS]:
        found += build(collect(item.strip().partition(":")[2].split("/")))
    return tuple(found)


def _pluto(text: str, *, client: bool) -> tuple[tuple[IkeProposal, ...], tuple[ChildProposal, ...] | None]:
    ike: tuple[IkeProposal, ...] = ()
    child: tuple[ChildProposal, ...] | None = None
    for items in _pluto_blocks(text, "remote" if client else "local"):
        if any(kind == "IKE" for kind, _, _ in items):
            ike = tuple(new for kind, sign, body in items if kind == "IKE" for new in _pluto_item(sign, body).ike())
        else:
            child = tuple(new for kind, sign, body in items if kind == "ESP" for new in _pluto_item(sign, body).child())
    return ike, child


def _pluto_blocks(text: str, wanted: str) -> list[list[tuple[str, str, str]]]:
    """Runs of proposals under a line that says whose they are, on it or on the lines that follow."""
    blocks: list[list[tuple[str, str, str]]] = []
    whose = ""
    for line in text.splitlines():
        heads = list(_PLUTO_HEAD.finditer(line))
        proposals = line[heads[-1].end() :] if heads else line  # before the head stands the chosen one
        items = [(match[1], match[2], match[3]) for match in _PLUTO_ITEM.finditer(proposals)]
        if heads:
            whose = heads[-1][1] or heads[-1][2]
            blocks += [[]] if whose == wanted else []
        elif not items:
            whose = ""
        if whose == wanted and len(blocks[-1]) < _MAX_PROPOSALS:
            blocks[-1] += items
    return [block for block in blocks if block]


def _pluto_item(sign: str, body: str) -> Collected:
    """``ENCR=3DES;PRF=HMAC_SHA1;INTEG=HMAC_SHA1_96;DH=MODP1024``, or ``3DES-HMAC_SHA1-HMAC_SHA1_96-MODP1024``.

    The parts of the second form are cipher, PRF, integrity and group.
    """
    collected = Collected()
    body = re.sub(r"\[[^\]]*\]?$|[.,]$", "", body)
    if sign == ":":
        pairs = [(kind, name) for part in body.split(";") for kind, _, name in [part.partition("=")]]
    else:
        parts = body.split("-")
        kinds = ("ENCR", "PRF", "INTEG", "DH") if len(parts) >= 4 else ("ENCR", "INTEG", "DH")
        pairs = list(zip(kinds, parts, strict=False))
    for kind, names in pairs:
        for name in re.split(r"[+,]", names):
            if not name or name == "NONE" or kind == "ESN":
                continue
            collected.add(f"prf{name}" if kind == "PRF" and not name.lower().startswith("prf") else name)
    return collected
