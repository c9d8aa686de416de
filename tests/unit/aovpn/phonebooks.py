"""Phonebooks made for the tests, with accents and emoji in the names."""

from __future__ import annotations

ORDER = ("Encoding=1", "PBVersion=8", "VpnStrategy=8", "CustomAuthKey=26", "AuthRestrictions=128")


def entry(name: str, *lines: str, server: str = "vpn.example.net") -> str:
    """One entry as Windows lays it out, with CRLF."""
    main = [f"[{name}]", *(lines or main_lines())]
    media = ["NETCOMPONENTS=", "ms_msclient=1", "", "MEDIA=rastapi", "Port=VPN1-0", "Device=WAN Miniport (IKEv2)", ""]
    device = ["DEVICE=vpn", f"PhoneNumber={server}", "AreaCode=", ""]
    return "\r\n".join([*main, "", *media, *device]) + "\r\n"


def main_lines(**values: str) -> list[str]:
    """A short main group in Windows' order."""
    base = {
        "Encoding": "1",
        "PBVersion": "8",
        "UseRasCredentials": "1",
        "VpnStrategy": "8",
        "IpPrioritizeRemote": "0",
        "IpInterfaceMetric": "0",
        "IpHeaderCompression": "0",
        "IpDnsFlags": "0",
        "Ipv6InterfaceMetric": "0",
        "DisableMobility": "0",
        "NetworkOutageTime": "1800",
        "NumCustomPolicy": "0",
        "NumEku": "0",
    } | values
    return [f"{key}={value}" for key, value in base.items()]


BOOK = entry("Büro VPN 😀") + entry("Always On VPN [Test]") + entry("Zoë", server="[2001:db8::1]")
