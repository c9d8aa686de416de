"""The directory connection against a real domain controller: every way to log on, every refusal, paging, fail-over."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest
from Cryptodome.Hash import MD4

from pkitools.errors import (
    AuthenticationError,
    InputError,
    LogonRefusedError,
    NameResolutionError,
    NoAnswerError,
    RefusedError,
)
from pkitools.models.secret import Secret
from pkitools.protocol.ldap.filters import equals
from pkitools.transport.credentials import AuthMethod, Credentials, DirectoryAddress, Protection
from pkitools.transport.deadline import Deadline
from pkitools.transport.ldap import Directory, Scope
from pkitools.transport.security import ContextOptions, Logon, Target
from tests.lab import samba_dc as lab
from tests.lab.dns_stub import DnsStub
from tests.lab.samba_dc import ALICE, BJOERN, DOMAIN, FQDN, REALM, SambaDC, User

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("kerberos_library")]

SIMPLE, NTLM, KERBEROS = AuthMethod.SIMPLE, AuthMethod.NTLM, AuthMethod.KERBEROS
SEALED, LDAPS, STARTTLS = Protection.SEALED, Protection.LDAPS, Protection.STARTTLS
UPN = f"{ALICE.name}@{DOMAIN}"
NETBIOS = f"AD\\{ALICE.name}"


def nt_hash(user: User) -> Secret:
    return Secret(MD4.new(user.password.encode("utf-16-le")).hexdigest())


def password_of(user: User) -> Secret:
    return Secret(user.password)


def address_of(dc: SambaDC, **changes) -> DirectoryAddress:
    parts = {"domain": DOMAIN, "dns_server": dc.address, "ca_file": dc.ca_file}
    return DirectoryAddress(**{**parts, **changes})


def log_on(address: DirectoryAddress, credentials: Credentials, seconds: float = 20.0) -> Directory:
    """Opens, reads something that an anonymous caller may not read, and closes."""
    with (
        Logon(credentials, address.dns_server) as logon,
        Directory.open(address, logon, Deadline(seconds)) as directory,
    ):
        assert list(directory.search(directory.config_dn, "(objectClass=*)", ["cn"], scope=Scope.BASE))
        return directory


def refused(kind: type[Exception], address: DirectoryAddress, credentials: Credentials):
    with pytest.raises(kind) as caught:
        log_on(address, credentials)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    if credentials.password is not None:
        assert credentials.password.reveal() not in f"{caught.value.message}{caught.value.hint}"
    return caught.value


@pytest.fixture(scope="module")
def aes_keys(samba_dc: SambaDC) -> dict[int, Secret]:
    """Alice's AES keys by enctype, read from the keytab by MIT's klist."""
    from impacket.krb5.keytab import Keytab

    entries = [item.main_part["keyblock"] for item in Keytab(samba_dc.export_keytab(ALICE.name).read_bytes()).entries]
    return {item["keytype"]: Secret(bytes(item["keyvalue"]["data"]).hex()) for item in entries}


# --- the table of ways in, on the strict server ----------------------------------------------------------------------


@pytest.mark.parametrize("user", [UPN, NETBIOS, ALICE.name])
@pytest.mark.parametrize(
    ("method", "asked", "agreed"),
    [
        (SIMPLE, LDAPS, LDAPS),
        (SIMPLE, STARTTLS, STARTTLS),
        (SIMPLE, None, LDAPS),
        (NTLM, None, SEALED),
        (KERBEROS, None, SEALED),
        (None, None, SEALED),
    ],
)
def test_password(samba_dc, user, method, asked, agreed):
    directory = log_on(address_of(samba_dc, protection=asked), Credentials(user, password_of(ALICE), method=method))
    assert directory.protection is agreed
    assert directory.method is (method or KERBEROS)
    assert directory.config_dn == lab.CONFIG_DN
    assert directory.host == FQDN


@pytest.mark.parametrize("method", [SIMPLE, NTLM, KERBEROS])
def test_a_name_with_an_accent(samba_dc, method):
    assert log_on(address_of(samba_dc), Credentials(f"{BJOERN.name}@{DOMAIN}", password_of(BJOERN), method=method))


def test_ntlm_hash(samba_dc):
    directory = log_on(address_of(samba_dc), Credentials(NETBIOS, nt_hash=nt_hash(ALICE)))
    assert (directory.method, directory.protection) == (NTLM, SEALED)


def test_kerberos_with_the_hash(samba_dc):
    assert log_on(address_of(samba_dc), Credentials(UPN, nt_hash=nt_hash(ALICE), method=KERBEROS)).method is KERBEROS


@pytest.mark.parametrize("enctype", [17, 18])
def test_kerberos_aes_key(samba_dc, aes_keys, enctype):
    directory = log_on(address_of(samba_dc), Credentials(UPN, aes_key=aes_keys[enctype]))
    assert (directory.method, directory.protection) == (KERBEROS, SEALED)


def test_kerberos_keytab(samba_dc):
    directory = log_on(address_of(samba_dc), Credentials(UPN, keytab=samba_dc.export_keytab(ALICE.name)))
    assert (directory.method, directory.protection) == (KERBEROS, SEALED)


@pytest.mark.parametrize("form", ["FILE:{path}", "DIR:{path}", "{path}"])
@pytest.mark.parametrize("user", [None, UPN])
def test_kerberos_ticket_that_is_there(samba_dc, tmp_path, monkeypatch, form, user):
    name = form.format(path=tmp_path / "cc")
    if form.startswith("DIR"):
        (tmp_path / "cc").mkdir()
    samba_dc.kinit(ALICE, name)
    monkeypatch.setenv("KRB5CCNAME", name)
    directory = log_on(address_of(samba_dc), Credentials(user, method=KERBEROS if user else None))
    assert (directory.method, directory.protection) == (KERBEROS, SEALED)


def test_kerberos_ticket_in_the_kernel(samba_dc, monkeypatch):
    name = "KEYRING:session:pkitools-lab"
    try:
        samba_dc.kinit(ALICE, name)
    except RuntimeError as error:
        pytest.skip(f"no kernel keyring here: {error}")  # a container may forbid it; nothing to install would help
    monkeypatch.setenv("KRB5CCNAME", name)
    assert log_on(address_of(samba_dc), Credentials()).method is KERBEROS
    subprocess.run(["kdestroy", "-c", name], check=True)


def test_the_domain_comes_from_the_ticket(samba_dc, tmp_path, monkeypatch):
    samba_dc.kinit(ALICE, f"FILE:{tmp_path / 'cc'}")
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'cc'}")
    assert log_on(address_of(samba_dc, domain=None), Credentials()).realm == REALM


@pytest.mark.parametrize("method", [NTLM, KERBEROS])
def test_global_catalog(samba_dc, method):
    directory = log_on(address_of(samba_dc, global_catalog=True), Credentials(UPN, password_of(ALICE), method=method))
    assert directory.protection is SEALED


def test_global_catalog_over_tls(samba_dc):
    address = address_of(samba_dc, global_catalog=True)
    assert log_on(address, Credentials(UPN, password_of(ALICE), method=SIMPLE)).protection is LDAPS


@pytest.mark.parametrize("method", [NTLM, KERBEROS])
@pytest.mark.parametrize("asked", [LDAPS, STARTTLS])
def test_a_strict_server_is_asked_again_with_a_seal(samba_dc, method, asked):
    """This Samba takes no SASL inside TLS at all: the same account on 389, sealed, without the user having to know."""
    address = address_of(samba_dc, protection=asked)
    assert log_on(address, Credentials(UPN, password_of(ALICE), method=method)).protection is SEALED


@pytest.mark.parametrize("asked", [LDAPS, STARTTLS])
@pytest.mark.parametrize("method", [NTLM, KERBEROS])
def test_sasl_inside_tls_with_its_binding(domain_controllers, method, asked):
    twin = domain_controllers.sasl_over_tls
    with twin_dns(twin) as dns:
        address = address_of(twin, protection=asked, dns_server=dns.address)
        directory = log_on(address, Credentials(UPN, password_of(ALICE), method=method))
    assert (directory.method, directory.protection) == (method, asked)


def twin_dns(twin: SambaDC) -> DnsStub:
    """The twin believes that it has the strict server's address: this DNS knows better."""
    return DnsStub(
        {(f"_ldap._tcp.dc._msdcs.{DOMAIN}", "SRV"): [f"0 100 389 {FQDN}."], (FQDN, "A"): [twin.address]},
    )


def test_by_address_ntlm_is_what_is_left(samba_dc):
    directory = log_on(address_of(samba_dc, server=samba_dc.address, domain=None), Credentials(UPN, password_of(ALICE)))
    assert (directory.method, directory.protection) == (NTLM, SEALED)


def test_by_name_the_realm_comes_from_the_server(samba_dc):
    directory = log_on(address_of(samba_dc, server=FQDN, domain=None), Credentials(ALICE.name, password_of(ALICE)))
    assert (directory.method, directory.realm) == (KERBEROS, REALM)


def test_an_unknown_service_name_leaves_ntlm(samba_dc):
    with DnsStub({("alias.ad.example.test", "A"): [samba_dc.address]}) as dns:
        address = address_of(samba_dc, server="alias.ad.example.test", dns_server=dns.address)
        assert log_on(address, Credentials(UPN, password_of(ALICE))).method is NTLM


def test_kerberos_carries_the_binding(samba_dc, monkeypatch):
    """MIT's own acceptor, with the domain controller's keys, takes the right channel and refuses another.

    Samba 4.17 does not look at the binding itself.
    """
    import gssapi

    binding = b"tls-server-end-point:" + bytes(range(48))
    monkeypatch.setenv("KRB5_KTNAME", f"FILE:{samba_dc.export_keytab('DC1$')}")
    monkeypatch.setenv("KRB5RCACHENAME", "none:")
    with Logon(Credentials(UPN, password_of(ALICE)), samba_dc.address) as logon:
        logon.add_kdcs(REALM, [samba_dc.address])
        options = ContextOptions(protect=False, binding=binding, negotiate=False)
        client = logon.initiate(Target("ldap", FQDN, REALM), KERBEROS, options, Deadline(10))
        token = client.step(None, Deadline(10))
        assert token is not None

        def accept(theirs: bytes) -> gssapi.raw.AcceptSecContextResult:
            with logon.kerberos_configuration.applied(Deadline(10)):
                return gssapi.raw.accept_sec_context(
                    token,
                    acceptor_creds=gssapi.Credentials(usage="accept"),
                    channel_bindings=gssapi.raw.ChannelBindings(application_data=theirs),
                )

        with pytest.raises(gssapi.exceptions.BadChannelBindingsError):
            accept(binding[:-1] + b"\xff")
        accepted = accept(binding)
        client.step(accepted.token, Deadline(10))
        assert client.complete
        flags = gssapi.RequirementFlag
        assert not accepted.flags & (flags.integrity | flags.confidentiality)
        assert accepted.flags & flags.mutual_authentication


# --- refusals --------------------------------------------------------------------------------------------------------

REFUSALS = [
    (User("careful", "falsch"), "ERROR_LOGON_FAILURE", "ERROR_LOGON_FAILURE"),
    (lab.EXPIRED, "ERROR_PASSWORD_EXPIRED", "ERROR_PASSWORD_EXPIRED"),
    (lab.MUST_CHANGE, "ERROR_PASSWORD_MUST_CHANGE", "ERROR_PASSWORD_EXPIRED"),
    (lab.DISABLED, "ERROR_ACCOUNT_DISABLED", "ERROR_ACCOUNT_DISABLED"),
    (lab.ACCOUNT_EXPIRED, "ERROR_ACCOUNT_EXPIRED", "ERROR_ACCOUNT_DISABLED"),
    (lab.LOCKED, "ERROR_ACCOUNT_LOCKED_OUT", "ERROR_ACCOUNT_DISABLED"),
]


@pytest.fixture(scope="module")
def locked(samba_dc: SambaDC) -> SambaDC:
    samba_dc.lock_out(lab.LOCKED)
    return samba_dc


@pytest.mark.parametrize(("user", "code", "kerberos_code"), REFUSALS, ids=lambda value: getattr(value, "name", None))
@pytest.mark.parametrize("method", [SIMPLE, NTLM, KERBEROS])
def test_an_account_that_is_refused(locked, user, code, kerberos_code, method):
    """A KDC says one thing for disabled, locked and expired accounts; LDAP tells them apart."""
    credentials = Credentials(f"AD\\{user.name}", password_of(user), method=method)
    error = refused(LogonRefusedError, address_of(locked), credentials)
    assert error.code == (kerberos_code if method is KERBEROS else code)
    assert user.name in error.message
    if user.name == "careful":  # a good logon sets the count to zero for the next test
        log_on(address_of(locked), Credentials("AD\\careful", password_of(lab.CAREFUL), method=NTLM))


def test_a_wrong_password_is_sent_once(samba_dc):
    """Kerberos, NTLM, two protections and a second connection: one try in all, so that nothing gets locked."""
    log_on(address_of(samba_dc), Credentials("AD\\careful", password_of(lab.CAREFUL), method=NTLM))
    assert samba_dc.bad_password_count("careful") == 0
    address = address_of(samba_dc)
    with Logon(Credentials("AD\\careful", Secret("falsch")), address.dns_server) as logon:
        for already in (False, True, True):
            with pytest.raises(LogonRefusedError) as caught:
                Directory.open(address, logon, Deadline(20))
            assert caught.value.hint.startswith("not tried again") is already
    assert samba_dc.bad_password_count("careful") == 1
    log_on(address, Credentials("AD\\careful", password_of(lab.CAREFUL), method=NTLM))


def test_unknown_realm(samba_dc):
    error = refused(
        AuthenticationError,
        address_of(samba_dc),
        Credentials("x@nirgends.test", Secret("unbekannt🔑"), method=KERBEROS),
    )
    assert error.code == "ERROR_NO_SUCH_DOMAIN"


def test_unknown_domain(samba_dc):
    refused(
        NameResolutionError,
        address_of(samba_dc, domain="nirgends.ad.example.test"),
        Credentials(UPN, Secret("unbekannt🔑")),
    )


def test_unknown_service_name(samba_dc):
    with DnsStub({("alias.ad.example.test", "A"): [samba_dc.address]}) as dns:
        address = address_of(samba_dc, server="alias.ad.example.test", dns_server=dns.address)
        error = refused(AuthenticationError, address, Credentials(UPN, password_of(ALICE), method=KERBEROS))
    assert error.code == "SEC_E_TARGET_UNKNOWN"
    assert "KDC_ERR_S_PRINCIPAL_UNKNOWN" in error.message


def test_untrusted_certificate(samba_dc):
    credentials = Credentials(UPN, password_of(ALICE), method=SIMPLE)
    assert refused(RefusedError, address_of(samba_dc, ca_file=None), credentials).code == "CERT_E_UNTRUSTEDROOT"
    by_address = address_of(samba_dc, server=samba_dc.address)
    assert refused(RefusedError, by_address, credentials).code == "CERT_E_CN_NO_MATCH"
    assert log_on(address_of(samba_dc, ca_file=None, verify=False), credentials)


def test_no_ticket(samba_dc, tmp_path, monkeypatch):
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'none'}")
    error = refused(AuthenticationError, address_of(samba_dc), Credentials())
    assert error.code == "SEC_E_NO_CREDENTIALS"
    assert "kinit" in error.hint


def test_kerberos_needs_a_name(samba_dc):
    address = address_of(samba_dc, server=samba_dc.address)
    refused(InputError, address, Credentials(UPN, password_of(ALICE), method=KERBEROS))


def test_a_keytab_without_the_account(samba_dc):
    path = samba_dc.export_keytab(ALICE.name)
    refused(InputError, address_of(samba_dc), Credentials(f"{BJOERN.name}@{DOMAIN}", keytab=path))


def test_a_wrong_configuration_naming_context(samba_dc):
    address = address_of(samba_dc, config_dn="CN=Configuration,DC=nirgends,DC=test")
    assert refused(RefusedError, address, Credentials(UPN, password_of(ALICE))).code == "ERROR_DS_NO_SUCH_OBJECT"


# --- searching -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many_objects(samba_dc: SambaDC) -> str:
    """A container with 2,000 small objects; its DN."""
    base = f"CN=Viele,{lab.BASE_DN}"
    lines = [f"dn: {base}\nobjectClass: container\n"]
    lines += [f"dn: CN=obj-{index:04d} (ü*),{base}\nobjectClass: container\n" for index in range(2000)]
    samba_dc.populate(ldif="\n".join(lines))
    return base


def test_two_thousand_entries_in_pages_of_seven(samba_dc, many_objects):
    address = address_of(samba_dc)
    with Logon(Credentials(UPN, password_of(ALICE), method=NTLM)) as logon:
        with Directory.open(address, logon, Deadline(60)) as directory:
            before = directory.requests
            found = list(directory.search(many_objects, "(cn=obj-*)", ["cn"], page_size=7))
            pages = directory.requests - before
    assert len({entry.dn for entry in found}) == len(found) == 2000
    assert 286 <= pages <= 287


def test_the_same_objects_as_ldapsearch(samba_dc):
    """OpenLDAP's client, another protection and another decoder: the same names and the same values."""
    base = f"CN=Public Key Services,CN=Services,{lab.CONFIG_DN}"
    wanted = ["cn", "displayName", "flags", "msPKI-Cert-Template-OID", "pKIExpirationPeriod", "cACertificate"]
    text = samba_dc.ldap_tool("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", base, "(objectClass=*)", *wanted)
    with Logon(Credentials(UPN, password_of(ALICE), method=NTLM)) as logon:
        with Directory.open(address_of(samba_dc), logon, Deadline(30)) as directory:
            ours = {entry.dn: entry.attributes for entry in directory.search(base, "(objectClass=*)", wanted)}
    assert ours == parse_ldif(text)
    assert len(ours) > 80


def parse_ldif(text: str) -> dict[str, dict[str, tuple[bytes, ...]]]:
    import base64

    objects: dict[str, dict[str, tuple[bytes, ...]]] = {}
    for block in text.strip().split("\n\n"):
        values: dict[str, tuple[bytes, ...]] = {}
        for line in block.splitlines():
            if not line or line.startswith("#"):
                continue
            name, _, value = line.partition(":")
            raw = base64.b64decode(value[2:]) if value.startswith(": ") else value[1:].encode()
            values[name] = (*values.get(name, ()), raw)
        dn = values.pop("dn", None)
        if dn:
            objects[dn[0].decode()] = values
    return objects


def test_descriptors_come_with_their_control_only(samba_dc):
    base = f"CN=Certificate Templates,CN=Public Key Services,CN=Services,{lab.CONFIG_DN}"
    with Logon(Credentials(UPN, password_of(ALICE), method=NTLM)) as logon:
        with Directory.open(address_of(samba_dc), logon, Deadline(30)) as directory:
            asked = list(directory.search(base, "(cn=User)", ["nTSecurityDescriptor"], descriptors=True))
            plain = list(directory.search(base, "(cn=User)", ["nTSecurityDescriptor"]))
    assert len(asked[0].attributes["nTSecurityDescriptor"][0]) > 100
    assert "nTSecurityDescriptor" not in plain[0].attributes


def test_a_search_in_the_domain_follows_no_referral(samba_dc):
    with Logon(Credentials(UPN, password_of(ALICE), method=NTLM)) as logon:
        with Directory.open(address_of(samba_dc), logon, Deadline(30)) as directory:
            assert list(directory.search(lab.BASE_DN, "(objectClass=pKICertificateTemplate)", ["cn"])) == []


def test_groups_of_the_account(samba_dc):
    text = samba_dc.ldap_tool("ldapsearch", "-LLL", "-b", lab.BASE_DN, "(sAMAccountName=VPN-Benutzer)", "objectSid")
    group = next(iter(parse_ldif(text).values()))["objectSid"][0]
    assert group in log_on(address_of(samba_dc), Credentials(UPN, password_of(ALICE), method=NTLM)).token_groups


def test_a_filter_with_every_kind_of_character(samba_dc, many_objects):
    with Logon(Credentials(UPN, password_of(ALICE), method=NTLM)) as logon:
        with Directory.open(address_of(samba_dc), logon, Deadline(30)) as directory:
            found = list(directory.search(many_objects, equals("cn", "obj-0042 (ü*)"), ["cn"]))
    assert [entry.attributes["cn"] for entry in found] == [("obj-0042 (ü*)".encode(),)]


# --- fail-over -------------------------------------------------------------------------------------------------------


def test_a_dead_controller_costs_two_seconds(samba_dc):
    """The first is a socket that accepts and says nothing, the second refuses, the third is alive."""
    records = {
        (f"_ldap._tcp.dc._msdcs.{DOMAIN}", "SRV"): [
            "0 100 389 silent.ad.example.test.",
            "1 100 389 refuses.ad.example.test.",
            f"2 100 389 {FQDN}.",
        ],
        ("silent.ad.example.test", "A"): ["127.0.0.8"],
        ("refuses.ad.example.test", "A"): ["127.0.0.9"],
        (FQDN, "A"): [samba_dc.address],
    }
    with silent_listener("127.0.0.8"), DnsStub(records) as dns:
        started = time.monotonic()
        address = address_of(samba_dc, dns_server=dns.address)
        assert log_on(address, Credentials(UPN, password_of(ALICE), method=NTLM)).host == FQDN
        assert 1.9 < time.monotonic() - started < 5.0


def silent_listener(address: str) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, 389))
    listener.listen(8)
    return listener


def test_all_controllers_dead(samba_dc):
    records = {
        (f"_ldap._tcp.dc._msdcs.{DOMAIN}", "SRV"): ["0 1 389 a.ad.example.test.", "0 1 389 b.ad.example.test."],
        ("a.ad.example.test", "A"): ["127.0.0.9"],
        ("b.ad.example.test", "A"): ["127.0.0.9"],
    }
    with DnsStub(records) as dns:
        error = refused(
            NoAnswerError, address_of(samba_dc, dns_server=dns.address), Credentials(UPN, password_of(ALICE))
        )
    assert error.message.count("127.0.0.9") == 2


def test_the_site_comes_first(samba_dc):
    site = "Default-First-Site-Name"
    directory = log_on(address_of(samba_dc, site=site), Credentials(UPN, password_of(ALICE), method=NTLM))
    assert directory.host == FQDN


def test_no_ticket_stays_behind(samba_dc, tmp_path, monkeypatch):
    """Tickets that pkitools fetched are neither in the user's cache nor in a file, nor in memory after the run."""
    import os

    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'cc'}")
    before = {name: os.environ.get(name) for name in ("KRB5_CONFIG", "KRB5CCNAME")}
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    log_on(address_of(samba_dc), Credentials(UPN, password_of(ALICE), method=KERBEROS))
    assert {name: os.environ.get(name) for name in ("KRB5_CONFIG", "KRB5CCNAME")} == before
    assert list(tmp_path.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) <= descriptors
