"""Paths from a certificate up to a root (RFC 4158): all that can be built, within bounds that no hostile peer moves.

Windows' rules: an issuer is found by its encoded name; of issuers whose key identifier does not fit only those count
whose key did sign; where none signed, one whose identifier fits is kept, so that the wrong signature can be shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from pkitools.errors import FormatError
from pkitools.models.trust import Origin
from pkitools.protocol.pkcs7 import read_certificates
from pkitools.trust.members import Member, member_of
from pkitools.trust.signatures import Proof
from pkitools.trust.sources import Ask, Visits
from pkitools.trust.store import Store

MAX_SENT = 100
MAX_DEPTH = 16
MAX_PATHS = 24
MAX_STEPS = 256
MAX_AIA_ROUNDS = 6
MAX_AIA_NAMES = 4


@dataclass(frozen=True, slots=True)
class Link:
    """One certificate of a path; ``proof`` tells how its own signature fared with the next one's key (or its own, for a
    root)."""

    member: Member
    origin: Origin
    url: str | None = None
    proof: Proof = Proof.GOOD


@dataclass(frozen=True, slots=True)
class Path:
    """From the leaf up. ``trusted``: it ends in a root of the store; ``complete``: in a self-signed certificate;
    ``cyclic``: it ended because every issuer stands in it already."""

    links: tuple[Link, ...]
    trusted: bool = False
    complete: bool = False
    cyclic: bool = False


class Pool:
    """The certificates that may stand in a path: as sent, of the store, and fetched."""

    def __init__(self, store: Store, sent: tuple[Member, ...]) -> None:
        self._store = store
        self._by_subject: dict[bytes, list[Link]] = {}
        for member in sent:
            self.add(Link(member, Origin.SENT))

    def add(self, link: Link) -> bool:
        """Takes a certificate in; False when it is there already."""
        known = self._by_subject.setdefault(link.member.subject, [])
        if any(item.member.der == link.member.der for item in known):
            return False
        known.append(link)
        return True

    def trusts(self, member: Member) -> bool:
        """Whether it is a root of the store."""
        return self._store.trusts(member.der)

    def issuers(self, member: Member) -> list[Link]:
        """Certificates whose subject is the issuer of ``member``: trusted ones first, each once."""
        links: dict[bytes, Link] = {}
        for der, origin in islice(self._store.by_subject(member.issuer), 16):
            try:
                links[der] = Link(member_of(der), origin)
            except FormatError:
                continue
        for link in self._by_subject.get(member.issuer, ()):
            # Sent and in the store: "sent" is what is said of an intermediate, "store" of a root.
            if link.member.der not in links or not self.trusts(link.member):
                links[link.member.der] = link
        return list(links.values())


@dataclass(slots=True)
class _Search:
    pool: Pool
    paths: list[Path] = field(default_factory=list)
    steps: int = 0

    def extend(self, links: tuple[Link, ...]) -> None:
        """Follows every issuer of the last link."""
        top = links[-1].member
        if self.pool.trusts(top) or (top.self_issued and top.proof(top) is Proof.GOOD):
            trusted = self.pool.trusts(top)
            origin = Origin.STORE if trusted and links[-1].origin is Origin.SENT else links[-1].origin
            last = Link(top, origin, links[-1].url, top.proof(top) if top.self_issued else Proof.GOOD)
            self.paths.append(Path((*links[:-1], last), trusted, complete=True))
            return
        candidates = self._candidates(links)
        if not candidates:
            cyclic = any(link.member is not top for link in self.pool.issuers(top)) and len(links) > 1
            self.paths.append(Path(links, cyclic=cyclic and len(links) < MAX_DEPTH))
            return
        for link, proof in candidates:
            if len(self.paths) >= MAX_PATHS or self.steps >= MAX_STEPS:
                break
            last = links[-1]
            self.extend((*links[:-1], Link(last.member, last.origin, last.url, proof), link))

    def _candidates(self, links: tuple[Link, ...]) -> list[tuple[Link, Proof]]:
        """Issuers of the last link that are not in the path yet, those whose key signed it; else the likely ones."""
        if len(links) >= MAX_DEPTH:
            return []
        child = links[-1].member
        standing = {(link.member.subject, link.member.spki) for link in links}
        signed: list[tuple[Link, Proof]] = []
        likely: list[tuple[Link, Proof]] = []
        for link in self.pool.issuers(child):
            if (link.member.subject, link.member.spki) in standing or self.steps >= MAX_STEPS:
                continue
            self.steps += 1
            proof = child.proof(link.member)
            if proof is Proof.GOOD:
                signed.append((link, proof))
            elif _key_fits(child, link.member):
                likely.append((link, proof))
        return signed or likely[:1]


def _key_fits(child: Member, issuer: Member) -> bool:
    wanted, own = child.model.authority_key_identifier, issuer.model.subject_key_identifier
    return wanted is None or own is None or wanted == own


def build_paths(leaf: Member, pool: Pool, visits: Visits) -> list[Path]:
    """All paths for ``leaf``, at least one. What is missing is fetched by AIA when no path ends in a trusted root."""
    for _ in range(MAX_AIA_ROUNDS):
        search = _Search(pool)
        search.extend((Link(leaf, Origin.SENT),))
        good = any(path.trusted and all(link.proof is Proof.GOOD for link in path.links) for path in search.paths)
        if good or not _complete_by_aia(search.paths, pool, visits):
            break
    return search.paths or [Path((Link(leaf, Origin.SENT),))]


def _complete_by_aia(paths: list[Path], pool: Pool, visits: Visits) -> bool:
    """Fetches issuers of the ends of unfinished paths; True when there is something new to build with."""
    ends: dict[bytes, Member] = {}
    for path in paths:
        stuck = [link.member for link in path.links if link.proof is not Proof.GOOD]
        for member in stuck or ([] if path.complete else [path.links[-1].member]):
            ends[member.der] = member
    news = [_fetch_issuer(member, pool, visits) for member in islice(ends.values(), 4)]
    return any(news)


def _fetch_issuer(member: Member, pool: Pool, visits: Visits) -> bool:
    for url in member.model.authority_information_access[:MAX_AIA_NAMES]:
        found = visits.get(Ask(url, "Aia"), _read_members)
        if found and any(issuer.subject == member.issuer for issuer in found):
            news = [pool.add(Link(issuer, Origin.AIA, url)) for issuer in found]
            if any(news):
                return True
    return False


def _read_members(data: bytes) -> tuple[Member, ...]:
    return tuple(member_of(der) for der in read_certificates(data)[:MAX_SENT])
