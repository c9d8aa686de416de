"""Real runs of test-ike without a server: what it says, where, and with which exit code."""

from __future__ import annotations

import json
import socket
import sys
import types

import pytest

from pkitools.cli import main

NOBODY = "127.66.0.1"  # nothing listens there, so that the system answers by ICMP


@pytest.fixture(autouse=True)
def nobody_listens():
    """Skips where something on this machine holds the IKE ports on every address."""
    for port in (500, 4500):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.5)
            probe.connect((NOBODY, port))
            probe.send(b"\0")
            try:
                probe.recv(1)
            except ConnectionRefusedError:
                continue
            except OSError:
                pass
            pytest.skip(f"UDP {port} of {NOBODY} is not closed")


@pytest.fixture
def run(capfd):
    """Runs a command line: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main.run(["test-ike", *arguments])
        return code, *capfd.readouterr()

    return call


def test_closed_ports(run):
    code, out, error = run(NOBODY)
    assert code == 3
    assert out.splitlines()[:5] == [
        f"????  {NOBODY}  it is not known what it accepts",
        "",
        f"  address        {NOBODY}",
        "  UDP 500        Connection refused  Unreachable",
        "  UDP 4500       Connection refused  Unreachable",
    ]
    assert "UDP 500 and 4500: Connection refused" in out + error
    assert "ERROR_VPN_TIMEOUT 0x00000329" in out + error
    assert "next: check the firewalls" in out + error


def test_records(run):
    code, out, error = run(NOBODY, "-o", "json")
    (record,) = json.loads(out)
    assert (code, error) == (3, "")
    assert record["Verdict"] == "Unreachable"
    assert (record["RejectedCount"], len(record["UndecidedPolicies"])) == (0, 168)
    assert record["Ports"][0] == {
        "Port": 500,
        "Answers": False,
        "Verdict": "Unreachable",
        "Message": "Connection refused",
    }
    assert record["Reason"]["Code"] == "ERROR_VPN_TIMEOUT"


def test_targets_from_a_list_and_from_standard_input(run, tmp_path, monkeypatch):
    path = tmp_path / "höste.txt"
    path.write_text(f"# all\n{NOBODY}\n\n127.66.0.2  # second\n", "utf-8")
    code, out, _ = run("--targets", str(path), "-o", "ndjson")
    assert code == 3
    assert [json.loads(line)["Target"] for line in out.splitlines()] == [NOBODY, "127.66.0.2"]
    stdin = types.SimpleNamespace(buffer=path.open("rb"))
    monkeypatch.setattr(sys, "stdin", stdin)
    code, out, _ = run("--targets", "-", "-o", "ndjson")
    stdin.buffer.close()
    assert (code, len(out.splitlines())) == (3, 2)


def test_a_bad_target_does_not_hide_the_others(run):
    code, out, _ = run("not a host", NOBODY, "https://x/", "-o", "ndjson")
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 3
    assert [item["Status"] for item in records] == ["Unusable", "NoAnswer", "Unusable"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no host given"),
        ((NOBODY, "--expect", "aovpn-standart"), "aovpn-enhanced"),
        ((NOBODY, "--expect", "./missing.txt"), "cannot read"),
        ((NOBODY, "--timeout", "0"), "timeout"),
        ((NOBODY, "--targets", "./missing.txt"), "cannot read"),
        ((NOBODY, "--ca-file", "./missing.pem"), "cannot read"),
    ],
)
def test_usage_errors(run, arguments, words):
    code, out, error = run(*arguments)
    assert (code, out) == (2, "")
    assert words in error
