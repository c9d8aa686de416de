"""What an accepted offer's answer shows beside the policy: fragmentation, NAT, CAs asked for, vendor ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pkitools.models.ike import IkeAuthority, IkeFeatures, IkeVendorId
from pkitools.protocol.ike.numbers import NotifyType, notify_name
from pkitools.protocol.ike.payloads import nat_detection_hash
from pkitools.protocol.ike.sa_init import Chosen

# Prefixes. Sources: logs of Windows peers as published, strongSwan, draft-stenberg-ipsec-nat-traversal.
_VENDORS: Final = (
    ("1e2b516905991c7d7c96fcbfb587e461", "Microsoft (MS NT5 ISAKMPOAKLEY)"),
    ("fb1de3cdf341b7ea16b7e5be0855f120", "Microsoft (MS-Negotiation Discovery Capable)"),
    ("26244d38eddb61b3172a36e3d0cfb819", "Microsoft (Vid-Initial-Contact)"),
    ("01528bbbc00696121849ab9a1c5b2a51", "Microsoft (IKE version)"),
    ("882fe56d6fd20dbc2251613b2ebe5beb", "strongSwan"),
    ("4048b7d56ebce88525e7de7f00d6c2d3", "IKE fragmentation of Cisco and Microsoft"),
    ("4f45", "Openswan or Libreswan"),
)


def features_of(
    spi: bytes, chosen: Chosen, ours: tuple[str, int], theirs: tuple[str, int], names: Mapping[bytes, str]
) -> IkeFeatures:
    """The features in an answer. ``ours`` and ``theirs`` are address and port as this machine sees them; ``names`` are
    the subjects of known CAs by the SHA-1 of their keys."""
    hashes = dict.fromkeys(item for request in chosen.certificate_requests for item in request.authorities)
    return IkeFeatures(
        fragmentation=any(item.type == NotifyType.IKEV2_FRAGMENTATION_SUPPORTED for item in chosen.notifies),
        nat_at_server=_rewritten(spi, chosen, NotifyType.NAT_DETECTION_SOURCE_IP, theirs),
        nat_at_client=_rewritten(spi, chosen, NotifyType.NAT_DETECTION_DESTINATION_IP, ours),
        certificate_authorities=tuple(IkeAuthority(item.hex(), names.get(item, "")) for item in hashes),
        vendor_ids=tuple(IkeVendorId(item.hex(), vendor_hint(item)) for item in chosen.vendor_ids),
        notifies=tuple(notify_name(item.type) for item in chosen.notifies),
    )


def vendor_hint(value: bytes) -> str:
    """What a vendor id hints at; readable text stands for itself, anything else has no hint."""
    text = value.hex()
    known = next((hint for prefix, hint in _VENDORS if text.startswith(prefix)), None)
    if known is not None:
        return known
    return value.decode("ascii") if value and all(32 <= byte < 127 for byte in value) else ""


def _rewritten(spi: bytes, chosen: Chosen, kind: NotifyType, expected: tuple[str, int]) -> bool | None:
    """Whether no hash of this kind fits the address that we see: a NAT is between (RFC 7296 2.23)."""
    hashes = [item.data for item in chosen.notifies if item.type == kind]
    return nat_detection_hash(spi, chosen.spi, *expected) not in hashes if hashes else None
