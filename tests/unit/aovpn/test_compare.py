"""compare-ipsec: verdicts, hidden PRF, PFS, causes in order, commands that mend both sides."""

from dataclasses import replace

import pytest

from pkitools.aovpn.compare import compare_ipsec, compare_sources
from pkitools.aovpn.policy import baseline
from pkitools.aovpn.policy_commands import client_commands, profile_xml
from pkitools.aovpn.policy_sources.source import of_named, of_policy
from pkitools.aovpn.policy_sources.swan import read_swanctl
from pkitools.aovpn.profile_xml import read_profile
from pkitools.errors import InputError
from pkitools.models.ipsec import DHGroup, EncryptionMethod, IntegrityCheckMethod, PfsGroup
from pkitools.models.ipsec_comparison import FieldVerdict, TunnelVerdict
from pkitools.models.outcome import Severity

STANDARD, ENHANCED = baseline("aovpn-standard").policy, baseline("aovpn-enhanced").policy


def compared(client, server):
    return compare_sources(of_policy(client, "client", name="Büro 'VPN'"), of_policy(server, "server"))


def by_name(result):
    return {item.name: item for item in result.fields}


def test_equal_policies_match():
    result = compared(ENHANCED, ENHANCED)
    assert result.verdict is TunnelVerdict.MATCH
    assert {item.verdict for item in result.fields} == {FieldVerdict.EQUAL}
    assert result.findings == () and result.client_commands == () and result.server_commands == ()
    assert "Strong" in result.causes[0]


def test_the_prf_that_gcm_hides_is_compared():
    result = compared(replace(ENHANCED, integrity_check_method=IntegrityCheckMethod.SHA384), ENHANCED)
    assert result.verdict is TunnelVerdict.IKE_MISMATCH
    field = by_name(result)["IntegrityCheckMethod"]
    assert field.verdict is FieldVerdict.DIFFERENT and "PRF" in field.note
    assert (field.client, field.server) == (("SHA384",), ("SHA256",))


def test_pfs_alone_is_a_warning_and_the_tunnel_comes_up():
    result = compared(replace(STANDARD, pfs_group=PfsGroup.ECP384), STANDARD)
    assert result.verdict is TunnelVerdict.MATCH
    assert [(item.id, item.severity) for item in result.findings] == [("PfsDiffers", Severity.WARNING)]
    assert result.client_commands


def test_pfsmm_is_the_group_of_the_ike_sa():
    mm = replace(STANDARD, pfs_group=PfsGroup.PFSMM)
    assert compared(mm, STANDARD).findings == ()
    assert compared(replace(mm, dh_group=DHGroup.GROUP14), mm).findings == ()


def test_causes_come_in_the_order_of_the_negotiation():
    client = replace(STANDARD, dh_group=DHGroup.GROUP2, encryption_method=EncryptionMethod.AES256)
    causes = compared(client, ENHANCED).causes
    assert [cause.split(":")[0] for cause in causes] == [
        *["the IKE policy"] * 2,
        *["the child policy"] * 2,
        "the NPS network policy",
    ]
    assert "DHGroup is Group2 on the client and Group14 on the server" in causes[1]


def test_the_commands_bring_either_side_to_the_other():
    result = compared(STANDARD, ENHANCED)
    (command,) = result.client_commands
    assert command.startswith("Set-VpnConnectionIPsecConfiguration -ConnectionName 'Büro ''VPN''' ")
    assert "-EncryptionMethod GCMAES128" in command and "-PfsGroup ECP256" in command
    assert result.server_commands[0].startswith("Set-VpnServerConfiguration -TunnelType IKEv2 -CustomPolicy ")
    assert "-EncryptionMethod AES128 " in result.server_commands[0]
    suite = result.client_profile_xml
    profile = (
        f"<VPNProfile><NativeProfile><NativeProtocolType>IKEv2</NativeProtocolType>{suite}</NativeProfile></VPNProfile>"
    )
    assert read_profile(profile.encode()).ipsec_policy == ENHANCED


def test_a_value_that_the_csp_has_no_word_for_gives_no_profile():
    assert profile_xml(replace(STANDARD, pfs_group=PfsGroup.NONE)) is None
    assert "None" in client_commands(replace(STANDARD, pfs_group=PfsGroup.NONE), "x")[0]


def test_typographic_quotes_cannot_end_the_name():
    (command,) = client_commands(STANDARD, "a’; Remove-Item b")
    assert "'a’’; Remove-Item b'" in command


def test_defaults_against_baselines():
    default = of_named(baseline("windows11-default"))
    result = compare_sources(default, of_policy(ENHANCED, "server"))
    assert result.verdict is TunnelVerdict.IKE_MISMATCH
    assert by_name(result)["DHGroup"].verdict is FieldVerdict.DIFFERENT
    assert by_name(result)["EncryptionMethod"].verdict is FieldVerdict.COMMON
    assert result.server_commands == () and result.client_commands
    both = compare_sources(default, of_named(baseline("windows-default")))
    assert both.verdict is TunnelVerdict.MATCH
    assert [item.id for item in both.findings] == ["WeakPolicy"]
    assert both.findings[0].severity is Severity.NOTE


def test_an_invisible_child_policy_is_said():
    server = replace(of_policy(ENHANCED, "IKE probe"), child=None, policy=None)
    result = compare_sources(of_policy(ENHANCED, "client"), server)
    assert result.verdict is TunnelVerdict.IKE_ONLY
    assert by_name(result)["CipherTransformConstants"].verdict is FieldVerdict.NOT_VISIBLE
    assert [item.id for item in result.findings] == ["ChildNotVisible"]
    mended = compare_sources(of_policy(STANDARD, "client"), server)
    assert "-EncryptionMethod GCMAES128" in mended.client_commands[0]
    assert "-CipherTransformConstants AES128 " in mended.client_commands[0]


def test_a_strongswan_server_gets_strongswan_lines():
    children = "children { y { esp_proposals = aes256-sha512 } }"
    text = f"connections {{\n x {{\n proposals = aes256-sha512-modp4096\n {children} }} }}\n"
    result = compare_sources(of_policy(STANDARD, "client"), read_swanctl(text))
    assert result.server_commands == (
        "proposals = aes128-sha256-modp2048",
        "esp_proposals = aes128-sha256-modp2048",
    )
    assert result.client_commands == ()
    assert by_name(result)["DHGroup"].server == ("MODP_4096",)
    assert by_name(result)["IntegrityCheckMethod"].server == ("integrity HMAC_SHA2_512_256", "PRF SHA512")


def test_a_server_that_takes_nothing():
    server = replace(of_policy(STANDARD, "IKE probe"), ike=(), child=None, policy=None)
    result = compare_sources(of_policy(STANDARD, "client"), server)
    assert result.verdict is TunnelVerdict.IKE_MISMATCH
    assert "none that the other" in result.causes[0]


@pytest.mark.parametrize(
    ("client", "server", "code"),
    [
        ("aovpn-standard", "AOVPN-Standard", 0),
        ("windows11-default", "windows-default", 0),
        ("aovpn-standard", "aovpn-enhanced", 1),
    ],
)
def test_exit_codes(client, server, code):
    assert compare_ipsec(client, server).status.exit_code == code


@pytest.mark.parametrize("sides", [("-", "-"), ("no-such-name", "aovpn-standard")])
def test_what_is_no_source(sides):
    with pytest.raises(InputError):
        compare_ipsec(*sides)
