"""``test-ssl`` against real servers: nginx with every certificate, haproxy, openssl; through the real command line."""

from __future__ import annotations

import json
import time
from importlib.resources import files

import jsonschema
import pytest

import pkitools
from pkitools.errors import FileAccessError, FormatError
from pkitools.models.outcome import Status
from tests.lab.listeners import Listener, answer, connect_proxy, sleep_until_left
from tests.lab.pki import NAME, Leaf
from tests.lab.replay import RECORDINGS, ack
from tests.lab.tls_lab import TlsLab, open_lab, run
from tests.lab.tls_servers import free_port

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = open_lab(tmp_path_factory.mktemp("tls"))
    yield lab
    lab.close()


# case: errors, warnings, chain flags; the exit code follows
CASES = {
    "good": (set(), set(), set()),
    "ec256": (set(), set(), set()),
    "ec384": (set(), set(), set()),
    "rsa4096": (set(), set(), set()),
    "wildcard": (set(), set(), set()),
    "hugesan": (set(), set(), set()),
    "expired": ({"CERT_E_EXPIRED"}, set(), {"NotTimeValid"}),
    "notyet": ({"CERT_E_EXPIRED"}, set(), {"NotTimeValid"}),
    "wrongname": ({"CERT_E_CN_NO_MATCH"}, set(), set()),
    "nochain": (set(), {"CERT_E_CHAINING"}, set()),
    "clientonly": ({"CERT_E_WRONG_USAGE"}, set(), {"NotValidForUsage"}),
    "onlyike": ({"CERT_E_WRONG_USAGE"}, set(), {"NotValidForUsage"}),
    "noeku": (set(), {"NoUsageExtension"}, set()),
    "ikeeku": (set(), set(), set()),
    "rsa1024": (set(), {"CERTSRV_E_WEAK_SIGNATURE_OR_KEY"}, set()),
    "sha1": (set(), {"CERTSRV_E_WEAK_SIGNATURE_OR_KEY"}, set()),
    "revoked": ({"CRYPT_E_REVOKED"}, set(), {"Revoked"}),
    "deadcrl": ({"CRYPT_E_REVOCATION_OFFLINE"}, set(), {"RevocationStatusUnknown", "OfflineRevocation"}),
    "stalecrl": ({"CRYPT_E_REVOCATION_OFFLINE"}, set(), {"RevocationStatusUnknown", "OfflineRevocation"}),
    "forgedcrl": ({"CRYPT_E_REVOCATION_OFFLINE"}, set(), {"RevocationStatusUnknown", "OfflineRevocation"}),
    "junkcrl": ({"CRYPT_E_REVOCATION_OFFLINE"}, set(), {"RevocationStatusUnknown", "OfflineRevocation"}),
    "ldapcdp": ({"CRYPT_E_REVOCATION_OFFLINE"}, set(), {"RevocationStatusUnknown", "OfflineRevocation"}),
    "nocdp": ({"CRYPT_E_NO_REVOCATION_CHECK"}, set(), {"RevocationStatusUnknown"}),
    "nosan": (set(), {"CommonNameOnly"}, set()),
    "iponly": (set(), {"CommonNameOnly"}, set()),
    "expiring": (set(), {"ExpiresSoon"}, set()),
    "criticalext": ({"CERT_E_CRITICAL"}, set(), {"HasNotSupportedCriticalExtension"}),
    "tls10": (set(), {"OldTlsVersion"}, set()),
    "tls11": (set(), {"OldTlsVersion"}, set()),
    "tls12": (set(), set(), set()),
    "tls13": (set(), set(), set()),
    "sra401": (set(), set(), set()),
    "redirect": (set(), set(), set()),
    "snirequired": (set(), set(), set()),
    "stapling": (set(), set(), set()),
}
# faults above a leaf that names no CRL, asked without revocation
PATH_CASES = {
    "nameconstraints": ("CERT_E_INVALID_NAME", "HasNotPermittedNameConstraint"),
    "noca": ("TRUST_E_BASIC_CONSTRAINTS", "InvalidBasicConstraints"),
    "pathlen": ("TRUST_E_BASIC_CONSTRAINTS", "InvalidBasicConstraints"),
    "caeku": ("CERT_E_WRONG_USAGE", "NotValidForUsage"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_certificate_gets_the_verdict_of_windows(lab: TlsLab, case):
    errors, warnings, flags = CASES[case]
    answer = lab.ask(case)
    assert answer.stderr == ""
    assert (answer.codes("Error"), answer.codes("Warning"), answer.flags) == (errors, warnings, flags)
    assert answer.code == (1 if errors or warnings else 0)
    assert answer.record["CertificateIsValid"] is not bool(flags)
    assert answer.record["NameMatch"] is (case != "wrongname")
    assert answer.record["Certificate"]["Thumbprint"] == lab_thumbprint(lab, case)


def lab_thumbprint(lab: TlsLab, case: str) -> str:
    from cryptography.hazmat.primitives import hashes

    leaf = lab.leaves.get(case) or lab.leaves["ocspgood" if case == "stapling" else "good"]
    return leaf.certificate.fingerprint(hashes.SHA1()).hex().upper()


@pytest.mark.parametrize("case", PATH_CASES)
def test_faults_above_the_leaf(lab: TlsLab, case):
    code, flag = PATH_CASES[case]
    answer = lab.ask(case, "--revocation", "off")
    assert answer.codes("Error") == {code}
    assert answer.flags == {flag}
    assert answer.code == 1


@pytest.mark.parametrize("case", ["selfsigned", "nochain-noaia"])
def test_chains_without_a_trusted_root(lab: TlsLab, case):
    answer = lab.ask(case)
    wanted = {
        "selfsigned": ("CERT_E_UNTRUSTEDROOT", "UntrustedRoot"),
        "nochain-noaia": ("CERT_E_CHAINING", "PartialChain"),
    }
    code, flag = wanted[case]
    assert code in answer.codes("Error")
    assert flag in answer.flags
    assert answer.code == 1
    assert answer.record["CertificateIsValid"] is False


def test_an_untrusted_private_root_says_where_to_get_it(lab: TlsLab):
    answer = run(f"{NAME}:{lab.ports['good']}", "--connect", lab.address, "--service", "https", "--timeout", "4")
    (finding,) = [item for item in answer.record["Findings"] if item["Code"] == "CERT_E_UNTRUSTEDROOT"]
    assert finding["CodeHex"] == "0x800B0109"
    assert "certutil -ca.cert" in finding["NextStep"]
    assert answer.record["Chain"][-1]["Origin"] == "Aia"


def test_a_missing_intermediate_is_fetched_and_named(lab: TlsLab):
    answer = lab.ask("nochain")
    (finding,) = [item for item in answer.record["Findings"] if item["Code"] == "CERT_E_CHAINING"]
    assert "Lab Issuing CA" in finding["NextStep"]
    assert "server must send" in finding["NextStep"]
    assert len(answer.record["Pkcs7Chain"]) == 1
    assert [item["Origin"] for item in answer.record["Chain"]] == ["Sent", "Aia", "CaFile"]
    assert any(item["Url"].endswith("/issuing.crt") for item in answer.record["Fetched"])


def test_revocation_can_be_asked_of_a_responder(lab: TlsLab):
    assert lab.ask("revoked", "--revocation", "ocsp").codes() == {"CRYPT_E_REVOKED"}
    good = lab.ask("ocspgood", "--revocation", "ocsp")
    assert good.code == 0
    assert good.record["Revocation"][0]["Source"] == "Ocsp"
    assert lab.ask("revoked", "--revocation", "off").code == 0
    both = lab.ask("revoked", "--revocation", "both")
    assert both.codes() == {"CRYPT_E_REVOKED"}


def test_a_stapled_answer_is_used(lab: TlsLab):
    answer = lab.ask("stapling", "--revocation", "ocsp")
    assert answer.record["Tls"]["OcspStapled"] is True
    assert answer.record["Revocation"][0]["Source"] == "Staple"
    assert answer.code == 0


def test_each_crl_is_fetched_once_per_run(lab: TlsLab):
    before = lab.web.requests["/issuing.crl"]
    targets = [f"{NAME}:{lab.ports[case]}" for case in ("good", "ec256", "ec384", "wildcard", "rsa4096")]
    answer = run(*targets, "--ca-file", lab.root_file, "--connect", lab.address, "--service", "https")
    assert answer.code == 0
    assert lab.web.requests["/issuing.crl"] - before == 1


def test_sni_is_what_the_server_decides_by(lab: TlsLab):
    none = lab.ask("snirequired", "--sni", "none")
    assert none.code == 4
    assert none.record["Reason"]["Message"].endswith("unrecognized_name")
    assert "--sni" in none.record["Reason"]["NextStep"]
    other = lab.ask("snirequired", "--sni", NAME, name="other.lab.test")
    assert other.codes() == {"CERT_E_CN_NO_MATCH"}
    assert other.record["Tls"]["Sni"] == NAME


def test_an_address_as_target_sends_no_name_and_matches_the_ip(lab: TlsLab):
    answer = run(f"{lab.address}:{lab.ports['good']}", "--ca-file", lab.root_file, "--service", "https")
    assert answer.record["Tls"]["Sni"] is None
    assert answer.codes() == {"CERT_E_CN_NO_MATCH"}
    loopback = lab.ask("good", name="127.0.0.1")
    assert loopback.code == 0
    assert lab.ask("good", name="[::1]").code == 0


def test_a_trailing_dot_and_capitals_do_not_hide_the_name(lab: TlsLab):
    assert lab.ask("good", name="VPN.Lab.Test.").code == 0


def test_all_tls_versions_on_request(lab: TlsLab):
    answer = lab.ask("alltls", "--tls-versions")
    assert answer.record["Tls"]["AcceptedVersions"] == ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]
    assert answer.codes("Warning") == {"OldTlsAccepted"}
    assert lab.ask("alltls").code == 0
    assert lab.ask("tls13", "--tls-versions").record["Tls"]["AcceptedVersions"] == ["TLS 1.3"]


def test_a_client_certificate_that_is_wanted_is_named(lab: TlsLab):
    answer = lab.ask("clientcert", service="sstp")
    assert "ClientCertificateRequested" in answer.ids()
    assert answer.record["Tls"]["ClientCertificateRequested"] is True
    assert answer.record["Sstp"]["Verdict"] == "HttpNoSstp"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_handshake_that_needs_a_client_certificate_still_shows_the_servers(lab: TlsLab, version):
    port = lab.servers.s_server(
        f"verify{version}", lab.leaves["good"], version, "-Verify", "1", "-CAfile", lab.root_file
    )
    answer = lab.ask_at(f"{NAME}:{port}", "127.0.0.1", service="sstp")
    assert answer.code == 1
    assert answer.record["Certificate"]["Thumbprint"] == lab_thumbprint(lab, "good")
    assert "ClientCertificateRequested" in answer.ids()
    assert answer.ids() & {"HandshakeIncomplete", "SstpTlsNoHttp"}


def test_what_a_load_balancer_sees(lab: TlsLab):
    answer = lab.ask("sra401", "--http")
    assert [(item["Request"].split()[0], item["Status"]) for item in answer.record["Http"]] == [
        ("HEAD", 401),
        ("GET", 404),
    ]
    assert answer.record["Response"]["Status"] == 404
    redirect = lab.ask("redirect", "--http")
    assert redirect.record["ReturnedUri"] == f"https://{NAME}:10001/"
    assert redirect.record["OriginalUri"] == f"https://{NAME}:{lab.ports['redirect']}/"


def test_days_left_raise_the_exit_code_and_not_the_validity(lab: TlsLab):
    assert lab.ask("expiring", "--warn-days", "3").code == 0
    assert lab.ask("expiring", "--warn-days", "5", "--crit-days", "5").code == 0
    critical = lab.ask("expiring", "--warn-days", "400", "--crit-days", "21")
    assert critical.codes("Error") == {"ExpiresSoon"}
    assert critical.record["CertificateIsValid"] is True
    assert critical.record["DaysLeft"] == 20


def test_the_properties_of_pspki_come_first(lab: TlsLab):
    record = lab.ask("good").record
    assert list(record)[:12] == [
        "OriginalUri",
        "ReturnedUri",
        "Certificate",
        "Pkcs7Chain",
        "Subject",
        "Issuer",
        "NameMatch",
        "SubjectAlternativeNames",
        "CertificateIsValid",
        "ErrorInformation",
        "Response",
        "UserContext",
    ]
    assert record["SubjectAlternativeNames"] == [
        "DNS Name=vpn.lab.test",
        "DNS Name=localhost",
        "IP Address=127.0.0.1",
        "IP Address=::1",
    ]
    assert record["Subject"] == "CN=vpn.lab.test, O=Büro 🔑"


def test_many_targets_stream_in_order_and_a_dead_one_hides_nothing(lab: TlsLab, tmp_path):
    listing = tmp_path / "targets.txt"
    listing.write_text(f"# lab\n{NAME}:{lab.ports['good']}\nno name\n{NAME}:9\n{NAME}:{lab.ports['expired']} # old\n")
    common = ["--ca-file", lab.root_file, "--connect", lab.address, "--service", "https"]
    answer = run("--targets", str(listing), *common)
    assert answer.code == 3
    assert [item["Status"] for item in answer.records] == ["OK", "Unusable", "NoAnswer", "Finding"]
    assert "line 3" in answer.records[1]["Reason"]["Message"]
    assert "refused" in answer.records[2]["Reason"]["Message"]
    table = run("--targets", str(listing), *common, output="table")
    lines = table.text.splitlines()
    assert lines[0].startswith("OK ")
    assert "CERT_E_EXPIRED" in lines[-1]
    assert run("--targets", str(listing), *common, output="ndjson").text.count("\n") == 4
    assert run("--targets", str(listing), *common, output="csv").text.count("\n") >= 5


def test_every_node_is_probed_with_the_same_name(lab: TlsLab, monkeypatch):
    port = free_port()
    other = lab.leaves["expired"]
    chain, key = lab.servers.write_pair("node-a", lab.leaves["good"])
    chain_b, key_b = lab.servers.write_pair("node-b", other)
    block = "server {{ listen {} ssl; ssl_certificate {}; ssl_certificate_key {}; location / {{ return 200; }} }}"
    blocks = [block.format(f"[::1]:{port}", chain_b, key_b), block.format(f"127.0.0.1:{port}", chain, key)]
    lab.servers.nginx("nodes", blocks, "127.0.0.1", port)
    found = [(0, 0, 0, "", (address, 0)) for address in ("127.0.0.1", "::1", "127.0.0.1")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    answer = lab.ask_at(f"{NAME}:{port}", "nodes.lab.test", "--all-addresses")
    nodes = {item["Address"]: item["Thumbprint"] for item in answer.record["Nodes"]}
    assert nodes == {f"127.0.0.1:{port}": lab_thumbprint(lab, "good"), f"[::1]:{port}": lab_thumbprint(lab, "expired")}
    (differ,) = [item for item in answer.record["Findings"] if item["Id"] == "NodesDiffer"]
    assert "netsh http show sslcert" in differ["NextStep"]
    assert answer.codes() == {"CERT_E_EXPIRED"}


def test_a_proxy_carries_tls_and_the_crl(lab: TlsLab, monkeypatch):
    seen: list[bytes] = []
    proxy = Listener(connect_proxy(seen=seen))
    target = f"{NAME}:{lab.ports['good']}"
    options = ["--proxy", f"http://127.0.0.1:{proxy.port}", "--ca-file", lab.root_file, "--service", "https"]
    try:
        environment = {"PKITOOLS_PROXY_USER": "zoë", "PKITOOLS_PROXY_PASSWORD": "geheim🔑"}
        answer = run(target, *options, "--connect", lab.address, environment=environment)
    finally:
        proxy.close()
    assert answer.code == 0
    assert [request.split(b" ")[0] for request in seen] == [b"CONNECT", b"GET", b"GET"]
    assert all(b"Proxy-Authorization: Basic " in request for request in seen)
    assert "geheim" not in answer.text


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n\r\n", 4, "Negotiate"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", 4, "403 Forbidden"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", 3, "502 Bad Gateway"),
        (b"SSH-2.0-OpenSSH\r\n", 5, "not HTTP"),
    ],
)
def test_a_proxy_that_says_no(status, code, words):
    proxy = Listener(connect_proxy(status))
    try:
        answer = run(f"{NAME}:443", "--proxy", f"http://127.0.0.1:{proxy.port}", "--timeout", "3")
    finally:
        proxy.close()
    assert answer.code == code
    assert words in answer.record["Reason"]["Message"]


def test_the_library_gives_typed_results(lab: TlsLab, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    targets = [f"{NAME}:{lab.ports[case]}" for case in ("good", "expired")]
    results = pkitools.test_ssl(targets, connect=lab.address, ca_files=[lab.root_file], service="https")
    good, expired = results
    assert good.status is Status.OK
    assert isinstance(good.value, pkitools.WebServerSsl)
    assert expired.value is not None and expired.value.findings[0].code == "CERT_E_EXPIRED"
    with pytest.raises(FileAccessError):
        pkitools.test_ssl("a.example", ca_files=["/nonexistent.pem"])
    with pytest.raises(FormatError):
        pkitools.test_ssl("a.example", ca_files=[__file__])


def test_every_record_obeys_the_schema(lab: TlsLab):
    schema = json.loads(files("pkitools.output").joinpath("schema/test-ssl.json").read_text("ascii"))
    for case in ("good", "revoked", "nochain", "tls10", "hugesan"):
        jsonschema.validate(lab.ask(case, "--http", "--tls-versions", "--all-addresses").records, schema)
    jsonschema.validate(run("a b", "127.0.0.1:9").records, schema)


def test_a_silent_crl_host_costs_the_deadline_and_hides_nothing(lab: TlsLab):
    silent = Listener(sleep_until_left)
    pair = lab.pki.leaf(Leaf(cdp=f"http://127.0.0.1:{silent.port}/issuing.crl"))
    server = Listener(answer(RECORDINGS["rras"].post, ack(3)), pair, lab.folder)
    started = time.monotonic()
    try:
        result = lab.ask_at(f"{NAME}:{server.port}", "127.0.0.1", service="sstp")
    finally:
        silent.close()
        server.close()
    assert time.monotonic() - started < 5
    assert result.codes() == {"CRYPT_E_REVOCATION_OFFLINE"}
    assert result.record["Sstp"]["Verdict"] == "Listener"


def test_the_first_line_says_what_a_client_does(lab: TlsLab):
    def first(case: str, *options: str, service: str = "https") -> str:
        return lab.ask(case, *options, service=service, output="table").text.splitlines()[0]

    assert "OK    vpn.lab.test" in first("good")
    assert "a Windows client refuses it: CERT_E_EXPIRED, -3 days left" in first("expired")
    assert "no SSTP listener: HttpNoSstp" in first("good", service="sstp")
    assert "works today: ExpiresSoon" in first("expiring", "--crit-days", "25")
    assert first("expiring").startswith("WARN")


def test_options_that_mean_nothing_exit_2(lab: TlsLab):
    for options in (
        ["--timeout", "0"],
        ["--concurrency", "0"],
        ["--proxy", "https://p:1"],
        ["--proxy", "http://u:p@p:1"],
        ["--crit-days", "-1"],
        ["--sni", "192.0.2.1"],
        ["--ca-file", "/nonexistent"],
        ["--connect", "a b"],
    ):
        assert run("a.example", *options).code == 2, options
    assert run().code == 2
    assert run("a b").code == 2


@pytest.mark.parametrize("mode", ["tcp", "http"])
def test_a_load_balancer_with_tls_offload_in_front_of_an_sstp_server(lab: TlsLab, mode):
    backend = lab.servers.sstpd(f"behind-{mode}", lab.leaves["good"], plain=True)
    (lab.folder / f"{mode}.bundle").write_bytes(lab.leaves["good"].chain_pem + lab.leaves["good"].key_pem)
    port = lab.servers.haproxy(mode, lab.folder / f"{mode}.bundle", backend)
    answer = lab.ask_at(f"{NAME}:{port}", "127.0.0.1", service="sstp")
    assert answer.record["Sstp"]["Verdict"] == "Listener", answer.record["Sstp"]
    assert answer.record["Sstp"]["HashProtocols"] == ["SHA1", "SHA256"]
    assert answer.record["CryptoBindingHashes"]["SHA1"] == lab_thumbprint(lab, "good")
    assert answer.code == 0


def test_sstp_server_is_a_listener(lab: TlsLab):
    port = lab.servers.sstpd("direct", lab.leaves["good"])
    answer = lab.ask_at(f"{NAME}:{port}", "127.0.0.1", service="sstp")
    sstp = answer.record["Sstp"]
    assert (sstp["Verdict"], sstp["HttpStatus"], sstp["NonceLength"]) == ("Listener", "200 OK", 32)
    assert sstp["HashProtocols"] == ["SHA1", "SHA256"]
    assert answer.code == 0
    # the Abort has ended the call on the server
    time.sleep(0.2)
    log = (lab.folder / "sstpd-direct.log").read_text(errors="replace")
    assert "abort" in log.lower(), log
