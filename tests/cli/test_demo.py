"""``pkitools demo``: the main job on any machine, offline but for loopback."""

from __future__ import annotations

import json
import subprocess
import sys

from pkitools.cli import main


def test_both_verdicts_are_as_expected(capfd):
    assert main.run(["demo"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert out.count("=> as expected") == 2
    lines = out.splitlines()
    assert lines[0] == "An SSTP server with a good certificate (expected: no finding)"
    assert lines[1].startswith("OK    127.0.0.1:")
    assert lines[1].endswith("a Windows SSTP client accepts it, 364 days left")
    assert "CERT_E_EXPIRED 0x800B0101: the certificate expired on" in out
    assert "Listener: the server acknowledged an SSTP call" in out


def test_the_records_hold_the_whole_result(capfd):
    assert main.run(["demo", "-o", "json"]) == 0
    good, bad = json.loads(capfd.readouterr().out)
    assert (good["Expected"], good["AsExpected"], good["Codes"]) == (None, True, [])
    assert (bad["Expected"], bad["AsExpected"], bad["Codes"]) == ("CERT_E_EXPIRED", True, ["CERT_E_EXPIRED"])
    assert good["Result"]["CertificateIsValid"] is True
    assert [item["RevocationStatus"] for item in good["Result"]["Revocation"]] == ["Good"]
    assert bad["Result"]["ErrorInformation"][0]["Status"] == "NotTimeValid"


def test_a_run_of_test_ssl_loads_nothing_that_it_does_not_need():
    code = "import sys; from pkitools.cli import main; main.run(['test-ssl', '127.0.0.1:9']); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    heavy = {"asyncio", "pydantic", "rich", "ldap3", "impacket", "spnego", "dns", "ssl", "concurrent.futures"}
    assert not loaded & heavy
    assert not {name for name in loaded if name.startswith(("pkitools.aovpn", "pkitools.adcs", "pkitools.keystore"))}
