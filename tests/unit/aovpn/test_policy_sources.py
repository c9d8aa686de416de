"""Readers of policies: PowerShell's outputs in every form, phonebooks, profiles, configurations and logs."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.aovpn.policy import baseline
from pkitools.aovpn.policy_sources.logs import read_log
from pkitools.aovpn.policy_sources.powershell import read_powershell
from pkitools.aovpn.policy_sources.reading import read_source
from pkitools.aovpn.policy_sources.source import of_policy
from pkitools.aovpn.policy_sources.swan import read_ipsec_conf, read_swanctl
from pkitools.errors import FormatError, InputError, PkiToolsError
from pkitools.models.ipsec import IPsecPolicy
from tests.unit.aovpn.phonebooks import entry, main_lines
from tests.unit.aovpn.test_profile_xml import profile

STANDARD = baseline("aovpn-standard").policy
ENHANCED = baseline("aovpn-enhanced").policy
VALUES = {
    "AuthenticationTransformConstants": "SHA256128",
    "CipherTransformConstants": "AES128",
    "DHGroup": "Group14",
    "EncryptionMethod": "AES128",
    "IntegrityCheckMethod": "SHA256",
    "PFSgroup": "PFS2048",
}
LIST = "\r\n".join(f"{name:<33}: {value} " for name, value in VALUES.items())
EXTRA = "CustomPolicy : True\r\nIdleDisconnect(s) : 300\r\nSALifeTime(s)   : 28800\r\n"
PROMPT = "PS C:\\Users\\Zoë>"
PASTED = f"Server überprüfen 😀\r\n{PROMPT} Get-VpnServerIPsecConfiguration\r\n\r\n\r\n{LIST}\r\n{EXTRA}\r\n{PROMPT}"
SPACED = LIST.replace("\r\n", "\r\n\r\n").upper()
JSON = json.dumps({**VALUES, "Ikev2Ports": 5})
NUMBERS = json.dumps(
    {
        "AuthenticationTransformConstants": 2,
        "CipherTransformConstants": 3,
        "DHGroup": 3,
        "EncryptionMethod": 2,
        "IntegrityCheckMethod": 2,
        "PfsGroup": 3,
    }
)
NESTED = json.dumps(
    [{"Name": "Büro", "IPSecCustomPolicy": {name: {"value": 3, "Value": text} for name, text in VALUES.items()}}]
)
CSV = '#TYPE Cim\r\n"' + '","'.join(VALUES) + '"\r\n"' + '","'.join(VALUES.values()) + '"\r\n'
SEMICOLONS = ";".join(VALUES) + "\n" + ";".join(VALUES.values()) + "\n"
CLIXML = (
    '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj RefId="0"><MS>'
    '<S N="Name">Büro</S>'
    '<Obj N="IPsecCustomPolicy" RefId="1"><Props>'
    + "".join(f'<S N="{name}">{value}</S>' for name, value in VALUES.items())
    + "</Props></Obj></MS></Obj></Objs>"
)


@pytest.mark.parametrize(
    "text", [LIST, PASTED, SPACED, JSON, NUMBERS, NESTED, CSV, SEMICOLONS, CLIXML, PASTED + "\n" + LIST]
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "utf-8-sig", "utf-16-le"])
def test_every_form_of_a_policy_reads_alike(text, codec):
    for client in (True, False):
        source = read_source("x.txt", client=client, data=text.encode(codec))
        assert source.policy == STANDARD
        assert not source.inferred


def test_names_travel_with_the_policy_and_numbers_are_said_to_be_guesses():
    assert read_powershell(NESTED, client=True).name == "Büro"
    assert read_powershell(CLIXML, client=True).name == "Büro"
    notes = read_powershell(NUMBERS, client=True).notes
    assert "DHGroup is the number 3: read as Group14, by the SDK enumeration" in notes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n\r\n",
        "PS C:\\> (Get-VpnConnection 'x').IPsecCustomPolicy\r\nPS C:\\>",
        "[]",
        "Name : x\r\nServerAddress : y\r\n",
    ],
)
def test_an_output_without_policy_is_the_clients_default_inferred(text):
    source = read_powershell(text, client=True)
    assert source.inferred and source.kind == "windows11-default"


@pytest.mark.parametrize(
    "text", ["EncryptionType : OptionalEncryption\r\nIkev2Ports : 128\r\n", '{"CustomPolicy": false}', ""]
)
def test_a_server_without_custom_policy_has_the_default_inferred(text):
    source = read_powershell(text, client=False)
    assert source.inferred and source.kind == "windows-default"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("hello world", "no IPsec policy"),
        (LIST.replace("Group14", "Group19"), "Group19"),
        (LIST.replace("DHGroup", "XHGroup"), "lacks DHGroup"),
        (NUMBERS.replace('"DHGroup": 3', '"DHGroup": 33'), "number 33"),
        (PASTED + "\n" + LIST.replace("AES128", "AES256"), "2 different policies"),
        ('{"a": ', "JSON"),
        ("[" * 100_000, "JSON"),
        ('<!DOCTYPE a []><Objs Version="1.1"/>', "no IPsec policy"),
    ],
)
def test_what_cannot_be_read_is_a_format_error(text, word):
    with pytest.raises(FormatError, match=word):
        read_powershell(text, client=True)


def test_phonebooks_and_profiles_are_clients():
    lines = [*main_lines(NumCustomPolicy="1"), "CustomIPSecPolicies=020000000200000003000000030000000200000003000000"]
    book = (entry("Büro", *lines) + entry("andere")).encode()
    source = read_source("x.pbk", client=True, entry="büro", data=book)
    assert (source.policy, source.name) == (STANDARD, "Büro")
    assert read_source("x.pbk", client=True, entry="andere", data=book).inferred
    with pytest.raises(InputError, match="which of 2 entries"):
        read_source("x.pbk", client=True, data=book)
    with pytest.raises(InputError, match="is a client's"):
        read_source("x.pbk", client=False, entry="andere", data=book)
    assert read_source("x.xml", client=True, data=profile().encode()).policy == ENHANCED
    automatic = read_source("x.xml", client=True, data=profile(protocol="Automatic").encode())
    assert automatic.inferred and "Automatic" in automatic.notes[0]
    assert read_source("x.xml", client=True, data=profile(suite="").encode()).inferred
    with pytest.raises(FormatError, match="Group19"):
        read_source("x.xml", client=True, data=profile().replace("Group14", "Group19").encode())


def test_a_phonebook_policy_with_an_unknown_number_is_refused():
    lines = [*main_lines(NumCustomPolicy="1"), "CustomIPSecPolicies=020000000200000003000000000000000200000003000000"]
    with pytest.raises(FormatError, match="unknown value"):
        read_source("x.pbk", client=True, data=entry("x", *lines).encode())


SWANCTL = """
# comment { with a brace
connections {
  büro { # another
    local_addrs = 192.0.2.1
    proposals = aes128-sha256-modp2048, aes256gcm16-prfsha384-ecp384
    children {
      net { esp_proposals = aes128-sha256-modp2048
        updown = "a { b } c" }
    }
  }
  defaults { children { net { } } }
}
secrets { x { secret = "y" } }
"""
IPSEC = """
conn %default
    esp=aes128-sha256-modp2048!
conn common
    ike=aes128-sha256-modp2048!
conn büro # comment
    also=common
conn libre
    ike=aes128-sha2_256;modp2048
    phase2alg=aes128-sha2_256
conn gcm
    ike=aes_gcm256-sha2_384+sha2_256;dh20+dh19
"""


def test_swanctl():
    source = read_swanctl(SWANCTL, "büro")
    assert set(of_policy(STANDARD, "").ike) < set(source.ike) and len(source.ike) == 2
    assert source.child == of_policy(STANDARD, "").child
    with pytest.raises(InputError, match="which of 2"):
        read_swanctl(SWANCTL)
    with pytest.raises(FormatError, match="names no IKE proposals"):
        read_swanctl(SWANCTL, "defaults")


def test_ipsec_conf_of_strongswan_and_libreswan():
    wanted = of_policy(STANDARD, "")
    source = read_ipsec_conf(IPSEC, "büro")
    assert (source.ike, source.child, source.open_ended) == (wanted.ike, wanted.child, False)
    libre = read_ipsec_conf(IPSEC, "libre")
    assert libre.ike == wanted.ike and libre.open_ended
    gcm = read_ipsec_conf(IPSEC, "gcm")
    assert gcm.ike[0].prfs == {5, 6} and gcm.ike[0].groups == {19, 20} and gcm.ike[0].is_aead


@pytest.mark.parametrize(
    "text",
    ["connections { x { proposals = nonsense99 } }", "connections { x {", "connections { } } }", "connections {" * 50],
)
def test_broken_configurations(text):
    with pytest.raises(PkiToolsError):
        read_swanctl(text)


PLUTO = """
Nov 25 09:30:00 vpn pluto[1]: "aovpn": local IKE proposals (IKE SA responder matching remote proposals):
Nov 25 09:30:00 vpn pluto[1]: "aovpn":   1:IKE=AES_CBC_128-HMAC_SHA2_256-HMAC_SHA2_256_128-MODP2048
Nov 25 09:30:00 vpn pluto[1]: "aovpn":   2:IKE=AES_GCM_C_256-HMAC_SHA2_384+HMAC_SHA2_256-NONE-ECP_384
Nov 25 09:30:00 vpn pluto[1]: "aovpn"[1] 192.0.2.7 #1: no local proposal matches remote proposals \
1:IKE:ENCR=3DES;PRF=HMAC_SHA1;INTEG=HMAC_SHA1_96;DH=MODP1024 \
2:IKE:ENCR=AES_CBC_256;PRF=HMAC_SHA1;INTEG=HMAC_SHA1_96;DH=MODP1024
"""


def test_plutos_log_holds_both_sides():
    client, server = read_log(PLUTO, client=True), read_log(PLUTO, client=False)
    assert [sorted(item.ciphers) for item in client.ike] == [[(3, None)], [(12, 256)]]
    assert client.ike[0].groups == {2} and client.ike[0].prfs == {2} and client.ike[0].integs == {2}
    assert server.ike[0] == of_policy(STANDARD, "").ike[0]
    assert server.ike[1].prfs == {5, 6} and server.ike[1].groups == {20} and not server.ike[1].integs


def test_plutos_chosen_proposal_is_no_offer():
    text = (
        'pluto[1]: "x" #1: proposal 1:IKE=AES_CBC_256-HMAC_SHA1-MODP2048 chosen from remote proposals '
        "1:IKE:ENCR=AES_CBC_128;PRF=HMAC_SHA2_256;INTEG=HMAC_SHA2_256_128;DH=MODP2048[first-match]\n"
        'pluto[1]: "x" #2: proposal 1:ESP=AES_CBC_128-HMAC_SHA2_256_128-DISABLED SPI=1 chosen from remote proposals '
        "1:ESP:ENCR=AES_CBC_128;INTEG=HMAC_SHA2_256_128;ESN=DISABLED[first-match]\n"
    )
    source = read_log(text, client=True)
    assert source.ike == of_policy(STANDARD, "").ike
    assert source.child is not None and source.child[0].integs == {12}


def test_an_initiators_log_of_charon_gives_its_own_offers():
    text = "[CFG] configured proposals: IKE:AES_CBC_128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048\n"
    assert read_log(text, client=True).ike == of_policy(STANDARD, "").ike
    with pytest.raises(FormatError):
        read_log(text, client=False)


def test_objects_that_hold_each_other_many_times_end():
    refs = '<Ref RefId="0"/>' * 200
    text = f'<Objs Version="1.1.0.1"><Obj RefId="0"><LST>{refs}</LST></Obj></Objs>'
    with pytest.raises(FormatError, match="no IPsec policy"):
        read_powershell(text, client=True)


def doubling(number: int) -> str:
    """What stands in the collection of one level: the level below, twice."""
    return f'<Ref RefId="{number}"/>' * 2 if number else "<S>x</S>"


@pytest.mark.parametrize(
    "value",
    [
        '<Obj N="DHGroup" RefId="a"><Ref RefId="a"/></Obj>',
        '<Ref N="DHGroup" RefId="40"/>',
        '<LST N="DHGroup"><Ref RefId="40"/></LST>',
        '<DCT N="DHGroup"><En><S N="Key">Value</S><Ref N="Value" RefId="40"/></En></DCT>',
    ],
)
def test_a_value_that_is_no_word_is_refused_however_it_is_nested(value):
    levels = "".join(f'<Obj RefId="{level}"><LST>{doubling(level - 1)}</LST></Obj>' for level in range(1, 41))
    words = "".join(f'<S N="{name}">{text}</S>' for name, text in VALUES.items() if name != "DHGroup")
    text = f'<Objs Version="1.1.0.1">{levels}<Obj RefId="p"><MS>{words}{value}</MS></Obj></Objs>'
    with pytest.raises(FormatError, match="DHGroup"):
        read_powershell(text, client=True)


@pytest.mark.parametrize("text", ["DHGroup" + " " * 200_000 + "x", "\n" * 200_000 + "x", "connections " * 20_000])
def test_long_nothing_is_nothing_soon(text):
    with pytest.raises(FormatError):
        read_source("x", client=True, data=text.encode())


EVERYTHING = (PASTED, JSON, CSV, CLIXML, SWANCTL, IPSEC, PLUTO, profile(), entry("x"))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(EVERYTHING), st.floats(0, 1), st.binary(max_size=8), st.integers(0, 80), st.booleans())
def test_damaged_sources_read_or_are_errors_of_ours(text, place, noise, cut, client):
    data = text.encode()
    at = int(place * len(data))
    try:
        source = read_source("x", client=client, data=data[:at] + noise + data[at + cut :])
    except PkiToolsError:
        return
    assert source.ike
    assert source.policy is None or isinstance(source.policy, IPsecPolicy)


def test_the_same_proposal_many_times_is_one_and_too_many_are_refused():
    once, often = (
        f"connections {{ a {{ proposals = {'aes128-sha256-modp2048,' * count} }} }}" for count in (1, 20_000)
    )
    assert read_swanctl(often).ike == read_swanctl(once).ike
    many = ",".join(f"aes128-sha256-modp{number}" for number in range(2000))
    with pytest.raises(FormatError, match="512"):
        read_swanctl(f"connections {{ a {{ proposals = {many} }} }}")
