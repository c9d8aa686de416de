"""Real runs of the commands for VPN clients: output, exit code, standard error."""

from __future__ import annotations

import io
import json
import sys

import pytest

from pkitools.cli import main
from tests.unit.aovpn.phonebooks import BOOK, entry, main_lines
from tests.unit.aovpn.test_nps import ISSUING, LEAF, OTHER_ROOT, ROOT, pem, thumbprint
from tests.unit.aovpn.test_policy_sources import PASTED
from tests.unit.aovpn.test_profile_xml import profile


@pytest.fixture
def run(capfd, monkeypatch):
    """Runs a command line: exit code, standard output, standard error."""

    def call(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        code = main.run(list(arguments))
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "rasphone.pbk"
    path.write_bytes(BOOK.encode())
    return path


def test_intunes_round(run, book):
    arguments = ("set-phonebook", str(book), "--entry", "Büro VPN 😀", "--ipv4-metric", "3")
    code, out, error = run(*arguments, "--detect")
    assert (code, error) == (1, "")
    assert out == "Not compliant: [Büro VPN 😀] IpInterfaceMetric: 0 -> 3\n"
    code, out, error = run(*arguments, "--remediate")
    assert (code, out, error) == (0, "Remediated: [Büro VPN 😀] IpInterfaceMetric: 0 -> 3\n", "")
    code, out, error = run(*arguments, "--detect")
    assert (code, out, error) == (0, f"Compliant: 1 values as wanted in {book}\n", "")


def test_a_dry_run_and_a_write(run, book):
    code, out, _ = run("set-phonebook", str(book), "--all", "--vpn-strategy", "Ikev2Only", "--dry-run")
    assert code == 0
    assert out.splitlines()[:4] == [
        f"--- {book}",
        "@@ line 5 @@ [Büro VPN 😀]",
        "-VpnStrategy=8",
        "+VpnStrategy=7",
    ]
    assert book.read_bytes() == BOOK.encode()
    code, out, _ = run("set-phonebook", str(book), "--all", "--vpn-strategy", "7", "-o", "json")
    (record,) = json.loads(out)
    assert (code, record["Mode"], record["Written"], record["Backup"]) == (0, "Set", True, f"{book}.bak")
    assert record["Changes"][0] == {
        "Entry": "Büro VPN 😀",
        "Key": "VpnStrategy",
        "Before": "8",
        "After": "7",
        "Changed": True,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ipv4-metric", "3"), "which entries?"),
        (("--all",), "nothing to set"),
        (("--all", "--ipv4-metric", "10000"), "outside 0 to 9999"),
        (("--entry", "none", "--ipv4-metric", "3"), "no entry"),
        (("--all", "--ipv4-metric", "3", "--detect", "--dry-run"), "exclude each other"),
        (("--all", "--ipsec-policy", "windows-default"), "is a set of policies"),
    ],
)
def test_wrong_usage_is_exit_code_2(run, book, arguments, message):
    code, out, error = run("set-phonebook", str(book), *arguments)
    assert (code, out) == (2, "")
    assert message in error
    assert book.read_bytes() == BOOK.encode()


def test_get_phonebook_with_an_nps_certificate(run, tmp_path):
    blob = bytes.fromhex("31444243") + (13).to_bytes(4, "little") + bytes(12) + b"\x14\0\0\0"
    blob += bytes.fromhex(thumbprint(OTHER_ROOT)) + "nps1.example.net".encode("utf-16-le") + b"\0\0"
    lines = main_lines()
    lines[4:4] = ["CustomAuthKey=13", f"CustomAuthData={blob.hex().upper()}"]
    book, chain = tmp_path / "x.pbk", tmp_path / "nps.pem"
    book.write_bytes(entry("Büro", *lines).encode())
    chain.write_bytes(pem(LEAF, ISSUING, ROOT))
    assert run("get-phonebook", str(book))[0] == 0
    code, out, error = run("get-phonebook", str(book), "--nps-certificate", str(chain))
    assert (code, error) == (1, "")
    assert "[Büro]" in out and "Split DNS: Uncertain" in out
    assert "CERT_E_UNTRUSTEDROOT 0x800B0109" in out and thumbprint(ROOT) in out
    code, out, _ = run("get-phonebook", str(book), "--entry", "nobody")
    assert code == 2


def test_get_profile(run, tmp_path):
    path = tmp_path / "profile.xml"
    path.write_text(profile(protocol="Automatic"), "utf-8")
    code, out, _ = run("get-profile", str(path))
    assert code == 1
    assert "ignores the CryptographySuite" in out
    path.write_text('<!DOCTYPE a [<!ENTITY b "c">]>' + profile(), "utf-8")
    code, out, error = run("get-profile", str(path))
    assert (code, out) == (2, "")
    assert "DTD" in error


def test_compare_ipsec(run, tmp_path):
    server = tmp_path / "server.txt"
    server.write_bytes(PASTED.encode("utf-16"))
    code, out, error = run("compare-ipsec", "aovpn-standard", str(server))
    assert (code, error) == (0, "")
    assert out.startswith("match: ")
    code, out, _ = run("compare-ipsec", "aovpn-enhanced", "-", stdin=PASTED.encode())
    assert code == 1
    assert "ERROR_IPSEC_IKE_POLICY_MATCH 0x0000362C" in out
    assert "Set-VpnServerConfiguration -TunnelType IKEv2 -CustomPolicy " in out
    code, out, error = run("compare-ipsec", "aovpn-enhanced", str(tmp_path / "none.txt"))
    assert (code, out) == (2, "")
    assert "none.txt" in error


def test_get_error_message(run):
    code, out, error = run("get-error-message", "-2146762481")
    assert (code, error) == (0, "")
    assert out.startswith("CERT_E_CN_NO_MATCH  -2146762481  0x800B010F  HRESULT\n")
    code, out, _ = run("get-error-message", "-", stdin="Fehler: Der Rückgabecode ist error 13801.".encode("utf-16"))
    assert code == 0 and out.startswith("ERROR_IPSEC_IKE_AUTH_FAIL")
    code, out, _ = run("get-error-message", "4999")
    assert code == 1
    code, out, error = run("get-error-message", "rubbish")
    assert (code, out) == (2, "")
    code, out, _ = run("get-error-message", "691", "13868", "-o", "json")
    records = json.loads(out)
    assert [item["ErrorCode"] for item in records] == [691, 13868]
    assert records[0]["OtherMeanings"][0]["Name"] == "ERROR_DBG_TERMINATE_THREAD"


@pytest.mark.parametrize("command", ["get-phonebook", "get-profile"])
def test_a_file_that_cannot_be_read_hides_no_other(command, tmp_path, capfd):
    good = tmp_path / "gut"
    good.write_bytes(
        b"[B\xc3\xbcro]\r\nEncoding=1\r\nIpInterfaceMetric=3\r\n"
        if command == "get-phonebook"
        else b"<VPNProfile><NativeProfile><Servers>vpn.example.com</Servers></NativeProfile></VPNProfile>"
    )
    missing = str(tmp_path / "fehlt")
    assert main.run([command, missing, str(good), "-o", "json"]) == 2
    out, err = capfd.readouterr()
    records = json.loads(out)
    assert [(item["Target"], item["Status"] == "Unusable") for item in records] == [(missing, True), (str(good), False)]
    assert err == ""
    assert main.run([command, missing]) == 2
    assert "cannot read" in capfd.readouterr().err
