"""Will names inside the company be asked of the tunnel's DNS servers? The interface metric decides."""

from __future__ import annotations

from typing import Final

from pkitools.models.phonebook import SplitDns

# Windows gives an Ethernet adapter a metric by its speed; remediation scripts in use take 5 as the least to be met.
USUAL_ETHERNET_METRIC: Final = 5
RECOMMENDED_METRIC: Final = 3


def judge_split_dns(metric: int | None, *, force_tunnel: bool | None, has_name_rules: bool) -> SplitDns:
    """The verdict for a connection's IPv4 interface metric (0 = automatic, None = not set)."""
    return SplitDns(
        _verdict(metric, force_tunnel), metric, USUAL_ETHERNET_METRIC, _why(metric, force_tunnel, has_name_rules)
    )


def _verdict(metric: int | None, force_tunnel: bool | None) -> str:
    if force_tunnel:
        return "ForceTunnel"
    return "Yes" if metric and metric < USUAL_ETHERNET_METRIC else "Uncertain"


def _why(metric: int | None, force_tunnel: bool | None, has_name_rules: bool) -> str:
    if force_tunnel:
        return "all traffic goes through the tunnel, so that split DNS is no question"
    if metric and metric < USUAL_ETHERNET_METRIC:
        return f"metric {metric} is lower than that of an Ethernet adapter (usually {USUAL_ETHERNET_METRIC} or higher)"
    rules = "; names under a DNS rule (NRPT) are asked in the tunnel all the same" if has_name_rules else ""
    if not metric:
        return (
            "the metric is automatic: Windows computes it, and where the physical adapter wins, names inside are asked "
            f"outside; set {RECOMMENDED_METRIC}{rules}"
        )
    return (
        f"metric {metric} does not beat an Ethernet adapter (usually {USUAL_ETHERNET_METRIC} or higher); "
        f"set {RECOMMENDED_METRIC}{rules}"
    )
