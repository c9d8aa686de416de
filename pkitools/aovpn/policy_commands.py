"""The commands that give a client or a server an IPsec policy: PowerShell, ProfileXML, strongSwan."""

from __future__ import annotations

from pkitools.aovpn.policy import swan_esp_proposal, swan_ike_proposal
from pkitools.models.ipsec import (
    AuthenticationTransformConstants,
    CipherTransformConstants,
    DHGroup,
    IPsecPolicy,
    PfsGroup,
)

# The VPNv2 CSP spells these three otherwise than PowerShell.
_CSP_SPELLINGS = {"SHA1": "SHA196", "GCMAES128": "AES_GCM_128", "GCMAES256": "AES_GCM_256"}


def client_commands(policy: IPsecPolicy, connection: str) -> tuple[str, ...]:
    """PowerShell for the client; ``connection`` may be empty when its name is not known."""
    name = quoted(connection) if connection else "'NAME OF THE CONNECTION'"
    return (f"Set-VpnConnectionIPsecConfiguration -ConnectionName {name} {_parameters(policy)} -Force -PassThru",)


def server_commands(policy: IPsecPolicy) -> tuple[str, ...]:
    """PowerShell for a Routing and Remote Access server."""
    return (
        f"Set-VpnServerConfiguration -TunnelType IKEv2 -CustomPolicy {_parameters(policy)}",
        "Restart-Service RemoteAccess",
    )


def swan_commands(policy: IPsecPolicy) -> tuple[str, ...]:
    """Lines of swanctl.conf for the connection and its child."""
    if policy.dh_group is DHGroup.NONE:
        return ()
    return (
        f"proposals = {swan_ike_proposal(policy.ike)}",
        f"esp_proposals = {swan_esp_proposal(policy.child, policy.dh_group)}",
    )


def profile_xml(policy: IPsecPolicy) -> str | None:
    """The CryptographySuite of a ProfileXML; None when the CSP has no word for a value (None)."""
    nones = (
        policy.cipher_transform_constants is CipherTransformConstants.NONE,
        policy.authentication_transform_constants is AuthenticationTransformConstants.NONE,
        policy.dh_group is DHGroup.NONE,
        policy.pfs_group is PfsGroup.NONE,
    )
    if any(nones):
        return None
    values = {
        "AuthenticationTransformConstants": policy.authentication_transform_constants.value,
        "CipherTransformConstants": policy.cipher_transform_constants.value,
        "PfsGroup": policy.pfs_group.value,
        "DHGroup": policy.dh_group.value,
        "IntegrityCheckMethod": _csp(policy.integrity_check_method.value),
        "EncryptionMethod": _csp(policy.encryption_method.value),
    }
    lines = "".join(f"  <{name}>{value}</{name}>\n" for name, value in values.items())
    return f"<CryptographySuite>\n{lines}</CryptographySuite>"


def _csp(word: str) -> str:
    return _CSP_SPELLINGS.get(word, word)


def _parameters(policy: IPsecPolicy) -> str:
    values = {
        "AuthenticationTransformConstants": policy.authentication_transform_constants,
        "CipherTransformConstants": policy.cipher_transform_constants,
        "DHGroup": policy.dh_group,
        "EncryptionMethod": policy.encryption_method,
        "IntegrityCheckMethod": policy.integrity_check_method,
        "PfsGroup": policy.pfs_group,
    }
    return " ".join(f"-{name} {member.value}" for name, member in values.items())


def quoted(text: str) -> str:
    """A PowerShell string that stands for itself; the four typographic apostrophes end a string too."""
    return "'" + "".join(c * 2 if c in "'\u2018\u2019\u201a\u201b" else c for c in text) + "'"
