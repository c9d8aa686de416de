"""compare-ipsec: the policies of client and server field by field, whether the tunnel comes up, and what mends it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Final, TypeVar

from pkitools.aovpn.ike.judging import weak_parts
from pkitools.aovpn.policy import WINDOWS_IKE_POLICIES
from pkitools.aovpn.policy_commands import client_commands, profile_xml, server_commands, swan_commands
from pkitools.aovpn.policy_sources.reading import read_source
from pkitools.aovpn.policy_sources.source import PolicySource
from pkitools.aovpn.policy_target import target_policy
from pkitools.aovpn.proposals import (
    ChildProposal,
    IkeProposal,
    authentication_words,
    child_meets,
    child_overlap,
    cipher_words,
    group_words,
    ike_meets,
    ike_overlap,
    ike_proposals_of,
    integrity_words,
    pfs_words,
)
from pkitools.errors import InputError
from pkitools.models.ipsec import IPsecPolicy
from pkitools.models.ipsec_comparison import FieldComparison, FieldVerdict, PolicyComparison, PolicySide, TunnelVerdict
from pkitools.models.outcome import Finding, Outcome, Severity, Status, finding

P = TypeVar("P", IkeProposal, ChildProposal)

_NPS: Final = (
    "the NPS network policy: its encryption settings must allow Strong (MPPE 56-bit); without it the client reports "
    "13868 although the policies match"
)
_GCM_NOTE: Final = "with GCM this is the PRF, and it still has to match"
_PFS_NOTE: Final = "counts at rekeying only: the tunnel comes up and drops later"


def compare_ipsec(
    client: str,
    server: str,
    *,
    entry: str | None = None,
    connection: str | None = None,
    timeout: float = 10.0,
    standard_input: bytes | None = None,
) -> Outcome[PolicyComparison]:
    """The policy of ``client`` against that of ``server``; each a file, a baseline's name or ``ike:HOST``.

    ``entry`` chooses one of a phonebook, ``connection`` one of a strongSwan or Libreswan configuration; ``-`` stands
    for the content in ``standard_input``. The outcome is a finding when the tunnel does not come up. Raises InputError,
    FormatError, FileAccessError, and for ``ike:HOST`` what the probe raises.
    """
    if client == "-" and server == "-":
        raise InputError("only one side can come from standard input")
    sides = [
        read_source(
            text,
            client=is_client,
            entry=entry,
            connection=connection,
            timeout=timeout,
            data=standard_input if text == "-" else None,
        )
        for text, is_client in ((client, True), (server, False))
    ]
    result = compare_sources(sides[0], sides[1], names=(client, server))
    up = result.verdict in (TunnelVerdict.MATCH, TunnelVerdict.IKE_ONLY)
    return Outcome(f"{client} : {server}", Status.OK if up else Status.FINDING, result)


def compare_sources(
    client: PolicySource, server: PolicySource, *, names: tuple[str, str] = ("", "")
) -> PolicyComparison:
    """The comparison of two sides that are read already."""
    verdict = _verdict(client, server)
    fields = (*_ike_fields(client, server), *_child_fields(client, server))
    fix_client, fix_server = target_policy(server, client), target_policy(client, server)
    mend = verdict is not TunnelVerdict.MATCH or any(item.verdict is FieldVerdict.DIFFERENT for item in fields)
    return PolicyComparison(
        verdict=verdict,
        client=_side(names[0], client),
        server=_side(names[1], server),
        fields=fields,
        causes=_causes(verdict, fields),
        client_commands=client_commands(fix_client, client.name) if fix_client and mend else (),
        client_profile_xml=profile_xml(fix_client) if fix_client and mend else None,
        server_commands=_server_commands(fix_server, server) if fix_server and mend else (),
        findings=_findings(verdict, client, server, fields),
    )


def _side(source: str, side: PolicySource) -> PolicySide:
    return PolicySide(source, side.kind, side.inferred, side.policy, len(side.ike), side.notes)


def _verdict(client: PolicySource, server: PolicySource) -> TunnelVerdict:
    if not ike_meets(client.ike, server.ike):
        return TunnelVerdict.IKE_MISMATCH
    if client.child is None or server.child is None:
        return TunnelVerdict.IKE_ONLY
    return TunnelVerdict.MATCH if child_meets(client.child, server.child) else TunnelVerdict.CHILD_MISMATCH


def _ike_fields(client: PolicySource, server: PolicySource) -> list[FieldComparison]:
    """The three fields of the IKE SA, of the two proposals that come nearest to each other."""
    pair = max(product(client.ike, server.ike), key=lambda item: sum(ike_overlap(*item)), default=None)
    if pair is None:
        names = ("EncryptionMethod", "IntegrityCheckMethod", "DHGroup")
        return [FieldComparison(name, "IKE", (), (), FieldVerdict.NOT_VISIBLE) for name in names]
    one, other = pair
    meets = ike_overlap(one, other)
    note = _GCM_NOTE if one.is_aead or other.is_aead else ""
    return [
        _field("EncryptionMethod", "IKE", cipher_words(one.ciphers), cipher_words(other.ciphers), meets.ciphers),
        _field("IntegrityCheckMethod", "IKE", integrity_words(one), integrity_words(other), meets.integrity, note),
        _field("DHGroup", "IKE", group_words(one.groups), group_words(other.groups), meets.groups),
    ]


def _child_fields(client: PolicySource, server: PolicySource) -> list[FieldComparison]:
    names = ("CipherTransformConstants", "AuthenticationTransformConstants", "PfsGroup")
    if client.child is None or server.child is None:
        words = [_child_words(side.child[0] if side.child else None) for side in (client, server)]
        return [_field(name, "Child", words[0][at], words[1][at], None) for at, name in enumerate(names)]
    pair = max(product(client.child, server.child), key=lambda item: sum(child_overlap(*item)))
    meets = child_overlap(*pair)
    words = [_child_words(item) for item in pair]
    notes = ("", "", "" if meets.groups else _PFS_NOTE)
    return [_field(name, "Child", words[0][at], words[1][at], meets[at], notes[at]) for at, name in enumerate(names)]


def _child_words(proposal: ChildProposal | None) -> tuple[tuple[str, ...], ...]:
    if proposal is None:
        return ((), (), ())
    return cipher_words(proposal.ciphers), authentication_words(proposal), pfs_words(proposal.groups)


def _field(
    name: str, part: str, client: tuple[str, ...], server: tuple[str, ...], meets: bool | None, note: str = ""
) -> FieldComparison:
    if meets is None:
        verdict = FieldVerdict.NOT_VISIBLE
    elif not meets:
        verdict = FieldVerdict.DIFFERENT
    else:
        verdict = FieldVerdict.EQUAL if client == server else FieldVerdict.COMMON
    return FieldComparison(name, part, client, server, verdict, note)


def _causes(verdict: TunnelVerdict, fields: Iterable[FieldComparison]) -> tuple[str, ...]:
    """The likely causes of 13868 in the order in which the negotiation meets them."""
    different = [item for item in fields if item.verdict is FieldVerdict.DIFFERENT and item.name != "PfsGroup"]
    if verdict is TunnelVerdict.MATCH:
        return (_NPS,)
    causes = [
        f"{'the IKE policy' if item.part == 'IKE' else 'the child policy'}: {item.name} is "
        f"{', '.join(item.client)} on the client and {', '.join(item.server)} on the server"
        for item in different
        if (item.part == "IKE") == (verdict is TunnelVerdict.IKE_MISMATCH) or item.part == "Child"
    ]
    if verdict is TunnelVerdict.IKE_MISMATCH and not any(item.part == "IKE" for item in different):
        causes.insert(0, "the IKE policy: one side takes none that the other can express")
    if verdict is TunnelVerdict.IKE_ONLY:
        causes.append(
            "the child policy, which one side does not show: CipherTransformConstants and "
            "AuthenticationTransformConstants must be the same"
        )
    return (*causes, _NPS)


def _server_commands(policy: IPsecPolicy, server: PolicySource) -> tuple[str, ...]:
    return swan_commands(policy) if server.strongswan else server_commands(policy)


def _findings(
    verdict: TunnelVerdict, client: PolicySource, server: PolicySource, fields: Iterable[FieldComparison]
) -> tuple[Finding, ...]:
    found: list[Finding] = []
    if verdict in (TunnelVerdict.IKE_MISMATCH, TunnelVerdict.CHILD_MISMATCH):
        part = "IKE" if verdict is TunnelVerdict.IKE_MISMATCH else "child"
        found.append(
            finding(
                Severity.ERROR,
                "PolicyMismatch",
                f"client and server have no {part} policy in common",
                "give both the same policy; the commands are below",
                code="ERROR_IPSEC_IKE_POLICY_MATCH",
            )
        )
    if verdict is TunnelVerdict.IKE_ONLY:
        found.append(
            finding(
                Severity.NOTE,
                "ChildNotVisible",
                "the IKE policy matches; the child policy of one side is not visible",
                "compare with the server's own output of Get-VpnServerIPsecConfiguration",
            )
        )
    pfs = next((item for item in fields if item.name == "PfsGroup"), None)
    if pfs is not None and pfs.verdict is FieldVerdict.DIFFERENT and verdict is not TunnelVerdict.IKE_MISMATCH:
        message = f"PfsGroup is {', '.join(pfs.client)} on the client and {', '.join(pfs.server)} on the server"
        found.append(finding(Severity.WARNING, "PfsDiffers", f"{message}: {_PFS_NOTE}", "give both the same PfsGroup"))
    if server.open_ended and verdict is TunnelVerdict.IKE_MISMATCH:
        found.append(
            finding(
                Severity.NOTE,
                "ServerTakesMore",
                "the server also takes proposals that its file does not name",
                "probe it: ike:HOST",
            )
        )
    return (*found, *_weak(client, server, verdict))


def _weak(client: PolicySource, server: PolicySource, verdict: TunnelVerdict) -> list[Finding]:
    """A note when every policy that the two can agree on has a weak part."""
    if verdict is TunnelVerdict.IKE_MISMATCH:
        return []
    agreed = [
        policy
        for policy in WINDOWS_IKE_POLICIES
        if ike_meets(proposal := ike_proposals_of((policy,)), server.ike) and ike_meets(client.ike, proposal)
    ]
    weak = [weak_parts(policy) for policy in agreed]
    if not weak or not all(weak):
        return []
    parts = ", ".join(dict.fromkeys(part for item in weak for part in item))
    return [
        finding(
            Severity.NOTE,
            "WeakPolicy",
            f"what both sides agree on is weak: {parts}",
            "give both the baseline aovpn-enhanced",
        )
    ]
