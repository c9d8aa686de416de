"""What a VPN client is told: entries of rasphone.pbk, ProfileXML profiles, their EAP settings, and edits of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from pkitools.models.ipsec import IPsecPolicy
from pkitools.models.outcome import Finding


@dataclass(frozen=True, slots=True)
class EapMethod:
    """One EAP method and the server that it insists on.

    ``type`` is IANA's EAP method number (13 TLS, 25 PEAP, 26 MSCHAPv2); ``trusted_root_thumbprints`` are SHA-1 in
    upper-case hex; ``server_names`` as Windows keeps them, several to be tried in turn, each perhaps a pattern.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.EapMethod"

    type: int
    name: str
    trusted_root_thumbprints: tuple[str, ...]
    server_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EapSettings:
    """EAP settings of a connection: the outer method, the inner ones (of PEAP), and the rest that is not decoded.

    ``issuer_filter`` are SHA-1 thumbprints of the authorities whose client certificates are taken; ``raw_data`` is the
    method's own blob from rasphone.pbk, empty for a ProfileXML.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.EapSettings"

    method: EapMethod
    inner_methods: tuple[EapMethod, ...]
    issuer_filter: tuple[str, ...]
    raw_data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SplitDns:
    """Will names inside be asked of the DNS servers of the tunnel: Yes, Uncertain or ForceTunnel, and why.

    ``interface_metric`` is what counts (0 = automatic, None = not in the file), ``usual_ethernet_metric`` what it has
    to beat: the interface with the lowest metric is asked first.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.SplitDns"

    verdict: str
    interface_metric: int | None
    usual_ethernet_metric: int
    explanation: str


@dataclass(frozen=True, slots=True)
class PhonebookEntry:
    """One connection of rasphone.pbk. None stands for a key that the entry lacks.

    ``line`` is that of the entry's name, counted from 1. ``network_outage_time`` is in seconds. Numbers that Windows'
    headers name stand by name (``vpn_strategy``), others as they are.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.PhonebookEntry"

    name: str
    path: str
    line: int
    pb_version: int | None = field(metadata={"name": "PBVersion"})
    servers: tuple[str, ...]
    vpn_strategy: str | None
    ipv4_interface_metric: int | None = field(metadata={"name": "IPv4InterfaceMetric"})
    ipv6_interface_metric: int | None = field(metadata={"name": "IPv6InterfaceMetric"})
    disable_mobility: bool | None
    network_outage_time: int | None
    use_ras_credentials: bool | None
    cache_credentials: bool | None
    auto_logon: bool | None
    register_dns: int | None = field(metadata={"name": "RegisterDns"})
    disable_class_based_default_route: bool | None
    disable_ikev2_fragmentation: bool | None = field(metadata={"name": "DisableIKEv2Fragmentation"})
    split_tunneling: bool | None
    always_on: bool | None
    device_tunnel: bool | None
    ipsec_policy: IPsecPolicy | None = field(metadata={"name": "IPsecPolicy"})
    ipsec_policy_codes: tuple[int, ...] = field(metadata={"name": "IPsecPolicyCodes"})
    trusted_networks: tuple[str, ...]
    dns_suffix: str | None
    dns_suffix_search_list: tuple[str, ...]
    nrpt_suffixes: tuple[str, ...]
    eap: EapSettings | None
    split_dns: SplitDns
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One value of one entry: ``before`` is None when the entry lacked the key, ``changed`` False when it was right."""

    PS_TYPE: ClassVar[str] = "PkiTools.SettingChange"

    entry: str
    key: str
    before: str | None
    after: str
    changed: bool


@dataclass(frozen=True, slots=True)
class PhonebookSettings:
    """What set-phonebook is to set; None leaves a value alone.

    Metrics are 0 (automatic) to 9999, ``network_outage_time`` 0 or 60 to 1800 seconds; ``vpn_strategy`` is a name or a
    number of Ras.h; ``ipsec_policy`` one custom policy.
    """

    ipv4_metric: int | None = None
    ipv6_metric: int | None = None
    vpn_strategy: str | None = None
    disable_mobility: bool | None = None
    network_outage_time: int | None = None
    use_ras_credentials: bool | None = None
    cache_credentials: bool | None = None
    auto_logon: bool | None = None
    register_dns: bool | None = None
    disable_class_based_default_route: bool | None = None
    disable_ikev2_fragmentation: bool | None = None
    ipsec_policy: IPsecPolicy | None = None


class EditMode(Enum):
    """What set-phonebook is to do: write, write and say one line (Intune's remediation), only compare and say one line
    (Intune's detection), or only show the difference."""

    SET = "Set"
    REMEDIATE = "Remediate"
    DETECT = "Detect"
    DRY_RUN = "DryRun"


@dataclass(frozen=True, slots=True)
class PhonebookEdit:
    """What set-phonebook did, or with a dry run or a detection would do, to one file.

    ``compliant`` tells whether every value was as wanted before; ``diff`` shows the lines that a dry run would change;
    ``backup`` names the copy of the old file; ``written`` is False when nothing had to change or was to be written.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.PhonebookEdit"

    path: str
    mode: EditMode
    compliant: bool
    written: bool
    backup: str | None
    changes: tuple[SettingChange, ...]
    diff: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class DomainNameRule:
    """A DNS rule of a ProfileXML (``DomainNameInformation``): a suffix begins with a dot, a host name has none."""

    PS_TYPE: ClassVar[str] = "PkiTools.DomainNameRule"

    domain_name: str
    dns_servers: tuple[str, ...]
    web_proxy_servers: tuple[str, ...]
    auto_trigger: bool | None
    persistent: bool | None


@dataclass(frozen=True, slots=True)
class Route:
    """A route through the tunnel; ``exclusion`` means past it."""

    PS_TYPE: ClassVar[str] = "PkiTools.Route"

    address: str
    prefix_size: int | None
    exclusion: bool | None
    metric: int | None


@dataclass(frozen=True, slots=True)
class VpnProfile:
    """A ProfileXML of the VPNv2 CSP. None stands for an element that the profile lacks.

    ``other_elements`` names what is there and not decoded.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.VpnProfile"

    profile_name: str | None
    path: str
    servers: tuple[str, ...]
    native_protocol_type: str | None
    protocol_list: tuple[str, ...]
    routing_policy_type: str | None
    user_method: str | None
    machine_method: str | None
    device_tunnel: bool | None
    always_on: bool | None
    lock_down: bool | None
    remember_credentials: bool | None
    register_dns: bool | None = field(metadata={"name": "RegisterDns"})
    ipv4_interface_metric: int | None = field(metadata={"name": "IPv4InterfaceMetric"})
    ipv6_interface_metric: int | None = field(metadata={"name": "IPv6InterfaceMetric"})
    network_outage_time: int | None
    use_ras_credentials: bool | None
    disable_ikev2_fragmentation: bool | None = field(metadata={"name": "DisableIKEv2Fragmentation"})
    disable_class_based_default_route: bool | None
    data_encryption: str | None
    private_network: bool | None
    ipsec_policy: IPsecPolicy | None = field(metadata={"name": "IPsecPolicy"})
    dns_suffix: tuple[str, ...]
    trusted_networks: tuple[str, ...]
    routes: tuple[Route, ...]
    domain_name_rules: tuple[DomainNameRule, ...]
    eap: EapSettings | None
    split_dns: SplitDns
    other_elements: tuple[str, ...]
    findings: tuple[Finding, ...]
