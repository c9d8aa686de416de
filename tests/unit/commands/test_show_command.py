"""``pkitools show`` as a command: exit codes, many files, JSON, and no secret on any stream."""

from __future__ import annotations

import datetime
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from pkitools.cli import main
from pkitools.models.secret import Secret
from pkitools.protocol.pkcs12 import write_pfx
from tests.lab.crafted_pfx import content, entry, key, leaf
from tests.lab.pfx_makers import chain_of, key_of

PASSWORD = "Geh€im 🔑"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Büro.pfx (good), two.pfx (two keys), chain.pem, junk.bin and a password file."""
    good = content([key("p256", local_key_id=b"1")], [entry("p256", 1), entry("p256", local_key_id=b"1")])
    two = content([key("p256"), key("p384")], [entry("p256"), entry("p384")])
    for name, what in (("Büro.pfx", good), ("two.pfx", two)):
        (tmp_path / name).write_bytes(write_pfx(what, Secret(PASSWORD), iterations=1, mac_iterations=1))
    (tmp_path / "chain.pem").write_bytes(b"".join(part.public_bytes(Encoding.PEM) for part in chain_of("p256")))
    (tmp_path / "junk.bin").write_bytes(b"hello")
    (tmp_path / "pw").write_text(f"{PASSWORD}\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, *arguments: str) -> tuple[int, str, str]:
    code = main.run(["show", *arguments])
    captured = capfd.readouterr()
    assert PASSWORD not in captured.out + captured.err
    return code, captured.out, captured.err


def test_a_good_file(folder, capfd):
    code, out, _ = run(capfd, "Büro.pfx", "--password-file", "pw")
    assert code == 0
    assert "Büro.pfx: PFX with 2 certificates, 1 private key" in out
    assert leaf("p256") in out
    assert out.index("VPN Zürich 🔑 p256 + key") < out.index("Zwischen-CA")
    assert "refuses  Windows Server 2016" in out


def test_findings_and_errors_have_their_exit_codes(folder, capfd):
    assert run(capfd, "two.pfx", "--password-file", "pw")[0] == 1
    assert run(capfd, "junk.bin")[0] == 2
    assert run(capfd, "missing.pfx")[0] == 2
    (folder / "wrong").write_text("wrong")
    code, out, _ = run(capfd, "Büro.pfx", "--password-file", "wrong")
    assert code == 2
    assert "wrong password (ERROR_INVALID_PASSWORD 0x00000056)" in out


def test_a_crl_without_a_number(folder, capfd):
    now = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    builder = x509.CertificateRevocationListBuilder(chain_of("p256")[1].subject, now, now + datetime.timedelta(days=7))
    crl = builder.sign(key_of("issuing"), hashes.SHA256())
    (folder / "ca.crl").write_bytes(crl.public_bytes(Encoding.DER))
    code, out, _ = run(capfd, "ca.crl")
    assert code == 0
    assert ", 2026-01-02 00:00Z to 2026-01-09 00:00Z" in out
    assert "None" not in out


def test_a_failing_file_hides_no_other(folder, capfd):
    code, out, _ = run(capfd, "junk.bin", "Büro.pfx", "chain.pem", "--password-file", "pw")
    assert code == 2
    assert "neither keys nor certificates" in out
    assert "chain.pem: PEM with 3 certificates" in out


def test_without_password(folder, capfd):
    code, out, _ = run(capfd, "Büro.pfx", "--no-ask")
    assert code == 0
    assert "a password hides the rest" in out
    assert "PBKDF2" in out


def test_json_has_the_readers(folder, capfd):
    code, out, _ = run(capfd, "Büro.pfx", "--password-file", "pw", "-o", "json")
    record = json.loads(out)
    record = record[0] if isinstance(record, list) else record
    assert code == 0
    assert all(list(each) == ["Reader", "Opens", "Reason", "Leaf"] for each in record["Readers"])
    dotnet = next(each for each in record["Readers"] if each["Reader"] == ".NET X509CertificateLoader")
    assert (dotnet["Opens"], dotnet["Leaf"]) == (True, leaf("p256"))


def test_fitness(folder, capfd):
    code, out, _ = run(capfd, "chain.pem", "--for", "aovpn-user")
    assert code == 1
    assert "VpnUser" in out
    assert "KB5014754" in out
