"""Reading a ProfileXML of the VPNv2 CSP, and the lint rules that are certain.

The order of the elements is not judged: samples that work differ from the only schema that was published. What is
judged are values outside the CSP's vocabulary and combinations that its documentation rules out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Final, TypeVar

from pkitools.aovpn.eap import read_eap_configuration
from pkitools.aovpn.policy import word
from pkitools.aovpn.split_dns import judge_split_dns
from pkitools.errors import FormatError
from pkitools.files.text import decode_text
from pkitools.models.ipsec import (
    AuthenticationTransformConstants,
    CipherTransformConstants,
    DHGroup,
    EncryptionMethod,
    IntegrityCheckMethod,
    IPsecPolicy,
    PfsGroup,
)
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.phonebook import DomainNameRule, EapSettings, Route, VpnProfile
from pkitools.protocol.xml_tree import Element, read_xml

T = TypeVar("T")

_VOCABULARY: Final = {
    "NativeProtocolType": ("PPTP", "L2TP", "IKEv2", "SSTP", "Automatic", "ProtocolList"),
    "RoutingPolicyType": ("SplitTunnel", "ForceTunnel"),
    "UserMethod": ("Eap", "MSChapv2"),
    "MachineMethod": ("Certificate", "Eap", "PresharedKey"),
    "DataEncryption": ("None", "Require", "Max", "Optional"),
}
_FLAGS: Final = (
    *("AlwaysOn", "DeviceTunnel", "LockDown", "RememberCredentials", "RegisterDNS", "UseRasCredentials"),
    *("PrivateNetwork", "DisableIKEv2Fragmentation", "DisableClassBasedDefaultRoute", "ByPassForLocal"),
)
_SUITE: Final = (
    *("AuthenticationTransformConstants", "CipherTransformConstants", "DHGroup", "IntegrityCheckMethod"),
    *("PfsGroup", "EncryptionMethod"),
)
_READ: Final = frozenset(
    (
        *_FLAGS,
        *_VOCABULARY,
        *("VPNProfile", "ProfileName", "NativeProfile", "Servers", "NativeProtocolList", "ProtocolList", "Type"),
        *("Authentication", "Eap", "Configuration", "CryptographySuite", *_SUITE, "PFSgroup", "DnsSuffix"),
        *("TrustedNetworkDetection", "Route", "Address", "PrefixSize", "ExclusionRoute", "Metric"),
        *("DomainNameInformation", "DomainName", "DnsServers", "WebProxyServers", "AutoTrigger", "Persistent"),
        *("NetworkOutageTime", "IPv4InterfaceMetric", "IPv6InterfaceMetric"),
    )
)


def looks_like_profile(text: str) -> bool:
    """True when a text is a ProfileXML or one whose markup was escaped."""
    return "<VPNProfile" in text or "&lt;VPNProfile" in text


def read_profile(data: bytes, path: str = "") -> VpnProfile:
    """The profile in a file. Raises FormatError: no well-formed XML, a DTD, another root element."""
    text = decode_text(data)
    escaped = "<VPNProfile" not in text and "&lt;VPNProfile" in text
    root = read_xml(html.unescape(text[text.index("&lt;VPNProfile") :]).strip("'\" \r\n") if escaped else text)
    profile = (
        root if root.tag == "VPNProfile" else next((item for item in root.walk() if item.tag == "VPNProfile"), None)
    )
    if profile is None:
        raise FormatError(f"this is no ProfileXML: the root element is <{root.tag[:60]}>, not <VPNProfile>")
    return _Reader(profile, escaped).profile(path)


class _Reader:
    """One profile's elements outside of its EAP configuration, with what was found on the way."""

    def __init__(self, root: Element, escaped: bool) -> None:
        self._root = root
        self._findings: list[Finding] = []
        self._elements = list(_outside_eap(root))
        if escaped:
            self._say(
                Severity.WARNING,
                "EscapedXml",
                "the whole ProfileXML is entity-escaped (&lt;VPNProfile&gt;)",
                "escape it only for WMI and SyncML; Intune's custom profile wants the plain XML",
            )

    def profile(self, path: str) -> VpnProfile:
        policy = self._policy()
        routes, rules = self._routes(), self._rules()
        routing = self._word("RoutingPolicyType")
        metric = self._number("IPv4InterfaceMetric", 0, 9999)
        split_dns = judge_split_dns(
            metric, force_tunnel=(routing or "").lower() == "forcetunnel", has_name_rules=bool(rules)
        )
        if split_dns.verdict == "Uncertain":
            step = "add <IPv4InterfaceMetric>3</IPv4InterfaceMetric> (Windows 11 24H2), else edit rasphone.pbk"
            self._say(Severity.NOTE, "SplitDnsUncertain", split_dns.explanation, step)
        eap = self._eap()
        profile = VpnProfile(
            profile_name=self._text("ProfileName"),
            path=path,
            servers=tuple(dict.fromkeys(_split(self._text("Servers"), ";"))),
            native_protocol_type=self._word("NativeProtocolType"),
            protocol_list=tuple(item.text.strip() for item in self._elements if item.tag == "Type"),
            routing_policy_type=routing,
            user_method=self._word("UserMethod"),
            machine_method=self._word("MachineMethod"),
            device_tunnel=self._flag("DeviceTunnel"),
            always_on=self._flag("AlwaysOn"),
            lock_down=self._flag("LockDown"),
            remember_credentials=self._flag("RememberCredentials"),
            register_dns=self._flag("RegisterDNS"),
            ipv4_interface_metric=metric,
            ipv6_interface_metric=self._number("IPv6InterfaceMetric", 0, 9999),
            network_outage_time=self._number("NetworkOutageTime", 0, 1800),
            use_ras_credentials=self._flag("UseRasCredentials"),
            disable_ikev2_fragmentation=self._flag("DisableIKEv2Fragmentation"),
            disable_class_based_default_route=self._flag("DisableClassBasedDefaultRoute"),
            data_encryption=self._word("DataEncryption"),
            private_network=self._flag("PrivateNetwork"),
            ipsec_policy=policy,
            dns_suffix=tuple(_split(self._text("DnsSuffix"), ",")),
            trusted_networks=tuple(_split(self._text("TrustedNetworkDetection"), ",")),
            routes=routes,
            domain_name_rules=rules,
            eap=eap,
            split_dns=split_dns,
            other_elements=tuple(dict.fromkeys(item.tag for item in self._elements if item.tag not in _READ)),
            findings=(),
        )
        self._lint(profile)
        return _with_findings(profile, self._findings)

    def _say(self, severity: Severity, name: str, message: str, next_step: str = "") -> None:
        self._findings.append(finding(severity, name, message, next_step))

    def _element(self, tag: str) -> Element | None:
        return next((item for item in self._elements if item.tag == tag), None)

    def _text(self, tag: str) -> str | None:
        element = self._element(tag)
        return element.text.strip() or None if element is not None else None

    def _word(self, tag: str) -> str | None:
        text = self._text(tag)
        known = _VOCABULARY[tag]
        if text is not None and text.lower() not in (item.lower() for item in known):
            self._outside(tag, text, ", ".join(known))
        return text

    def _outside(self, tag: str, text: str, known: str) -> None:
        element = self._element(tag)
        line = element.line if element else 0
        self._say(Severity.ERROR, "InvalidValue", f"<{tag}> in line {line} is {text!r}", f"use one of {known}")

    def _flag(self, tag: str) -> bool | None:
        text = self._text(tag)
        if text is None:
            return None
        if text.lower() not in ("true", "false"):
            self._outside(tag, text, "true, false")
            return None
        return text.lower() == "true"

    def _number(self, tag: str, low: int, high: int) -> int | None:
        text = self._text(tag)
        if text is None:
            return None
        if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or not low <= int(text) <= high:
            self._outside(tag, text, f"{low} to {high}")
            return None
        return int(text)

    def _policy(self) -> IPsecPolicy | None:
        suite = self._element("CryptographySuite")
        if suite is None:
            return None
        texts = {
            ("PfsGroup" if item.tag.lower() == "pfsgroup" else item.tag): item.text.strip() for item in suite.children
        }
        missing = [name for name in _SUITE if not texts.get(name)]
        if missing:
            self._say(
                Severity.ERROR,
                "IncompleteCryptographySuite",
                f"<CryptographySuite> in line {suite.line} lacks {', '.join(missing)}",
                "Windows takes the six values together: give all of them",
            )
            return None
        try:
            return IPsecPolicy(
                word(AuthenticationTransformConstants, texts["AuthenticationTransformConstants"]),
                word(CipherTransformConstants, texts["CipherTransformConstants"]),
                word(DHGroup, texts["DHGroup"]),
                word(IntegrityCheckMethod, texts["IntegrityCheckMethod"]),
                word(PfsGroup, texts["PfsGroup"]),
                word(EncryptionMethod, texts["EncryptionMethod"]),
            )
        except FormatError as error:
            self._say(Severity.ERROR, "InvalidValue", f"<CryptographySuite> in line {suite.line}: {error}", error.hint)
            return None

    def _routes(self) -> tuple[Route, ...]:
        return tuple(
            Route(
                _child(item, "Address", str) or "",
                _child(item, "PrefixSize", _small),
                _child(item, "ExclusionRoute", _truth),
                _child(item, "Metric", _small),
            )
            for item in self._elements
            if item.tag == "Route"
        )

    def _rules(self) -> tuple[DomainNameRule, ...]:
        return tuple(
            DomainNameRule(
                _child(item, "DomainName", str) or "",
                tuple(_split(_child(item, "DnsServers", str), ",")),
                tuple(_split(_child(item, "WebProxyServers", str), ",")),
                _child(item, "AutoTrigger", _truth),
                _child(item, "Persistent", _truth),
            )
            for item in self._elements
            if item.tag == "DomainNameInformation"
        )

    def _eap(self) -> EapSettings | None:
        configuration = next((item for item in self._root.walk() if item.tag == "Configuration"), None)
        if configuration is None:
            return None
        text = configuration.text.strip()
        if text.startswith("<") and not configuration.children:
            self._say(
                Severity.WARNING,
                "EscapedXml",
                f"the EAP configuration in line {configuration.line} is entity-escaped",
                "put the XML itself into <Configuration>",
            )
            return read_eap_configuration(read_xml(text, what="the EAP configuration"))
        return read_eap_configuration(configuration)

    def _lint(self, profile: VpnProfile) -> None:
        protocol = (profile.native_protocol_type or "").lower()
        if self._element("CryptographySuite") is not None and protocol in ("automatic", "sstp", "pptp"):
            self._say(
                Severity.WARNING,
                "CryptographySuiteIgnored",
                f"NativeProtocolType {profile.native_protocol_type} ignores the CryptographySuite",
                "set NativeProtocolType to IKEv2 where the suite is to count",
            )
        if profile.device_tunnel:
            self._lint_device_tunnel(profile, protocol)
        if profile.disable_class_based_default_route and not profile.routes:
            self._say(
                Severity.WARNING,
                "NoRoutes",
                "DisableClassBasedDefaultRoute is true and there is no <Route>: nothing goes through the tunnel",
                "add a <Route> for each network inside",
            )
        for rule in profile.domain_name_rules:
            self._lint_rule(rule, profile)
        for item in self._root.walk():
            if item.children and item.text.strip():
                text = item.text.strip()[:40]
                self._say(
                    Severity.WARNING,
                    "StrayText",
                    f"stray text {text!r} inside <{item.tag}> (line {item.line})",
                    "remove it",
                )

    def _lint_device_tunnel(self, profile: VpnProfile, protocol: str) -> None:
        wanted = (
            ("NativeProtocolType", protocol == "ikev2", "IKEv2"),
            ("RoutingPolicyType", (profile.routing_policy_type or "").lower() != "forcetunnel", "SplitTunnel"),
            ("MachineMethod", (profile.machine_method or "").lower() == "certificate", "Certificate"),
        )
        for tag, right, value in wanted:
            if not right:
                self._say(
                    Severity.WARNING,
                    "DeviceTunnelUnsupported",
                    f"a device tunnel supports {tag} {value} only",
                    f"set <{tag}>{value}</{tag}>",
                )

    def _lint_rule(self, rule: DomainNameRule, profile: VpnProfile) -> None:
        name = rule.domain_name
        if name.startswith(".") or not name:
            return
        suffixes = {item.lower() for item in (*profile.dns_suffix, *profile.trusted_networks)}
        sure = name.lower() in suffixes
        self._say(
            Severity.WARNING if sure else Severity.NOTE,
            "DnsRuleWithoutDot",
            f"the DNS rule {name!r} has no leading dot: it holds for the host {name} only, not for names below it",
            f"write .{name} for the whole suffix",
        )


def _with_findings(profile: VpnProfile, findings: list[Finding]) -> VpnProfile:
    from dataclasses import replace

    return replace(profile, findings=tuple(findings))


def _outside_eap(root: Element) -> list[Element]:
    found, stack = [], [root]
    while stack:
        item = stack.pop()
        found.append(item)
        if item.tag != "Configuration":
            stack.extend(reversed(item.children))
    return found


def _split(text: str | None, separator: str) -> list[str]:
    return [item.strip() for item in (text or "").split(separator) if item.strip()]


def _child(element: Element, tag: str, convert: Callable[[str], T]) -> T | None:
    child = element.find(tag)
    text = child.text.strip() if child is not None else ""
    return convert(text) if text else None


def _small(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())
