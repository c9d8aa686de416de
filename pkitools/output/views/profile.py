"""Text of a ProfileXML."""

from __future__ import annotations

from pkitools.models.outcome import Outcome
from pkitools.models.phonebook import Route, VpnProfile
from pkitools.output.text import Line, Style, Styled, finding_lines
from pkitools.output.views.phonebook import eap_lines, policy_text, row_lines, split_dns_lines


def _policy(profile: VpnProfile) -> str:
    if profile.ipsec_policy is not None:
        return policy_text(profile.ipsec_policy)
    unreadable = any("<CryptographySuite>" in item.message for item in profile.findings)
    return "a CryptographySuite that cannot be read" if unreadable else "Windows default"


def render(outcome: Outcome[VpnProfile], many: bool) -> list[Line]:
    """One profile: the answer and the findings first, then what it sets."""
    profile = outcome.value
    if profile is None:
        return []
    lines: list[Line] = [
        (Styled(profile.profile_name or "VPNProfile", Style.BOLD), Styled(f"  {profile.path}", Style.DIM))
    ]
    lines += split_dns_lines(profile.split_dns)
    lines += finding_lines(item for item in profile.findings if item.id != "SplitDnsUncertain")
    lines += row_lines(
        ("Servers", ", ".join(profile.servers)),
        ("Protocol", profile.native_protocol_type),
        ("Protocol list", ", ".join(profile.protocol_list)),
        ("Routing", profile.routing_policy_type),
        ("User, machine method", f"{profile.user_method or 'none'}, {profile.machine_method or 'none'}"),
        ("IPsec policy", _policy(profile)),
        ("Metric IPv4, IPv6", f"{_number(profile.ipv4_interface_metric)}, {_number(profile.ipv6_interface_metric)}"),
        ("Network outage time", profile.network_outage_time),
        ("Use RAS credentials", profile.use_ras_credentials),
        ("Register in DNS", profile.register_dns),
        ("No class-based route", profile.disable_class_based_default_route),
        ("IKEv2 fragmentation off", profile.disable_ikev2_fragmentation),
        ("Always On", profile.always_on),
        ("Device tunnel", profile.device_tunnel),
        ("Trusted networks", ", ".join(profile.trusted_networks)),
        ("DNS suffixes", ", ".join(profile.dns_suffix)),
        *(("Route", _route(route)) for route in profile.routes),
        *(
            ("DNS rule", f"{rule.domain_name} -> {', '.join(rule.dns_servers) or 'no DNS servers'}")
            for rule in profile.domain_name_rules
        ),
        ("Not decoded", ", ".join(profile.other_elements)),
    )
    lines += eap_lines(profile.eap)
    return [*lines, ""] if many else lines


def _number(value: int | None) -> str:
    return "not set" if value is None else str(value)


def _route(route: Route) -> str:
    prefix = "" if route.prefix_size is None else f"/{route.prefix_size}"
    return f"{route.address}{prefix}{' (past the tunnel)' if route.exclusion else ''}"
