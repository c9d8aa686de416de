"""get-ca, get-ca-template and ping-ca on a CA of the lab's directory that answers, with Kerberos and with NTLM."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pkitools.protocol.dcom import ids
from pkitools.protocol.dcom.ids import Interface
from pkitools.transport.dcom import mapped_ports
from pkitools.transport.deadline import Deadline
from pkitools.transport.rpc import RpcConnection
from tests.lab import pki_lab
from tests.lab.ca_standin import CaData, CaStandin, Faults, Template
from tests.lab.pki_directory import LabCA, enrollment_service
from tests.lab.programs import require_program
from tests.lab.samba_dc import ALICE, BASE_DN, SambaDC, User

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="port 135 needs root"),
]

ADDRESS = "127.0.0.64"
HOST = "ca9.ad.example.test"
SERVER = "dc1.ad.example.test"
NAME = "Lebende CA"
SERVICE = User("ca9service", "Passw0rd-Ca9-service")


@dataclass
class Live:
    dc: SambaDC
    ca: CaData
    faults: Faults
    server: CaStandin

    def run(self, *arguments: str, auth: str = "kerberos", text: str = "", code: int = 0) -> str:
        environment = {**os.environ, "LAB_PASSWORD": ALICE.password, "KRB5_CONFIG": str(self.dc.krb5_conf)}
        user = "alice@ad.example.test" if auth == "kerberos" else "AD\\alice"
        command = [sys.executable, "-m", "pkitools", *arguments, "--server", SERVER, "--dns", self.dc.address]
        command += ["--user", user, "--password-env", "LAB_PASSWORD", "--timeout", "10"]
        command += ["--auth", auth] if auth else []
        done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", env=environment, check=False)
        assert done.returncode == code, (done.returncode, done.stdout[-1500:], done.stderr)
        return done.stdout

    def records(self, *arguments: str, **options: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run(*arguments, "-o", "json", **options))
        return found


@pytest.fixture(scope="module")
def live(samba_dc: SambaDC, kerberos_library: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A CA whose service account has the SPN of its host in the real KDC, and its object in the real directory."""
    service = enrollment_service(LabCA(NAME, NAME, HOST, templates=("User", "Machine")))
    samba_dc.populate(users=(SERVICE,))
    pki_lab.add(samba_dc, [service])
    samba_dc.add_dns_record("ca9", "A", ADDRESS)
    change = tmp_path_factory.mktemp("ldif") / "spn.ldif"
    change.write_text(
        f"dn: CN={SERVICE.name},CN=Users,{BASE_DN}\nchangetype: modify\nadd: servicePrincipalName\n"
        f"servicePrincipalName: host/{HOST}\n-\nreplace: msDS-SupportedEncryptionTypes\n"
        "msDS-SupportedEncryptionTypes: 24\n"
    )
    samba_dc.ldap_tool("ldapmodify", "-f", str(change))
    users = Path(tmp_path_factory.mktemp("ntlm") / "users")
    users.write_text(f"AD:alice:{ALICE.password}\n", "utf-8")
    ca = CaData(name=NAME, dns_name=HOST, templates=[Template("User", "1.2"), Template("Machine", "1.3")])
    ca.rights = {"ad\\alice": 0x300, "alice@ad.example.test": 0x300}
    faults = Faults()
    keytab = samba_dc.export_keytab(SERVICE.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KRB5_KTNAME", f"FILE:{keytab}")
        patch.setenv("KRB5_CONFIG", str(samba_dc.krb5_conf))
        with CaStandin(ca, faults, address=ADDRESS, mapper_port=135, users_file=str(users)) as server:
            yield Live(samba_dc, ca, faults, server)
    pki_lab.remove(samba_dc, [service])


@pytest.fixture(autouse=True)
def fresh(live: Live) -> None:
    live.faults.__dict__.update(Faults().__dict__)
    live.ca.templates = [Template("User", "1.2"), Template("Machine", "1.3")]
    live.ca.ca_type = 1
    live.server.log.clear()


@pytest.mark.parametrize(("auth", "trips"), [("kerberos", 11), ("ntlm", 9)])
def test_ping_with_both_methods(live: Live, auth: str, trips: int) -> None:
    (record,) = live.records("ping-ca", f"{HOST}\\{NAME}", "--explain", auth=auth)
    assert (record["ICertRequest"], record["ICertAdmin"]) == (True, True)
    assert record["Authentication"].lower() == auth
    assert record["RoundTrips"] <= trips
    assert {entry["auth"] for entry in live.server.log if entry.get("auth")} == {(16 if auth == "kerberos" else 10, 6)}
    assert {entry["level"] for entry in live.server.log if "level" in entry} == {6}


@pytest.mark.parametrize("auth", ["kerberos", "ntlm"])
def test_a_host_that_takes_spnego_alone(live: Live, auth: str) -> None:
    live.faults.only_spnego = True
    (record,) = live.records("ping-ca", f"{HOST}\\{NAME}", auth=auth)
    assert (record["ICertRequest"], record["ICertAdmin"]) == (True, True)
    assert record["Authentication"].lower() == auth
    assert (9, 6) in {entry["auth"] for entry in live.server.log if entry.get("auth")}


def test_a_name_and_a_wildcard_are_looked_up_and_get_kerberos_alone(live: Live) -> None:
    for target in (NAME, "Lebende*"):
        (record,) = live.records("ping-ca", target, auth="")
        assert (record["ConfigString"], record["ICertRequest"]) == (f"{HOST}\\{NAME}", True)
        assert record["Authentication"] == "Kerberos"


def test_get_ca_pipes_into_ping_ca(live: Live) -> None:
    text = live.run("get-ca", "--name", "Lebende*", "-o", "json")
    (record,) = live.records("ping-ca", "-", text=text)
    assert record["ICertRequest"] is True


def test_get_ca_shows_what_the_ca_says(live: Live) -> None:
    live.ca.ca_type = 0
    (record,) = live.records("get-ca", "--name", "Lebende*", code=1)
    assert record["IsAccessible"] is True
    assert record["Type"] == "Enterprise Root CA"
    assert [item["Id"] for item in record["Findings"]] == ["TypeDisagrees"]
    assert record["State"]["Roles"] == ["READ", "ENROLL"]
    assert record["State"]["Certificates"][0]["State"] == "Valid"
    assert (record["ServiceStatus"], record["ServiceStatusReason"]["Code"]) == ("Unknown", "ERROR_ACCESS_DENIED")


def test_service_status_for_an_administrator(live: Live) -> None:
    live.ca.admins = frozenset(live.ca.rights)
    try:
        (record,) = live.records("get-ca", "--name", "Lebende*", code=1 if live.ca.ca_type == 0 else 0)
        assert record["ServiceStatus"] == "Running"
    finally:
        live.ca.admins = frozenset()


def test_a_ca_that_refuses_is_a_property_with_its_reason(live: Live) -> None:
    live.faults.activate_hresult = {"request": 0x80040154}
    (record,) = live.records("get-ca", "--name", "Lebende*")
    assert record["IsAccessible"] is False
    assert record["IsAccessibleReason"]["Code"] == "REGDB_E_CLASSNOTREG"


def test_hosts_that_the_directory_names_get_no_ntlm_unasked(live: Live) -> None:
    """alice's password would do for NTLM; without --auth ntlm only Kerberos is tried."""
    live.records("get-ca", "--name", "Lebende*", auth="")
    assert {entry["auth"][0] for entry in live.server.log if entry.get("auth")} <= {16}


def test_live_templates_are_held_against_the_directory(live: Live) -> None:
    (record,) = live.records("get-ca-template", "Lebende*")
    assert (record["IsLive"], record["Findings"]) == (True, [])
    live.ca.templates = [Template("User", "1.2"), Template("Neu", "1.4")]
    (record,) = live.records("get-ca-template", "Lebende*", code=1)
    assert [item["Id"] for item in record["Findings"]] == ["TemplateNotOnCA", "TemplateNotInDirectory"]
    (record,) = live.records("get-ca-template", "Lebende*", "--directory-only")
    assert record["IsLive"] is None


def test_wrong_password_reaches_the_kdc_once(live: Live) -> None:
    environment = {**os.environ, "LAB_PASSWORD": "wrong", "KRB5_CONFIG": str(live.dc.krb5_conf)}
    before = live.dc.bad_password_count("alice")
    command = [sys.executable, "-m", "pkitools", "ping-ca", f"{HOST}\\{NAME}", f"{HOST}\\Other", HOST]
    command += ["--user", "alice@ad.example.test", "--password-env", "LAB_PASSWORD", "--dns", live.dc.address]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)
    assert done.returncode == 4, done.stdout + done.stderr
    assert live.dc.bad_password_count("alice") <= before + 1
    assert "wrong" not in done.stderr


def test_a_kdc_that_knows_no_such_host_is_not_the_ca_that_denies(live: Live) -> None:
    target = f"ca8.ad.example.test\\{NAME}"
    (record,) = live.records("ping-ca", target, "--address", ADDRESS, code=4)
    assert (record["Reason"]["Id"], record["Reason"]["Code"]) == ("LogonFailed", "SEC_E_TARGET_UNKNOWN")
    assert record["Request"]["Stage"] == "auth"
    assert (record["RpcAlive"], record["ServiceRegistered"]) == (True, True)
    assert not live.server.calls().count("RemoteCreateInstance")


def test_a_clock_that_is_wrong_is_named(live: Live, kerberos_library: None) -> None:
    """The real KDC refuses a preauthentication that is an hour off."""
    require_program("faketime")
    environment = {**os.environ, "LAB_PASSWORD": ALICE.password, "KRB5_CONFIG": str(live.dc.krb5_conf)}
    environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
    command = ["faketime", "-f", "+1h", sys.executable, "-m", "pkitools", "ping-ca", f"{HOST}\\{NAME}", "-o", "json"]
    command += ["--user", "alice@ad.example.test", "--password-env", "LAB_PASSWORD", "--dns", live.dc.address]
    command += ["--auth", "kerberos"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)
    (record,) = json.loads(done.stdout)
    assert (done.returncode, record["Reason"]["Code"]) == (4, "SEC_E_TIME_SKEW"), done.stdout


def test_sambas_own_endpoint_mapper_answers(live: Live) -> None:
    """A server that is not ours: a tower that it maps, one that it does not know, and no DCOM at all."""
    drsuapi = Interface("drsuapi", UUID("e3514235-4b06-11d1-ab04-00c04fc2dcd2"), 4, 0)
    deadline = Deadline(20)
    ports = mapped_ports(live.dc.address, 135, drsuapi, deadline)
    assert ports
    with RpcConnection(live.dc.address, ports[0], deadline) as connection:
        connection.bind((drsuapi,))
        assert connection.offers(drsuapi)
    assert mapped_ports(live.dc.address, 135, ids.ICERT_PASSAGE, deadline) == ()
    (record,) = live.records("ping-ca", SERVER, auth="ntlm", code=5)
    assert (record["Reason"]["Id"], record["ServiceRegistered"]) == ("NotAnRpcHost", False)
