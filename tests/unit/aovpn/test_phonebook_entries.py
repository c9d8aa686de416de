"""Entries as records: policies, EAP settings, names, and what is said about them."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.aovpn.client_policy import pack_policy, unpack_policy
from pkitools.aovpn.eap import read_custom_auth_data
from pkitools.aovpn.phonebook_entries import read_entries
from pkitools.aovpn.policy import baseline
from pkitools.errors import FormatError, InputError
from pkitools.models.ipsec import AuthenticationTransformConstants, CipherTransformConstants, IPsecPolicy
from tests.unit.aovpn.phonebooks import BOOK, entry, main_lines

# Four values that were published independently, each with the policy that its source says it stands for.
PUBLISHED = {
    "020000000400000003000000050000000200000000000000": "SHA256 AES256 Group14 AES256 SHA256128 None",
    "020000000200000003000000030000000200000003000000": "SHA256 AES128 Group14 AES128 SHA256128 PFS2048",
    "030000000600000005000000080000000500000005000000": "SHA384 GCMAES256 ECP384 GCMAES256 GCMAES256 ECP384",
    "030000000400000002000000050000000200000000000000": "SHA384 AES256 Group2 AES256 SHA256128 None",
}


def words(policy: IPsecPolicy) -> str:
    members = (
        *(policy.integrity_check_method, policy.encryption_method, policy.dh_group),
        *(policy.cipher_transform_constants, policy.authentication_transform_constants, policy.pfs_group),
    )
    return " ".join(member.value for member in members)


@pytest.mark.parametrize(("text", "meaning"), PUBLISHED.items())
def test_published_policies_read_as_their_sources_say(text, meaning):
    codes, policy, notes = unpack_policy(bytes.fromhex(text))
    assert words(policy) == meaning
    assert notes == ()
    assert pack_policy(policy) == bytes.fromhex(text)


def test_values_nobody_published_are_named_with_a_note_and_unknown_ones_are_not():
    policy = baseline("aovpn-enhanced").policy
    _codes, read, notes = unpack_policy(pack_policy(policy))
    assert read == policy
    assert "EncryptionMethod 5 is GCMAES128 by the SDK enumeration" in notes
    codes, none, notes = unpack_policy(struct.pack("<6I", 2, 4, 3, 0, 2, 0))
    assert none is None and codes[3] == 0
    assert notes == ("CipherTransformConstants 0 is in no SDK enumeration",)
    with pytest.raises(FormatError):
        unpack_policy(b"\0" * 20)
    with pytest.raises(InputError):
        pack_policy(
            IPsecPolicy(
                AuthenticationTransformConstants.NONE,
                CipherTransformConstants.NONE,
                policy.dh_group,
                policy.integrity_check_method,
                policy.pfs_group,
                policy.encryption_method,
            )
        )


def test_an_entry_as_record():
    lines = main_lines(NumCustomPolicy="1", IpInterfaceMetric="3")
    lines.insert(12, "CustomIPSecPolicies=020000000400000003000000050000000200000000000000")
    (read,) = read_entries(entry("Büro VPN 😀", *lines).encode(), "x.pbk")
    assert (read.name, read.path, read.line, read.vpn_strategy) == ("Büro VPN 😀", "x.pbk", 1, "Ikev2First")
    assert words(read.ipsec_policy) == PUBLISHED["020000000400000003000000050000000200000000000000"]
    assert (read.split_dns.verdict, read.split_tunneling, read.use_ras_credentials) == ("Yes", True, True)
    assert read.servers == ("vpn.example.net",)
    assert read.device_tunnel is None
    assert read.findings == ()


@pytest.mark.parametrize(
    ("metric", "remote", "verdict"),
    [("0", "0", "Uncertain"), ("5", "0", "Uncertain"), ("4", "0", "Yes"), ("0", "1", "ForceTunnel")],
)
def test_split_dns(metric, remote, verdict):
    (read,) = read_entries(entry("x", *main_lines(IpInterfaceMetric=metric, IpPrioritizeRemote=remote)).encode())
    assert read.split_dns.verdict == verdict


def test_damage_is_said_and_not_guessed():
    lines = [*main_lines(NumCustomPolicy="1", IpInterfaceMetric="three"), "CustomIPSecPolicies=0g", "VpnStrategy=7"]
    found = read_entries((entry("VPN", *lines) + entry("vpn")).encode())
    ids = {finding.id for finding in found[0].findings}
    assert {"NotHex", "NotANumber", "IPsecPolicyUnreadable", "DuplicateKey", "DuplicateEntry"} <= ids
    assert found[0].ipsec_policy is None and found[0].ipv4_interface_metric is None


def test_peap_with_eap_tls_inside():
    root, names = bytes(range(20)), "nps1.example.net;nps2.example.net".encode("utf-16-le")
    server = struct.pack("<II", 1, 20) + root + names + b"\0\0"
    inner = struct.pack("<III", 13, 2, 12 + len(server)) + server
    blob = b"1DBC" + struct.pack("<IIII", 25, 0, 1, 0) + server + struct.pack("<II", 1, len(inner)) + inner
    eap = read_custom_auth_data(25, blob + bytes.fromhex("FE0006000100FD001800") + bytes(range(20, 40)))
    assert eap.method.name == "PEAP" and eap.inner_methods[0].name == "EAP-TLS"
    for method in (eap.method, *eap.inner_methods):
        assert method.trusted_root_thumbprints == (root.hex().upper(),)
        assert method.server_names == ("nps1.example.net", "nps2.example.net")
    assert eap.issuer_filter == (bytes(range(20, 40)).hex().upper(),)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 300), st.binary(max_size=600))
def test_any_blob_gives_settings(kind, blob):
    assert read_custom_auth_data(kind, blob).raw_data == blob


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1500), st.binary(max_size=40))
def test_any_damage_gives_entries_or_a_format_error(at, noise):
    data = BOOK.encode()
    try:
        read_entries(data[:at] + noise + data[at + len(noise) :])
    except FormatError:
        pass


@pytest.mark.corpus
def test_the_entries_of_a_real_always_on_vpn(corpus):
    (read,) = read_entries((corpus / "rasphone" / "always-on-vpn-pbversion8.pbk").read_bytes())
    assert (read.name, read.pb_version, read.vpn_strategy) == ("Office AlwaysOn VPN", 8, "SstpFirst")
    assert (read.always_on, read.device_tunnel, read.network_outage_time) == (True, False, 0)
    assert read.trusted_networks == ("example-corporate.net",)
    assert read.dns_suffix_search_list == ("example-corporate.net",)
    assert read.nrpt_suffixes == (".example-corporate.net", ".lab.int")
    names = ("corp-rad-prod01.example-corporate.net", "corp-rad-prod02.example-corporate.net")
    assert read.eap.method.server_names == names
    assert [method.name for method in read.eap.inner_methods] == ["EAP-TLS"]
    assert read.eap.inner_methods[0].server_names == names
    assert read.eap.issuer_filter == ("0123456789ABCDEF0123456789ABCDEF01234567",)


@pytest.mark.corpus
def test_the_entries_of_a_real_chinese_phonebook(corpus):
    first, second = read_entries((corpus / "rasphone" / "zh-cn-pbversion1-and-5.pbk").read_bytes())
    assert (first.name, first.pb_version, first.eap) == ("宽带连接", 1, None)
    assert (second.name, second.pb_version, second.vpn_strategy) == ("vpn.lab.me", 5, "Ikev2Only")
    assert second.eap.method.name == "EAP-MSCHAPv2"
    assert second.network_outage_time == 1800 and second.disable_mobility is True


def test_thousands_of_namesakes_are_read_soon():
    # compared each with each, so many would take minutes
    found = read_entries(b"[x]\r\n" * 20_000)
    assert len(found) == 20_000
    assert all("DuplicateEntry" in {item.id for item in entry.findings} for entry in (found[0], found[-1]))
