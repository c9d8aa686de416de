"""What a source of IPsec policies gives: the proposals of one side, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from pkitools.aovpn.policy import NamedPolicies, baseline
from pkitools.aovpn.proposals import ChildProposal, IkeProposal, child_proposals_of, ike_proposals_of
from pkitools.models.ipsec import IPsecPolicy


@dataclass(frozen=True, slots=True)
class PolicySource:
    """One side. ``child`` is None when that part is not visible in the source.

    ``name`` is a connection's name for the commands that fix it; ``kind`` says what was read; ``strongswan`` is True
    for a side that is configured in strongSwan's words. ``open_ended``: it takes more than what stands there.
    """

    kind: str
    ike: tuple[IkeProposal, ...]
    child: tuple[ChildProposal, ...] | None
    policy: IPsecPolicy | None = None
    inferred: bool = False
    name: str = ""
    strongswan: bool = False
    open_ended: bool = False
    notes: tuple[str, ...] = field(default=())


def of_policy(policy: IPsecPolicy, kind: str, *, name: str = "", notes: tuple[str, ...] = ()) -> PolicySource:
    """A side with one custom policy."""
    child = child_proposals_of((policy.child,), policy.dh_group)
    return PolicySource(kind, ike_proposals_of((policy.ike,)), child, policy, name=name, notes=notes)


def of_named(
    named: NamedPolicies, *, inferred: bool = False, name: str = "", notes: tuple[str, ...] = ()
) -> PolicySource:
    """A side with a default of Windows or a baseline."""
    group = named.policy.dh_group if named.policy else None
    return PolicySource(
        named.name,
        ike_proposals_of(named.ike),
        child_proposals_of(named.child, group),
        named.policy,
        inferred,
        name,
        notes=notes,
    )


def client_default(why: str, *, name: str = "") -> PolicySource:
    """The Windows default of a client, concluded from ``why``."""
    note = f"{why}: the default of Windows 11 is inferred (Windows 10 offers the same without GCM)"
    return of_named(baseline("windows11-default"), inferred=True, name=name, notes=(note,))


def server_default(why: str) -> PolicySource:
    """The Windows default of a server, concluded from ``why``."""
    note = (
        f"{why}: the Windows default is inferred; what RRAS accepts beyond a Windows client's offers is not documented"
    )
    return of_named(baseline("windows-default"), inferred=True, notes=(note,))
