"""Phonebook entries as records: what the keys of rasphone.pbk mean, and what is worth saying about them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from pkitools.aovpn.client_policy import unpack_policy
from pkitools.aovpn.eap import read_custom_auth_data
from pkitools.aovpn.phonebook import Phonebook, Section, joined_hex, utf16_names
from pkitools.aovpn.split_dns import judge_split_dns
from pkitools.errors import FormatError
from pkitools.models.ipsec import IPsecPolicy
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.phonebook import EapSettings, PhonebookEntry

# VS_* of Ras.h. 14 is "IKEv2, then SSTP only", not "IKEv2 first" (8).
VPN_STRATEGIES: Final = {
    0: "Default",
    1: "PptpOnly",
    2: "PptpFirst",
    3: "L2tpOnly",
    4: "L2tpFirst",
    5: "SstpOnly",
    6: "SstpFirst",
    7: "Ikev2Only",
    8: "Ikev2First",
    9: "GREOnly",
    12: "PptpSstp",
    13: "L2tpSstp",
    14: "Ikev2Sstp",
    15: "ProtocolList",
}
_SINGLE_KEYS: Final = (
    *("VpnStrategy", "IpInterfaceMetric", "Ipv6InterfaceMetric", "DisableMobility", "NetworkOutageTime"),
    *("UseRasCredentials", "CacheCredentials", "AutoLogon", "IpDnsFlags", "DisableClassBasedDefaultRoute"),
    *("Disable_IKEv2_Fragmentation", "NumCustomPolicy"),
)
_MAX_NRPT: Final = 1 << 16
_SUFFIX = re.compile(rb"(?:[\x21-\x7e]\x00){2,253}\x00\x00")


def read_entries(data: bytes, path: str = "") -> tuple[PhonebookEntry, ...]:
    """Every entry of a phonebook, in the file's order. Raises FormatError as ``Phonebook`` does."""
    book = Phonebook(data)
    names = Counter(section.name.casefold() for section in book.sections)
    return tuple(_Reader(book, section).entry(path, names[section.name.casefold()] > 1) for section in book.sections)


class _Reader:
    """One entry's main group, with what was found on the way."""

    def __init__(self, book: Phonebook, section: Section) -> None:
        self._book = book
        self._section = section
        self._values = book.main_values(section)
        self._findings: list[Finding] = []

    def entry(self, path: str, repeated: bool) -> PhonebookEntry:
        codes, policy = self._policy()
        metric = self._number("IpInterfaceMetric")
        prioritized = self._flag("IpPrioritizeRemote")
        suffixes = self._nrpt_suffixes()
        split_dns = judge_split_dns(metric, force_tunnel=prioritized, has_name_rules=bool(suffixes))
        if split_dns.verdict == "Uncertain":
            self._say(Severity.NOTE, "SplitDnsUncertain", split_dns.explanation, "set-phonebook --ipv4-metric 3")
        self._check_duplicates(repeated)
        return PhonebookEntry(
            name=self._section.name,
            path=path,
            line=self._section.start + 1,
            pb_version=self._number("PBVersion"),
            servers=self._servers(),
            vpn_strategy=self._strategy(),
            ipv4_interface_metric=metric,
            ipv6_interface_metric=self._number("Ipv6InterfaceMetric"),
            disable_mobility=self._flag("DisableMobility"),
            network_outage_time=self._number("NetworkOutageTime"),
            use_ras_credentials=self._flag("UseRasCredentials"),
            cache_credentials=self._flag("CacheCredentials"),
            auto_logon=self._flag("AutoLogon"),
            register_dns=self._number("IpDnsFlags"),
            disable_class_based_default_route=self._flag("DisableClassBasedDefaultRoute"),
            disable_ikev2_fragmentation=self._flag("Disable_IKEv2_Fragmentation"),
            split_tunneling=None if prioritized is None else not prioritized,
            always_on=self._flag("AlwaysOnCapable"),
            device_tunnel=self._flag("DeviceTunnel"),
            ipsec_policy=policy,
            ipsec_policy_codes=codes,
            trusted_networks=utf16_names(self._hex("TrustedNetworks") or b""),
            dns_suffix=self._text("IpDnsSuffix"),
            dns_suffix_search_list=utf16_names(self._hex("DnsSuffixSearchList") or b""),
            nrpt_suffixes=suffixes,
            eap=self._eap(),
            split_dns=split_dns,
            findings=tuple(self._findings),
        )

    def _say(self, severity: Severity, name: str, message: str, next_step: str = "", code: str | None = None) -> None:
        self._findings.append(finding(severity, name, message, next_step, code=code))

    def _all(self, key: str) -> list[str]:
        return self._values.get(key.casefold(), [])

    def _text(self, key: str) -> str | None:
        values = self._all(key)
        return values[0] or None if values else None

    def _number(self, key: str) -> int | None:
        values = self._all(key)
        if not values:
            return None
        if re.fullmatch(r"-?\d{1,10}", values[0], re.ASCII):
            return int(values[0])
        self._say(Severity.WARNING, "NotANumber", f"{key}={values[0]} is no number", "give it one with set-phonebook")
        return None

    def _flag(self, key: str) -> bool | None:
        number = self._number(key)
        return None if number is None else number != 0

    def _hex(self, key: str) -> bytes | None:
        values = self._all(key)
        if not values:
            return None
        data = joined_hex(values)
        if data is None:
            self._say(Severity.WARNING, "NotHex", f"{key} is not hex as Windows writes it, so it was not read")
        return data

    def _servers(self) -> tuple[str, ...]:
        listed = [name for value in self._all("ServerListServerName") for name in value.split(";")]
        names = [*listed, *self._book.device_values(self._section, "PhoneNumber")]
        return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))

    def _strategy(self) -> str | None:
        number = self._number("VpnStrategy")
        return None if number is None else VPN_STRATEGIES.get(number, str(number))

    def _policy(self) -> tuple[tuple[int, ...], IPsecPolicy | None]:
        count, blob = self._number("NumCustomPolicy") or 0, self._hex("CustomIPSecPolicies")
        if not count:
            return (), None
        try:
            codes, policy, notes = unpack_policy((blob or b"")[:24])
        except FormatError as error:
            self._say(
                Severity.WARNING,
                "IPsecPolicyUnreadable",
                f"NumCustomPolicy={count}, but {error.message}",
                "set the policy again on the client with Set-VpnConnectionIPsecConfiguration",
            )
            return (), None
        if count > 1:
            self._say(Severity.NOTE, "SeveralPolicies", f"NumCustomPolicy={count}: the first policy is shown")
        for note in notes:
            self._say(Severity.NOTE, "PolicyCodeNotSeen", note)
        return codes, policy

    def _nrpt_suffixes(self) -> tuple[str, ...]:
        blob = (self._hex("NrptRules") or b"")[:_MAX_NRPT]
        return tuple(match[0].decode("utf-16-le").rstrip("\0") for match in _SUFFIX.finditer(blob))

    def _eap(self) -> EapSettings | None:
        kind = self._number("CustomAuthKey")
        if not kind or kind < 0:
            return None
        settings = read_custom_auth_data(kind, self._hex("CustomAuthData") or b"")
        if kind in (13, 25) and not settings.method.trusted_root_thumbprints:
            self._say(
                Severity.NOTE, "EapNoTrustedRoot", f"{settings.method.name} names no root that the NPS must come from"
            )
        return settings

    def _check_duplicates(self, repeated: bool) -> None:
        if repeated:
            self._say(
                Severity.WARNING,
                "DuplicateEntry",
                f"another entry is called {self._section.name!r} too: Windows tells names apart without regard to case",
                "rename or remove one of them",
            )
        for key in _SINGLE_KEYS:
            values = self._all(key)
            if len(set(values)) > 1:
                self._say(
                    Severity.WARNING,
                    "DuplicateKey",
                    f"{key} stands {len(values)} times with different values ({', '.join(values[:4])})",
                    "set-phonebook gives all of them one value",
                )
