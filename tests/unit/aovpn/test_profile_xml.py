"""ProfileXML: what it sets, and the lint rules that are certain."""

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.aovpn.profile_xml import read_profile
from pkitools.errors import FormatError

SUITE = (
    "<CryptographySuite><AuthenticationTransformConstants>GCMAES128</AuthenticationTransformConstants>"
    "<CipherTransformConstants>GCMAES128</CipherTransformConstants><PfsGroup>ECP256</PfsGroup><DHGroup>Group14</DHGroup>"
    "<IntegrityCheckMethod>SHA256</IntegrityCheckMethod><EncryptionMethod>AES_GCM_128</EncryptionMethod>"
    "</CryptographySuite>"
)
EAP = (
    '<EapHostConfig xmlns="http://www.microsoft.com/provisioning/EapHostConfig"><EapMethod>'
    '<Type xmlns="http://www.microsoft.com/provisioning/EapCommon">25</Type></EapMethod>'
    '<Config xmlns="http://www.microsoft.com/provisioning/EapHostConfig">'
    '<Eap xmlns="http://www.microsoft.com/provisioning/BaseEapConnectionPropertiesV1"><Type>25</Type>'
    '<EapType xmlns="http://www.microsoft.com/provisioning/MsPeapConnectionPropertiesV1"><ServerValidation>'
    "<ServerNames>nps1.example.net;nps2.example.net</ServerNames>"
    "<TrustedRootCA>01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef 01 23 45 67 </TrustedRootCA></ServerValidation>"
    '<Eap xmlns="http://www.microsoft.com/provisioning/BaseEapConnectionPropertiesV1"><Type>13</Type>'
    '<EapType xmlns="http://www.microsoft.com/provisioning/EapTlsConnectionPropertiesV1"><ServerValidation>'
    "<ServerNames>nps3.example.net</ServerNames></ServerValidation></EapType></Eap></EapType></Eap></Config></EapHostConfig>"
)


def profile(
    *,
    protocol="IKEv2",
    suite=SUITE,
    native="<RoutingPolicyType>SplitTunnel</RoutingPolicyType>",
    rest="",
    eap=EAP,
    method="",
):
    return (
        "<!-- Büro 😀 --><VPNProfile><AlwaysOn>true</AlwaysOn><DnsSuffix>corp.example.net</DnsSuffix>"
        f"<NativeProfile><Servers>vpn.example.net;vpn.example.net</Servers>{native}"
        f"<NativeProtocolType>{protocol}</NativeProtocolType><Authentication>{method}<UserMethod>Eap</UserMethod>"
        f"<Eap><Configuration>{eap}</Configuration></Eap></Authentication>{suite}</NativeProfile>{rest}</VPNProfile>"
    )


def ids(text: str) -> set[str]:
    return {item.id for item in read_profile(text.encode()).findings}


def test_a_profile_as_record():
    rest = (
        "<Route><Address>10.0.0.0</Address><PrefixSize>8</PrefixSize></Route>"
        "<DomainNameInformation><DomainName>.corp.example.net</DomainName><DnsServers>10.0.0.1,10.0.0.2</DnsServers>"
        "</DomainNameInformation><IPv4InterfaceMetric>3</IPv4InterfaceMetric><UseRasCredentials>false</UseRasCredentials>"
        "<AppTrigger><App><Id>x</Id></App></AppTrigger>"
    )
    read = read_profile(profile(rest=rest).encode(), "x.xml")
    assert read.servers == ("vpn.example.net",)
    assert read.ipsec_policy.encryption_method.value == "GCMAES128"
    assert (read.ipv4_interface_metric, read.use_ras_credentials, read.split_dns.verdict) == (3, False, "Yes")
    assert (read.routes[0].address, read.routes[0].prefix_size) == ("10.0.0.0", 8)
    assert read.domain_name_rules[0].dns_servers == ("10.0.0.1", "10.0.0.2")
    assert read.eap.method.server_names == ("nps1.example.net", "nps2.example.net")
    assert read.eap.method.trusted_root_thumbprints == ("0123456789ABCDEF0123456789ABCDEF01234567",)
    assert [method.server_names for method in read.eap.inner_methods] == [("nps3.example.net",)]
    assert read.other_elements == ("AppTrigger", "App", "Id")
    assert read.findings == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (profile(protocol="Automatic"), "CryptographySuiteIgnored"),
        (profile(protocol="IKEv3"), "InvalidValue"),
        (profile(suite=SUITE.replace("Group14", "Group19")), "InvalidValue"),
        (profile(suite=SUITE.replace("<DHGroup>Group14</DHGroup>", "")), "IncompleteCryptographySuite"),
        (profile(native="<RoutingPolicyType>Split</RoutingPolicyType>"), "InvalidValue"),
        (profile(native="<DisableClassBasedDefaultRoute>true</DisableClassBasedDefaultRoute>"), "NoRoutes"),
        (profile(rest="<RegisterDNS>yes</RegisterDNS>"), "InvalidValue"),
        (profile(rest="<IPv4InterfaceMetric>many</IPv4InterfaceMetric>"), "InvalidValue"),
        (profile(rest="<!-- x -->>"), "StrayText"),
        (profile(rest="<DeviceTunnel>true</DeviceTunnel>"), "DeviceTunnelUnsupported"),
        (profile(eap=html.escape(EAP)), "EscapedXml"),
        (html.escape(profile()), "EscapedXml"),
        (
            profile(rest="<DomainNameInformation><DomainName>corp.example.net</DomainName></DomainNameInformation>"),
            "DnsRuleWithoutDot",
        ),
    ],
)
def test_lint(text, name):
    assert name in ids(text)


def test_a_clean_profile_has_a_note_on_split_dns_only():
    assert ids(profile()) == {"SplitDnsUncertain"}
    assert read_profile(html.escape(profile()).encode()).servers == ("vpn.example.net",)
    assert read_profile(profile(eap=html.escape(EAP)).encode()).eap == read_profile(profile().encode()).eap


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>' + profile(rest="&b;")


@pytest.mark.parametrize(
    "text", [BOMB, profile() + "<", "<x/>", "", "<a>" * 10_000, profile(eap=html.escape("<!DOCTYPE x>"))]
)
def test_bombs_and_other_documents_are_format_errors(text):
    with pytest.raises(FormatError):
        read_profile(text.encode())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(profile())), st.binary(max_size=6), st.integers(0, 60))
def test_a_damaged_profile_reads_or_is_a_format_error(at, noise, cut):
    data = profile().encode()
    try:
        read_profile(data[:at] + noise + data[at + cut :])
    except FormatError:
        pass
