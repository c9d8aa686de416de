"""Text of a phonebook entry."""

from __future__ import annotations

from pkitools.models.outcome import Outcome
from pkitools.models.phonebook import EapSettings, PhonebookEntry, SplitDns
from pkitools.output.text import Line, Style, Styled, finding_lines


def _policy(entry: PhonebookEntry) -> str:
    if entry.ipsec_policy is not None:
        return policy_text(entry.ipsec_policy)
    unreadable = bool(entry.ipsec_policy_codes) or any(item.id == "IPsecPolicyUnreadable" for item in entry.findings)
    return "a custom policy that cannot be read" if unreadable else "Windows default (no custom policy)"


def render(outcome: Outcome[PhonebookEntry], many: bool) -> list[Line]:
    """One entry: what decides first, then findings, then the details that are set."""
    entry = outcome.value
    if entry is None:
        return []
    lines: list[Line] = [(Styled(f"[{entry.name}]", Style.BOLD), Styled(f"  {entry.path}:{entry.line}", Style.DIM))]
    lines += split_dns_lines(entry.split_dns)
    lines += finding_lines(item for item in entry.findings if item.id != "SplitDnsUncertain")
    lines += row_lines(
        ("Servers", ", ".join(entry.servers)),
        ("VPN strategy", entry.vpn_strategy),
        ("Metric IPv4, IPv6", f"{_metric(entry.ipv4_interface_metric)}, {_metric(entry.ipv6_interface_metric)}"),
        ("IPsec policy", _policy(entry)),
        ("Mobility off", entry.disable_mobility),
        ("Network outage time", entry.network_outage_time),
        ("Use RAS credentials", entry.use_ras_credentials),
        ("Cache credentials", entry.cache_credentials),
        ("Register in DNS", entry.register_dns),
        ("No class-based route", entry.disable_class_based_default_route),
        ("IKEv2 fragmentation off", entry.disable_ikev2_fragmentation),
        ("Always On", entry.always_on),
        ("Device tunnel", entry.device_tunnel),
        ("Trusted networks", ", ".join(entry.trusted_networks)),
        ("DNS suffix", entry.dns_suffix),
        ("DNS suffix list", ", ".join(entry.dns_suffix_search_list)),
        ("DNS rules (NRPT)", ", ".join(entry.nrpt_suffixes)),
    )
    lines += eap_lines(entry.eap)
    return [*lines, ""] if many else lines


def split_dns_lines(split_dns: SplitDns) -> list[Line]:
    """The answer to "will split DNS work"."""
    style = Style.WARN if split_dns.verdict == "Uncertain" else Style.GOOD
    return [("  Split DNS: ", Styled(split_dns.verdict, style), f": {split_dns.explanation}")]


def eap_lines(eap: EapSettings | None) -> list[Line]:
    """EAP methods with what each insists on."""
    lines: list[Line] = []
    if eap is not None:
        for method in (eap.method, *eap.inner_methods):
            lines += row_lines(
                ("EAP" if method is eap.method else "EAP inside", method.name),
                ("  trusted roots", ", ".join(method.trusted_root_thumbprints)),
                ("  server names", "; ".join(method.server_names)),
            )
        lines += row_lines(
            ("  issuer filter", ", ".join(eap.issuer_filter)),
            ("  not decoded", f"the rest of {len(eap.raw_data)} bytes (RawData in JSON)" if eap.raw_data else None),
        )
    return lines


def policy_text(policy: object) -> str:
    """A policy's words side by side, the IKE SA's first."""
    names = ("encryption_method", "integrity_check_method", "dh_group")
    child = ("cipher_transform_constants", "authentication_transform_constants", "pfs_group")
    ike, esp = (" ".join(getattr(policy, name).value for name in part) for part in (names, child))
    return f"IKE {ike}; child {esp}"


def row_lines(*rows: tuple[str, str | int | bool | None]) -> list[Line]:
    """Label and value of each row that has a value."""
    return [(f"  {label:<24}", _text(value)) for label, value in rows if value is not None and value != ""]


def _text(value: str | int | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _metric(metric: int | None) -> str:
    if metric is None:
        return "not set"
    return "automatic" if metric == 0 else str(metric)
