"""What Windows asks of a certificate for each purpose: extended key usages and who has to be told."""

from __future__ import annotations

from dataclasses import dataclass

from pkitools.models.trust import Purpose
from pkitools.protocol.oid_names import CLIENT_AUTH, IKE_INTERMEDIATE, SERVER_AUTH


@dataclass(frozen=True, slots=True)
class Rule:
    """``usage``: the extended key usage that Windows requires. ``server``: the peer sends its chain, so it is told what
    to send. ``kind`` names the certificate in sentences; ``advised`` is an extended key usage worth having."""

    usage: str
    kind: str
    server: bool
    advised: str | None = None


RULES = {
    Purpose.SSTP_SERVER: Rule(SERVER_AUTH, "an SSTP server", server=True),
    Purpose.WEB_SERVER: Rule(SERVER_AUTH, "a web server", server=True),
    Purpose.IKE_SERVER: Rule(SERVER_AUTH, "an IKEv2 server", server=True, advised=IKE_INTERMEDIATE),
    Purpose.NPS_SERVER: Rule(SERVER_AUTH, "an NPS server", server=True),
    Purpose.VPN_USER: Rule(CLIENT_AUTH, "a VPN user", server=False),
    Purpose.DEVICE: Rule(CLIENT_AUTH, "a device", server=False),
}
