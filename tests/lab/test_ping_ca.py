"""ping-ca against the stand-in CA: every fault gives its stage, code, cause and hint; no attack gives a healthy CA."""

from __future__ import annotations

import gc
import json
import os
import random
import socket
import subprocess
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from pkitools.adcs.ca_session import REQUEST, CaSession, StepError
from pkitools.adcs.ca_state import read_state
from pkitools.adcs.ping import parse_config
from pkitools.adcs.ping_causes import TABLE
from pkitools.adcs.ping_many import PingOptions, ping_many, ping_one
from pkitools.adcs.service_status import read_service_status
from pkitools.cli.main import run
from pkitools.models.ca_ping import CaPing
from pkitools.models.outcome import Outcome, Severity, Status
from pkitools.models.secret import Secret
from pkitools.transport.credentials import AuthMethod, Credentials
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.rpc_security import RpcLogon
from pkitools.transport.security import Logon
from tests.lab.ca_standin import CaData, CaStandin, Faults, Template
from tests.lab.programs import require_program

pytestmark = pytest.mark.lab

PASSWORD = "Pässwörd1 \U0001f511"
NAME = "Lab Issuing CA"
RIGHTS = {"lab\\admin": 0x303, "lab\\zoë": 0x200, "lab\\reader": 0x100}


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ntlm") / "users"
    path.write_text(f"LAB:zoë:{PASSWORD}\nLAB:admin:{PASSWORD}\nLAB:reader:{PASSWORD}\n", "utf-8")
    return str(path)


def logon_as(user: str = "admin", password: str = PASSWORD) -> Logon:
    return Logon(Credentials(f"LAB\\{user}", Secret(password), method=AuthMethod.NTLM))


def ping(
    server: CaStandin, target: str = f"localhost\\{NAME}", *, logon: Logon | None = None, **options: object
) -> Outcome[CaPing]:
    address = server.mapper.getsockname()[0]
    settings = {"timeout": 3.0, "address": address, "mapper_port": server.mapper_port, **options}
    return ping_one(parse_config(target), logon or logon_as(), PingOptions(**settings))  # type: ignore[arg-type]


def standin(users: str, faults: Faults | None = None, **ca: object) -> CaStandin:
    return CaStandin(CaData(rights=RIGHTS, **ca), faults, users_file=users)  # type: ignore[arg-type]


def test_healthy_ca(users):
    with standin(users) as server:
        outcome = ping(server, explain=True)
    value = outcome.value
    assert outcome.status is Status.OK
    assert value is not None
    assert (value.icert_request, value.icert_admin) == (True, True)
    assert value.config_string == f"localhost\\{NAME}"
    assert value.request.product_version == "10.0:20348.1 WINNT 3.0"
    assert (value.authentication, value.service_principal) == ("NTLM", "host/localhost")
    assert value.server_names == ("CA1", "10.0.0.9")
    assert value.dynamic_port == server.process_port
    assert value.round_trips <= 9
    assert [use.method for use in value.wire if use.method != "RemRelease"] == [
        "RemoteCreateInstance",
        "GetCAProperty",
        "Ping2",
        "RemoteCreateInstance",
        "GetCAProperty",
        "Ping2",
    ]
    assert all(entry["level"] == 6 for entry in server.log if "level" in entry)
    assert not any(server.references.values()), "every reference is given back"
    assert {entry["peer"] for entry in server.log if entry.get("event") == "connection"} == {"127.0.0.1"}


def test_server_without_multiplexing_is_asked_one_by_one(users):
    with standin(users, Faults(multiplexing=False)) as server:
        outcome = ping(server)
    assert outcome.status is Status.OK
    assert outcome.value is not None
    assert outcome.value.round_trips == 11


def test_plain_user_is_refused_by_icertadmin_and_that_is_a_note(users):
    with standin(users) as server:
        outcome = ping(server, logon=logon_as("zoë"))
    assert outcome.status is Status.OK
    assert outcome.value is not None
    assert (outcome.value.icert_request, outcome.value.icert_admin) == (True, False)
    assert [(item.severity, item.id) for item in outcome.value.findings] == [(Severity.NOTE, "AdminRightMissing")]


def test_no_admin_asks_icertrequest_alone(users):
    with standin(users) as server:
        outcome = ping(server, admin=False)
    assert outcome.value is not None
    assert outcome.value.icert_admin is None
    assert "admin" not in {entry.get("what") for entry in server.log}


def test_host_alone_learns_the_name(users):
    with standin(users, name="Köln CA", sanitized="K!00f6ln CA") as server:
        outcome = ping(server, "localhost")
    assert outcome.value is not None
    assert outcome.value.config_string == "localhost\\K!00f6ln CA"


def test_older_interfaces_and_older_activation(users):
    with standin(users, Faults(only_old_interfaces=True)) as server:
        outcome = ping(server)
    assert outcome.status is Status.OK
    assert outcome.value is not None
    assert outcome.value.request.interface == "ICertRequestD"
    with standin(users, Faults(only_remote_activation=True)) as server:
        older = ping(server, explain=True)
    assert older.status is Status.OK
    assert server.calls().count("RemoteActivation") == 2
    assert older.value is not None
    assert ("IActivation", 0) in {(use.interface, use.opnum) for use in older.value.wire}
    assert "RemoteCreateInstance" not in {use.method for use in older.value.wire}
    assert not any(server.references.values())
    both = frozenset({"IRemoteSCMActivator", "IActivation"})
    with standin(users, Faults(reject_interfaces=both)) as server:
        refused = ping(server)
    assert refused.reason is not None
    assert refused.reason.id == "NotAnRpcHost"


def test_a_host_that_takes_spnego_alone(users):
    """auth type 9: the logon goes on in alter_context, with mechListMIC, and everything after it is sealed."""
    with standin(users, Faults(only_spnego=True)) as server:
        outcome = ping(server)
        assert outcome.status is Status.OK, outcome.reason
        assert outcome.value is not None
        assert outcome.value.authentication == "NTLM"
        server.faults.flipped_bit_on = ("call", 500)
        assert ping(server).status is Status.PROTOCOL_ERROR
        server.faults.flipped_bit_on = None
        wrong = ping(server, logon=logon_as(password="wrong"))
    assert wrong.reason is not None
    assert (wrong.status, wrong.reason.id) == (Status.REFUSED, "CredentialsRefused")
    assert {entry["auth"][0] for entry in server.log if entry.get("auth")} == {9, 10}
    assert {entry["level"] for entry in server.log if "level" in entry} == {6}


def test_older_activation_fails_as_the_newer_does(users):
    faults = Faults(only_remote_activation=True, activate_hresult={"request": 0x80040154})
    with standin(users, faults) as server:
        outcome = ping(server)
    assert outcome.reason is not None
    assert (outcome.reason.id, outcome.reason.code_hex) == ("CaRoleAbsent", "0x80040154")


def test_static_endpoint_goes_before_the_port_that_the_ca_names(users):
    with standin(users) as server:
        server.faults.bindings = ((7, "CA1[1]"),)
        refused = ping(server)
        outcome = ping(server, static_port=server.process_port)
    assert refused.reason is not None
    assert (refused.reason.id, "port 1" in refused.reason.message) == ("DynamicPortRefused", True)
    assert outcome.status is Status.OK
    assert outcome.value is not None
    assert outcome.value.dynamic_port == server.process_port


@pytest.mark.parametrize(
    ("user", "flags", "cause", "says"),
    [
        ("admin", 0x643, "RemoteRequestsClosed", "IF_NOREMOTEICERTREQUEST"),
        ("reader", 0x641, "EnrollDenied", "lacks Request Certificates (Enroll) on the CA"),
        ("zoë", 0x643, "EnrollDenied", "or the CA takes no remote requests"),
    ],
)
def test_closed_to_all_and_closed_to_the_account_are_told_apart(users, user, flags, cause, says):
    """Only who may read the configuration can know; others get both causes named."""
    with standin(users, interface_flags=flags) as server:
        outcome = ping(server, logon=logon_as(user))
    assert outcome.reason is not None
    assert (outcome.reason.id, outcome.reason.code) == (cause, "CERTSRV_E_ENROLL_DENIED")
    assert says in outcome.reason.message


def test_ipv6(users):
    if not socket.has_ipv6:
        pytest.skip("no IPv6")
    try:
        server = CaStandin(CaData(rights=RIGHTS), users_file=users, address="::1")
    except OSError:
        pytest.skip("no ::1 on this machine")
    with server:
        assert ping(server).status is Status.OK


RPC_DOWN = "0x000006BA"


def activation(hresult: int, **more: bool) -> Faults:
    return Faults(activate_hresult={"request": hresult}, **more)  # type: ignore[arg-type]


CASES = [
    # faults, options, stage, cause, code, status
    (Faults(mapper_banner=b"220 mail.example.com ESMTP\r\n"), {}, "bind", "NotAnRpcHost", None, Status.PROTOCOL_ERROR),
    (Faults(mapper_silent=True), {"timeout": 0.5}, "bind", "Timeout", "0x000006BE", Status.NO_ANSWER),
    (Faults(bind_nak=8), {}, "auth", "AuthenticationTypeRefused", "0x00000721", Status.REFUSED),
    (Faults(dcom_denied=True), {}, "auth", "DcomAccessDenied", "0x00000005", Status.REFUSED),
    (Faults(refuse_logon=True), {}, "auth", "CredentialsRefused", "0x00000005", Status.REFUSED),
    (
        Faults(activate_hresult={"request": 0x80070005}),
        {},
        "activate",
        "ActivationDenied",
        "0x80070005",
        Status.REFUSED,
    ),
    (activation(0x80070005, registered=False), {}, "activate", "ServiceStopped", "0x80070005", Status.FINDING),
    (activation(0x80040154), {}, "activate", "CaRoleAbsent", "0x80040154", Status.FINDING),
    (
        Faults(activate_hresult={"request": 0x80080005}),
        {},
        "activate",
        "ServiceCannotStart",
        "0x80080005",
        Status.FINDING,
    ),
    (activation(0x800706BA), {}, "activate", "ServiceStopped", "0x800706BA", Status.FINDING),
    (activation(0x80070422), {}, "activate", "ServiceDisabled", "0x80070422", Status.FINDING),
    (activation(0x80004002), {}, "activate", "InterfaceAbsent", "0x80004002", Status.FINDING),
    (activation(0x8000FFFF), {}, "activate", "UnlistedHresult", "0x8000FFFF", Status.FINDING),
    (
        Faults(activate_fault={"request": 0x721}),
        {},
        "activate",
        "SignatureRefused",
        "0x00000721",
        Status.PROTOCOL_ERROR,
    ),
    (Faults(bindings=((15, "CA1[\\pipe\\x]"),)), {}, "bindings", "NoTcpBinding", None, Status.FINDING),
    (Faults(process_closed=True), {}, "tcp-dynamic", "DynamicPortRefused", "0x000006BA", Status.NO_ANSWER),
    (Faults(process_drops_syn=True), {"timeout": 0.5}, "tcp-dynamic", "DynamicPortBlocked", RPC_DOWN, Status.NO_ANSWER),
    (Faults(trickle=True, trickle_pause=0.2), {"timeout": 0.5}, "bind", "Timeout", "0x000006BE", Status.NO_ANSWER),
    (Faults(process_silent=True), {"timeout": 0.5}, "call", "Timeout", "0x000006BE", Status.NO_ANSWER),
    (
        Faults(reject_interfaces=frozenset({"ICertRequestD2"})),
        {},
        "call",
        "InterfaceNotOffered",
        "0x000006B5",
        Status.FINDING,
    ),
    (Faults(call_fault={"request": 5}), {}, "call", "CallAccessDenied", "0x00000005", Status.REFUSED),
    (Faults(call_hresult={"request": 0x80070005}), {}, "call", "CaRightMissing", "0x80070005", Status.REFUSED),
    (Faults(call_hresult={"request": 0x80094011}), {}, "call", "EnrollDenied", "0x80094011", Status.REFUSED),
    (Faults(call_hresult={"request": 0x80094006}), {}, "call", "CaSuspended", "0x80094006", Status.FINDING),
    (Faults(disconnect_times=2), {}, "call", "ServiceRestarted", "0x80010108", Status.FINDING),
    (Faults(call_fault={"request": 0x6F7}), {}, "call", "RequestNotUnderstood", "0x000006F7", Status.PROTOCOL_ERROR),
    (Faults(call_fault={"request": 0x721}), {}, "call", "SignatureRefused", "0x00000721", Status.PROTOCOL_ERROR),
    (Faults(call_fault={"request": 0x1C010002}), {}, "call", "OldCa", "0x1C010002", Status.FINDING),
    (Faults(call_fault={"request": 0x1C010003}), {}, "call", "OldCa", "0x1C010003", Status.FINDING),
    (Faults(call_fault={"request": 0x1C00001B}), {}, "call", "UnlistedFault", "0x1C00001B", Status.FINDING),
    (Faults(close_on="activate"), {}, "activate", "ConnectionClosed", "0x000006BE", Status.NO_ANSWER),
    (Faults(close_on="call"), {}, "call", "ConnectionClosed", "0x000006BE", Status.NO_ANSWER),
    (Faults(half_reply_on="activate"), {}, "activate", "ConnectionClosed", "0x000006BE", Status.NO_ANSWER),
    (Faults(half_reply_on="call"), {}, "call", "ConnectionClosed", "0x000006BE", Status.NO_ANSWER),
    (Faults(silent_on="bind-scm"), {"timeout": 0.5}, "bind", "Timeout", "0x000006BE", Status.NO_ANSWER),
    (Faults(silent_on="activate"), {"timeout": 0.5}, "activate", "Timeout", "0x000006BE", Status.NO_ANSWER),
    (Faults(silent_on="bind-process"), {"timeout": 0.5}, "call", "Timeout", "0x000006BE", Status.NO_ANSWER),
    (Faults(silent_on="call"), {"timeout": 0.5}, "call", "Timeout", "0x000006BE", Status.NO_ANSWER),
    (Faults(lying_length_on="call"), {"timeout": 0.5}, "call", "Timeout", "0x000006BE", Status.NO_ANSWER),
    (Faults(garbage_on="bind-scm"), {}, "bind", "NotAnRpcHost", None, Status.PROTOCOL_ERROR),
    (Faults(garbage_on="activate"), {}, "activate", "NotAnRpcHost", None, Status.PROTOCOL_ERROR),
    (Faults(garbage_on="call"), {}, "call", "NotAnRpcHost", None, Status.PROTOCOL_ERROR),
    (Faults(lying_count_on="activate"), {}, "activate", "ProtocolViolation", None, Status.PROTOCOL_ERROR),
    (Faults(lying_count_on="call"), {}, "call", "ProtocolViolation", None, Status.PROTOCOL_ERROR),
    (Faults(endless_fragments_on="call"), {}, "call", "ProtocolViolation", None, Status.PROTOCOL_ERROR),
    (Faults(endless_fragments_on="activate"), {}, "activate", "ProtocolViolation", None, Status.PROTOCOL_ERROR),
    (Faults(plaintext_on="activate"), {}, "activate", "ReplyNotAuthentic", None, Status.PROTOCOL_ERROR),
    (Faults(plaintext_on="call"), {}, "call", "ReplyNotAuthentic", None, Status.PROTOCOL_ERROR),
    (Faults(bad_signature_on="activate"), {}, "activate", "ReplyNotAuthentic", None, Status.PROTOCOL_ERROR),
    (Faults(bad_signature_on="call"), {}, "call", "ReplyNotAuthentic", None, Status.PROTOCOL_ERROR),
    (Faults(wrong_call_id_on="call"), {}, "call", "ReplyNotAuthentic", None, Status.PROTOCOL_ERROR),
    (Faults(wrong_call_id_on="activate"), {}, "activate", "ReplyNotAuthentic", None, Status.PROTOCOL_ERROR),
    (Faults(wrong_context_on="call"), {}, "call", "ReplyNotAuthentic", None, Status.PROTOCOL_ERROR),
    (Faults(lower_level_on="call"), {}, "call", "ReplyNotAuthentic", None, Status.PROTOCOL_ERROR),
]


@pytest.mark.parametrize(("faults", "options", "stage", "cause", "code", "status"), CASES)
def test_every_fault_has_its_stage_code_cause_and_hint(users, faults, options, stage, cause, code, status):
    begin = time.monotonic()
    with standin(users, faults) as server:
        outcome = ping(server, **options)
    took = time.monotonic() - begin
    value, reason = outcome.value, outcome.reason
    assert value is not None
    assert reason is not None
    assert not value.icert_request
    assert (value.request.stage, reason.id, reason.code_hex, outcome.status) == (stage, cause, code, status)
    assert reason.message
    assert reason.next_step
    assert took < options.get("timeout", 3.0) + 0.5


def test_refused_and_silent_port_135_and_unknown_name(users):
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    target = parse_config(f"ca.example.invalid\\{NAME}")
    refused = ping_one(target, logon_as(), PingOptions(timeout=2, address="127.0.0.1", mapper_port=port))
    closed.close()
    assert refused.reason is not None
    assert refused.reason.id == "RpcPortRefused"
    assert refused.status is Status.NO_ANSWER
    unresolved = ping_one(target, logon_as(), PingOptions(timeout=5))
    assert unresolved.reason is not None
    assert (unresolved.reason.id, unresolved.value and unresolved.value.request.stage) == ("NameNotResolved", "name")
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    fillers = []
    for _ in range(4):  # a full backlog drops further SYNs, as a firewall does
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(full.getsockname())
        fillers.append(filler)
    begin = time.monotonic()
    options = PingOptions(timeout=0.5, address="127.0.0.1", mapper_port=full.getsockname()[1])
    silent = ping_one(target, logon_as(), options)
    assert time.monotonic() - begin < 0.75
    assert silent.reason is not None
    assert (silent.reason.id, silent.reason.code) == ("RpcPortSilent", "RPC_S_SERVER_UNAVAILABLE")
    for item in (*fillers, full):
        item.close()


def test_every_row_of_the_table_is_reached_by_a_case_or_stands_for_one():
    reached = {case[3] for case in CASES} | {
        "NameNotResolved",
        "RpcPortRefused",
        "RpcPortSilent",
        "LogonFailed",
        "AdminRightMissing",
        "WrongCaName",
        "RemoteRequestsClosed",
    }
    assert {row.cause.id for row in TABLE} <= reached


def test_silent_dynamic_port_is_named_with_its_number(users):
    with standin(users, Faults(process_drops_syn=True)) as server:
        outcome = ping(server, timeout=0.4)
    assert outcome.reason is not None
    assert f"(port {server.process_port})" in outcome.reason.message
    assert "49152-65535" in outcome.reason.next_step


def test_a_malformed_ping_reply_ends_the_ping_not_the_program(users):
    def cut(stage: str, stub: bytes) -> bytes:
        return stub[:9] if stage == "call" and len(stub) == 12 else stub

    with standin(users, Faults(mutate_stub=cut)) as server:
        outcome = ping(server)
    assert outcome.status is Status.PROTOCOL_ERROR


def test_a_challenge_that_pyspnego_cannot_read_is_a_protocol_error(users):
    """A time outside of what a datetime can hold, and flags without sealing."""

    def absurd_time(stage: str, data: bytes) -> bytes:
        pair = b"\x07\x00\x08\x00"
        at = data.find(pair)
        return data[: at + 4] + b"\xff" * 8 + data[at + 12 :] if b"NTLMSSP\x00\x02" in data and at > 0 else data

    def no_sealing(stage: str, data: bytes) -> bytes:
        at = data.find(b"NTLMSSP\x00\x02")
        if at < 0:
            return data
        flags = int.from_bytes(data[at + 20 : at + 24], "little") & ~0x30
        return data[: at + 20] + flags.to_bytes(4, "little") + data[at + 24 :]

    for change, cause in ((absurd_time, "ProtocolViolation"), (no_sealing, "ReplyNotAuthentic")):
        with standin(users, Faults(mutate_bytes=change)) as server:
            outcome = ping(server)
        assert outcome.reason is not None
        assert (outcome.status, outcome.reason.id) == (Status.PROTOCOL_ERROR, cause)


def test_without_a_ticket_or_a_library_it_is_the_logon_that_failed_not_the_ca(users):
    kerberos = Logon(Credentials("zoë@nirgends.invalid", Secret("x"), method=AuthMethod.KERBEROS))
    with standin(users) as server:
        for target in (f"127.0.0.1\\{NAME}", f"ca.nirgends.invalid\\{NAME}"):
            outcome = ping(server, target, logon=kerberos, timeout=5)
            assert outcome.reason is not None
            assert outcome.value is not None
            assert (outcome.reason.id, outcome.value.request.stage) == ("LogonFailed", "auth")
            assert outcome.reason.next_step
            assert outcome.value.service_registered is True
    assert not server.calls().count("RemoteCreateInstance")


def test_a_host_that_is_silent_at_the_first_logon_delays_no_other(users):
    """The wrong-password rule lets one logon go first; a host that never answers it must not hold up the rest."""
    silent = standin(users, Faults(silent_on="activate"))
    good = [standin(users) for _ in range(8)]
    servers = [silent, *good]
    logon = logon_as()
    outcomes: dict[int, Outcome[CaPing]] = {}

    def work(index: int) -> None:
        outcomes[index] = ping(servers[index], logon=logon, timeout=2.0)

    for server in servers:
        server.__enter__()
    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(servers))]
    begin = time.monotonic()
    threads[0].start()
    while "RemoteCreateInstance" not in silent.calls():
        time.sleep(0.005)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begin
    for server in servers:
        server.__exit__()
    assert outcomes[0].status is Status.NO_ANSWER
    assert [outcomes[index].status for index in range(1, 9)] == [Status.OK] * 8
    assert took < 2.3


def test_wrong_name_shows_the_right_one(users):
    with standin(users) as server:
        outcome = ping(server, "localhost\\Old Name")
    assert outcome.status is Status.FINDING
    assert outcome.reason is not None
    assert outcome.reason.id == "WrongCaName"
    assert f"localhost\\{NAME}" in outcome.reason.message


def test_ping2_without_the_property_is_a_finding_not_a_healthy_ca(users):
    with standin(users, Faults(call_hresult={"request.GetCAProperty": 0x80070005})) as server:
        outcome = ping(server)
    assert outcome.value is not None
    assert not outcome.value.icert_request
    assert outcome.value.request.ping2 is True
    assert "PingDisagrees" in {item.id for item in outcome.value.findings}


def test_wrong_password_is_told_and_sent_once_only(users):
    logon = logon_as(password="wrong")
    servers = [standin(users) for _ in range(5)]
    for server in servers:
        server.__enter__()
    first = ping(servers[0], logon=logon)
    assert first.reason is not None
    assert (first.status, first.reason.id) == (Status.REFUSED, "CredentialsRefused")
    assert first.value is not None
    assert (first.value.rpc_alive, first.value.service_registered) == (True, True)
    for server in servers[1:]:
        outcome = ping(server, logon=logon)
        assert outcome.status is Status.REFUSED
        assert not [entry for entry in server.log if entry.get("event") == "fault"], "no second logon"
    for server in servers:
        server.__exit__()


def test_ca_state_is_read_in_few_calls(users):
    ca = CaData(
        rights=RIGHTS,
        ca_type=0,
        certificate_states=[4, 3],
        crl_states=[4, 3],
        certificates=[b"0\x00", b"0\x00"],
        templates=[Template("User", "1.2.3"), Template("Büro/Ü", "")],
    )
    with CaStandin(ca, users_file=users) as server:
        deadline = Deadline(5)
        logon = RpcLogon(logon_as(), "localhost", deadline)
        session = CaSession(
            "localhost", deadline, logon, lambda host, limit: ["127.0.0.1"], mapper_port=server.mapper_port
        )
        with session:
            session.connect()
            state = read_state(session, session.activate(REQUEST), NAME)
        status = read_service_status("localhost", "127.0.0.1", logon, server.mapper_port, deadline)
        ca.admins = frozenset({"lab\\admin"})
        running = read_service_status("localhost", "127.0.0.1", logon, server.mapper_port, deadline)
    assert state.type == "Enterprise Root CA"
    assert (state.is_enterprise, state.is_root) == (True, True)
    assert [(item.name, item.oid) for item in state.templates or ()] == [("User", "1.2.3"), ("Büro/Ü", "")]
    assert [item.state.value for item in state.certificates] == ["Invalid", "Valid"]
    assert state.certificates[1].base_crl_published == "BASE, COMPLETE"
    assert state.certificates[0].base_crl_published is None
    assert state.roles == ("ADMIN", "OFFICER", "READ", "ENROLL")[:1] + ("OFFICER", "READ", "ENROLL")
    assert not any(server.references.values())
    assert (status.state, status.reason and status.reason.code) == ("Unknown", "ERROR_ACCESS_DENIED")
    assert running.state == "Running"


def test_state_of_a_refusing_ca_is_a_step_error(users):
    with standin(users, Faults(call_hresult={"request": 0x80070005})) as server:
        deadline = Deadline(5)
        logon = RpcLogon(logon_as(), "localhost", deadline)
        session = CaSession("localhost", deadline, logon, lambda h, d: ["127.0.0.1"], mapper_port=server.mapper_port)
        with session, pytest.raises(StepError):
            session.connect()
            read_state(session, session.activate(REQUEST), NAME)


@pytest.mark.parametrize("hint", range(1, 7))
def test_the_servers_hint_never_lowers_the_protection(users, hint):
    with standin(users, Faults(authn_hint=hint)) as server:
        assert ping(server).status is Status.OK
    assert {entry["level"] for entry in server.log if "level" in entry} == {6}


@pytest.mark.parametrize(
    "faults",
    [
        Faults(trickle=True),
        Faults(fragment_size=40),
        Faults(properties_reversed=True),
        Faults(unknown_property=True),
        Faults(delay=0.02),
        Faults(disconnect_times=1),
    ],
    ids=["one byte at a time", "small fragments", "properties reversed", "unknown property", "slow", "restarted once"],
)
def test_what_a_ca_may_do_is_taken(users, faults):
    with standin(users, faults) as server:
        assert ping(server).status is Status.OK


def test_foreign_bindings_lead_nowhere(users):
    """The binding's host is not for connecting: only its port counts."""
    trap = socket.socket()
    trap.bind(("127.0.0.2", 0))
    trap.listen()
    trap.settimeout(0.1)
    with standin(users) as server:
        server.faults.bindings = ((7, f"127.0.0.2[{server.process_port}]"), (7, "attacker.example.com[1]"))
        assert ping(server).status is Status.OK
    with pytest.raises(TimeoutError):
        trap.accept()
    trap.close()


def test_no_flipped_bit_gives_a_healthy_ca(users):
    random_bits = random.Random(4)
    healthy = 0
    for _ in range(150):
        stage = random_bits.choice(["activate", "call"])
        faults = Faults(flipped_bit_on=(stage, random_bits.randrange(5000)))
        with standin(users, faults) as server:
            outcome = ping(server, admin=False, timeout=0.4)
        healthy += bool(outcome.value and outcome.value.icert_request and outcome.status is Status.OK)
    # NTLM signs the whole fragment, headers too: no bit is free
    assert healthy == 0


def test_fifty_cas_with_a_black_hole_and_a_refusal(users):
    faults = [None] * 48 + [Faults(mapper_silent=True), Faults(activate_hresult={"request": 0x80040154})]
    servers = [standin(users, item).__enter__() for item in faults]
    by_host = {f"ca{index}.lab.test": server for index, server in enumerate(servers)}
    targets = [parse_config(f"{host}\\{NAME}") for host in by_host]
    ports = {host: server.mapper_port for host, server in by_host.items()}

    begin = time.monotonic()
    outcomes = list(_ping_ports(targets, ports, timeout=2.0))
    took = time.monotonic() - begin
    for server in servers:
        server.__exit__()
    assert [item.target for item in outcomes] == [target.config_string for target in targets]
    assert [item.status for item in outcomes[:48]] == [Status.OK] * 48
    assert outcomes[48].status is Status.NO_ANSWER
    assert outcomes[49].reason is not None
    assert outcomes[49].reason.id == "CaRoleAbsent"
    assert took < 3.5


def _ping_ports(targets, ports, timeout):
    """ping_many knows one mapper port for all; here each host has its own, so the pool is filled by hand."""
    logon = logon_as()
    with ThreadPoolExecutor(64) as pool:
        yield from pool.map(
            lambda target: ping_one(
                target, logon, PingOptions(timeout=timeout, address="127.0.0.1", mapper_port=ports[target.host])
            ),
            targets,
        )


def test_many_keeps_the_order(users):
    with standin(users) as server:

        def resolver(host: str, port: int, deadline: Deadline) -> list[Endpoint]:
            return [Endpoint("127.0.0.1", port)]

        targets = [parse_config(f"h{index}\\{NAME}") for index in range(20)]
        options = PingOptions(timeout=10, mapper_port=server.mapper_port)
        outcomes = list(ping_many(targets, logon_as(), options, resolver))
    assert [item.target for item in outcomes] == [target.config_string for target in targets]
    assert {item.status for item in outcomes} == {Status.OK}


def test_one_refused_logon_ends_the_fan_out(users):
    """Twenty CAs at the same time: one sees the wrong password, on one connection."""
    with standin(users) as server:

        def resolver(host: str, port: int, deadline: Deadline) -> list[Endpoint]:
            return [Endpoint("127.0.0.1", port)]

        targets = [parse_config(f"h{index}\\{NAME}") for index in range(20)]
        options = PingOptions(timeout=20, mapper_port=server.mapper_port)
        outcomes = list(ping_many(targets, logon_as(password="wrong"), options, resolver))
    assert {item.status for item in outcomes} == {Status.REFUSED}
    assert sum("not tried again" in (item.reason.next_step if item.reason else "") for item in outcomes) == 19
    refused = [entry for entry in server.log if entry.get("event") == "fault"]
    assert [entry["opnum"] for entry in refused] == [4, 5], "the activation, and ServerAlive2 with the same logon"


def test_threads_with_different_credentials_do_not_mix(users):
    results: dict[int, Outcome[CaPing]] = {}
    with standin(users) as server:

        def work(index: int) -> None:
            user, password = (("admin", PASSWORD), ("zoë", PASSWORD), ("admin", "wrong"))[index % 3]
            results[index] = ping(server, logon=logon_as(user, password), timeout=20)

        threads = [threading.Thread(target=work, args=(index,)) for index in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for index, outcome in results.items():
        assert outcome.value is not None
        if index % 3 == 2:
            assert outcome.status is Status.REFUSED
        else:
            assert (outcome.status, outcome.value.icert_admin) == (Status.OK, index % 3 == 0)


def test_nothing_is_left_after_many_pings(users):
    with standin(users) as server:
        ping(server)
        gc.collect()
        threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
        for _ in range(250):
            ping(server, admin=False)
        time.sleep(0.2)
        gc.collect()
        assert threading.active_count() <= threads + 2
        assert len(os.listdir("/proc/self/fd")) <= files + 4


def test_memory_stays_small_whatever_arrives(users):
    """Twenty CAs at the same time whose answers have no end, the stand-ins' own buffers counted too."""
    servers = [standin(users, Faults(endless_fragments_on="call")) for _ in range(20)]
    for server in servers:
        server.__enter__()
    ping(servers[0])
    tracemalloc.start()
    try:
        with ThreadPoolExecutor(20) as pool:
            outcomes = list(pool.map(lambda server: ping(server, timeout=10), servers))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        for server in servers:
            server.__exit__()
    assert {item.status for item in outcomes} == {Status.PROTOCOL_ERROR}
    assert peak < 20_000_000


def test_text_from_the_ca_is_escaped(users):
    with standin(users, product_version="10\x1b]0;owned\x07\u202e") as server:
        outcome = ping(server)
    from pkitools.output.text import render
    from pkitools.output.views.ca_ping import render as view

    with standin(users) as server:
        explained = ping(server, explain=True)
    for many in (False, True):
        shown = render(view(explained, many), colour=False)
        assert "SPN           host/localhost" in shown
        assert f"TCP {server.process_port}  ICertRequestD2 5422fd3a-d4b8-4cef-a12e-e87d4ca22e90 opnum 7" in shown
    text = render(view(outcome, False), colour=False)
    assert "\x1b" not in text
    assert "\\x1b]0;owned" in text


@pytest.mark.skipif(os.geteuid() != 0, reason="port 135 needs root")
def test_the_command(users, capfd, monkeypatch):
    """The real command line on the real port."""
    monkeypatch.setenv("CA_PASSWORD", PASSWORD)
    account = ["--user", "LAB\\zoë", "--password-env", "CA_PASSWORD", "--auth", "ntlm", "--timeout", "5"]
    with CaStandin(CaData(rights=RIGHTS), users_file=users, address="127.0.0.62", mapper_port=135) as server:
        code = run(["ping-ca", f"127.0.0.62\\{NAME}", *account, "-o", "json"])
        out, err = capfd.readouterr()
        (record,) = json.loads(out)
        assert (code, err) == (0, "")
        assert list(record)[:3] == ["ConfigString", "ICertAdmin", "ICertRequest"]
        assert (record["ICertRequest"], record["ICertAdmin"]) == (True, False)
        server.faults.activate_hresult = {"request": 0x80040154}
        assert run(["ping-ca", "127.0.0.62", *account]) == 1
        out, _ = capfd.readouterr()
        assert "REGDB_E_CLASSNOTREG 0x80040154" in out
        assert "next: check dNSHostName" in out
        monkeypatch.setenv("CA_PASSWORD", "wrong")
        assert run(["ping-ca", "127.0.0.62", *account]) == 4
        out, err = capfd.readouterr()
        assert PASSWORD not in out + err
        assert "wrong password" in out
    assert run(["ping-ca", "127.0.0.62", *account]) == 3
    assert PASSWORD not in "".join(capfd.readouterr())


@pytest.mark.skipif(os.geteuid() != 0, reason="port 135 needs root")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # impacket leaves sockets open
def test_impacket_works_against_the_standin(users):
    """A client that is not ours activates, reads a property with its own NDR and releases."""
    from tests.lab import impacket_ca

    account = ("LAB", "admin", PASSWORD)
    with CaStandin(CaData(rights=RIGHTS), users_file=users, address="127.0.0.63", mapper_port=135) as server:
        server.faults.bindings = ((7, f"127.0.0.63[{server.process_port}]"),)
        assert impacket_ca.read_property("127.0.0.63", account, NAME, 2) == ["10.0:20348.1 WINNT 3.0"] * 2
        assert impacket_ca.read_property("127.0.0.63", account, NAME, 6, impacket_ca.REQUEST) == [NAME]
    assert server.calls()[:3] == ["RemoteCreateInstance", "GetCAProperty", "RemRelease"]
    assert {entry["level"] for entry in server.log if "level" in entry} == {6}


@pytest.mark.skipif(os.geteuid() != 0, reason="capturing needs root")
def test_tshark_decodes_both_sides_without_a_malformed_mark(users, tmp_path):
    """A decoder that is not ours, with the password, through the sealing: what we send and what the stand-in sends."""
    require_program("tshark")
    address, capture = "127.0.0.66", tmp_path / "ping.pcapng"
    path = tmp_path / "users"
    path.write_text("LAB:plain:Passw0rd-plain\n", "ascii")
    # several sealed requests in one frame make tshark lose NTLM's key stream: one by one it follows
    faults = Faults(multiplexing=False)
    ca = CaData(rights={"lab\\plain": 0x303})
    command = ["tshark", "-q", "-i", "lo", "-f", f"host {address}", "-w", str(capture)]
    with (
        CaStandin(ca, faults, users_file=str(path), address=address, mapper_port=135) as server,
        subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as tshark,
    ):
        assert tshark.stderr is not None
        while "Capturing on" not in (line := tshark.stderr.readline()):
            assert line, "tshark captures nothing"
        sniffed = 0
        while not sniffed:  # the capture begins some time after the message
            socket.create_connection((address, 135)).close()
            time.sleep(0.1)
            sniffed = capture.stat().st_size > 1000 if capture.exists() else 0
        assert ping(server, logon=logon_as("plain", "Passw0rd-plain")).status is Status.OK
        server.faults.activate_hresult = {"request": 0x80070005}
        assert ping(server, logon=logon_as("plain", "Passw0rd-plain")).status is Status.REFUSED
        time.sleep(1.0)
        tshark.terminate()

    def decoded(wanted: str, *how: str) -> str:
        command = ["tshark", "-r", str(capture), "-o", "ntlmssp.nt_password:Passw0rd-plain", "-Y", wanted, *how]
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout

    marked = decoded("_ws.malformed || _ws.expert.severity == error").splitlines()
    # with an odd array the dissector skips NDR's alignment and calls the frame long
    assert [line for line in marked if "ServerAlive2" not in line] == []
    activations = decoded("isystemactivator", "-V").lower()
    assert "d99e6e74-fc88-11d0-b498-00a0c90312f3" in activations, "the sealed request was read"
    assert f"0x{server.oxid:016x}" in activations, "the sealed answer was read"
    assert "publicrefs: 5" in decoded("remunk.opnum == 5", "-V").lower()
