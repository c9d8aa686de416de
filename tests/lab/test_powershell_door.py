"""``-o clixml`` and the other formats, read by a real PowerShell, and what PowerShell writes, read by the commands."""

from __future__ import annotations

import base64
import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pkitools.errors import PkiToolsError
from pkitools.models.outcome import Notice, Severity
from pkitools.output.clixml import HEADER, Writer, document
from pkitools.output.clixml_format import ClixmlDoor
from tests.lab.listeners import Listener, sleep_until_left
from tests.lab.pki import LabPki, Leaf
from tests.lab.powershell_lab import PowerShellLab
from tests.lab.pwsh import run_file
from tests.unit.cli.sample import Sample, _one
from tests.unit.output.test_clixml import VALUES
from tests.unit.output.test_records import TEXT

pytestmark = [pytest.mark.lab, pytest.mark.pwsh]

NAMES = ['It\'s "q" $HOME `n {0}', "Zo\u00eb \U0001f511", "_x0041_", "a,b;c"]


@pytest.fixture
def lab(plain_powershell: PowerShellLab) -> PowerShellLab:
    return plain_powershell


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "rasphone.pbk"
    path.write_bytes("".join(f"[{name}]\r\nIpInterfaceMetric=3\r\n\r\n" for name in NAMES).encode())
    return path


READ = {
    "json": "pkitools get-phonebook {book} -o json | ConvertFrom-Json",
    "ndjson": "pkitools get-phonebook {book} -o ndjson | ConvertFrom-Json",
    "csv": "pkitools get-phonebook {book} -o csv | ConvertFrom-Csv | ForEach-Object {{ $_.Name = [regex]::Replace($_.Name, "
    "'(\\\\u[0-9a-f]{{4}})+', {{ [regex]::Unescape($args[0].Value) }}); $_ }}",
    "door": "pkitools get-phonebook {book} -o clixml",
    "file": "pkitools get-phonebook {book} -o clixml -O {folder}/x.xml; Import-Clixml {folder}/x.xml",
    "json file": "pkitools get-phonebook {book} -o json -O {folder}/x.json; Get-Content {folder}/x.json -Raw | ConvertFrom-Json",
}


@pytest.mark.parametrize("form", READ)
def test_every_format_comes_back(lab, book, tmp_path, form):
    script = f"$r = @({READ[form].format(book=book, folder=tmp_path)}); $r.Name; $r.IPv4InterfaceMetric; $r[0].psobject.Properties.Name -join ' '"
    output = lab.output(script)
    assert output[:4] == NAMES
    assert output[4:8] == ["3"] * 4
    properties = str(output[8]).split()
    assert properties[:3] == ["Name", "Path", "Line"]


def test_certificates_serve_at_the_door_and_live_in_a_file(lab, tmp_path):
    pki = LabPki("http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1", tmp_path)
    pair = pki.leaf(Leaf(common_name="Zo\u00eb"))
    listener = Listener(lambda connection: sleep_until_left(connection, 10), pair, tmp_path)
    ask = f"pkitools test-ssl 127.0.0.1:{listener.port} --revocation off --service https -o clixml"
    thumbprint = pair.certificate.fingerprint(hashes.SHA1()).hex().upper()
    script = f"""
        $found = ({ask}).Certificate
        $found.Thumbprint; ($found.NotAfter - (Get-Date)).Days; $found.NotAfter.Kind
        [Security.Cryptography.X509Certificates.X509Certificate2]::new([byte[]] $found.RawData).Thumbprint
        {ask} -O {tmp_path}/x.xml
        $live = (Import-Clixml {tmp_path}/x.xml).Certificate
        $live.GetType().Name; $live.Thumbprint; $live.NotAfter -eq $found.NotAfter; $live.Extensions.Count -gt 3"""
    try:
        found = lab.output(script)
    finally:
        listener.close()
    assert found == [thumbprint, "364", "Local", thumbprint, "X509Certificate2", thumbprint, "True", "True"]


def test_a_note_at_the_door_is_information_that_obeys_the_preference(lab, tmp_path):
    (tmp_path / "note.txt").write_text(f"{HEADER}\n{document(Writer().information('nöte'))}\n")
    script = f'$a = cat {tmp_path}/note.txt 6>&1; $a.GetType().Name; "$a"; $b = cat {tmp_path}/note.txt 6>$null; $null -eq $b'
    assert lab.output(script) == ["InformationRecord", "n\u00f6te", "True"]


def test_an_error_at_the_door_is_an_error_record_that_can_be_redirected(lab):
    script = """
        $all = pkitools get-phonebook /nonexistent/rasphone.pbk -o clixml 2>&1
        $all[0].FullyQualifiedErrorId; $all[0].CategoryInfo.Category; $LASTEXITCODE
        $none = pkitools get-phonebook /nonexistent/rasphone.pbk -o clixml 2>$null; $null -eq $none"""
    assert lab.output(script) == ["FileAccess", "ReadError", "2", "True"]


def run_cli(lab: PowerShellLab, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(lab.folder / "pkitools"), *arguments], input=data, capture_output=True, env=lab.environment, check=False
    )


def test_on_a_terminal_it_is_the_table_and_a_note(lab, book):
    master, slave = pty.openpty()
    done = subprocess.run(
        [str(lab.folder / "pkitools"), "get-phonebook", str(book), "-o", "clixml"],
        stdout=slave, stderr=subprocess.PIPE, env=lab.environment, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert done.returncode == 0
    assert "Zo\u00eb" in shown and "<Obj" not in shown and HEADER not in shown
    assert b"-o clixml is for a program that captures it" in done.stderr


# --- nothing that is written kills a PowerShell ------------------------------------------------------------------------

READER = """
$script:before = @(Get-Content -LiteralPath '{file}').Count
$all = cat '{file}' 2>&1
$records = @($all | Where-Object {{ $_ -isnot [Management.Automation.ErrorRecord] }})
$errors = @($all | Where-Object {{ $_ -is [Management.Automation.ErrorRecord] }})
[Console]::Out.WriteLine((@{{ lines = $before; records = $records.Count; errors = $errors.Count
    bad = @($errors | Where-Object FullyQualifiedErrorId -match 'CliXml').Count
    texts = @($records | ForEach-Object {{ if ($null -ne $_.Text) {{ [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes([char[]] $_.Text)) }} }})
}} | ConvertTo-Json -Compress))
"""


@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(values=st.lists(VALUES, min_size=20, max_size=60), texts=st.lists(TEXT, min_size=20, max_size=40))
def test_a_powershell_survives_whatever_is_written(
    pwsh, plain_powershell, tmp_path, values: list[Any], texts: list[str]
) -> None:
    lines = [HEADER]
    for value in values:
        writer = Writer()
        begin = writer.begin_envelope()
        lines.append(document(f"{begin}<MS>{writer.value(value, 'Value')}</MS></Obj>"))
    for text in texts:
        writer = Writer()
        begin = writer.begin_envelope()
        lines.append(document(f"{begin}<MS>{writer.value(text, 'Text')}{writer.value(1, 'p' + text)}</MS></Obj>"))
        form = ClixmlDoor(Sample, "sample")
        lines.append(form.error(PkiToolsError(text, hint=text)).rstrip("\n"))
        lines.append(form.notice(Notice(text, Severity.NOTE)).rstrip("\n"))
    for item in _one("good", False):
        lines.append(ClixmlDoor(Sample, "sample").outcome(item).rstrip("\n"))
    file = tmp_path / "door.txt"
    file.write_text("\n".join(lines) + "\n", "ascii")
    done = run_file(pwsh, READER.format(file=file), plain_powershell.environment)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert read["lines"] == len(lines)
    assert read["bad"] == 0
    assert read["records"] == len(values) + len(texts) + 1
    assert read["errors"] == len(texts)
    back = [base64.b64decode(item).decode("utf-16-le", "surrogatepass") for item in read["texts"]]
    assert back == [joined(text) for text in texts]


def joined(text: str) -> str:
    """Surrogates that stand beside each other are one character in UTF-16."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


# --- what PowerShell writes, the commands read ----------------------------------------------------------------------------

CA = "[pscustomobject]@{ Name = 'K\u00f6ln'; ConfigString = '127.77.0.1\\K!00f6ln \U0001f511'; When = Get-Date }"
WRITTEN = {
    "one object": "{ca} | ConvertTo-Json",
    "an array": "@({ca}, {ca}) | ConvertTo-Json",
    "a list of one": "{ca} | ConvertTo-Json -AsArray -Compress",
    "a string": "'127.77.0.1\\x' | ConvertTo-Json",
    "ndjson": "1..2 | ForEach-Object {{ {ca} | ConvertTo-Json -Compress }}",
}
EXPORTED = {
    "utf8": "{ca} | Export-Clixml {file}",
    "utf16": "{ca}, {ca} | Export-Clixml {file} -Encoding unicode",
    "a list": "Export-Clixml {file} -InputObject @({ca}, {ca})",
    "a table": "@{{ ConfigString = '127.77.0.1\\x'; Other = 1 }} | Export-Clixml {file}",
    "our own again": "$x = {ca}; $x.pstypenames.Insert(0, 'PKI.CertificateServices.CertificateAuthority'); $x | Export-Clixml {file}; $y = Import-Clixml {file}; $y | Select-Object * | Export-Clixml {file}",
    "json in utf16": "{ca} | ConvertTo-Json | Set-Content {file} -Encoding unicode",
    "json with a mark": "{ca} | ConvertTo-Json | Set-Content {file} -Encoding utf8BOM",
    "a depth of one": "{ca} | Export-Clixml {file} -Depth 1",
}


@pytest.mark.parametrize("form", WRITTEN)
def test_ping_ca_reads_what_convertto_json_pipes(lab, form):
    script = (
        f"$r = @({WRITTEN[form].format(ca=CA)} | pkitools ping-ca - --auth ntlm --user 'LAB\\x' --password-env USERNAME_ --timeout 2 -o json | ConvertFrom-Json); "
        "$r.Count; $r.Target | Select-Object -Unique; $LASTEXITCODE"
    )
    found = lab.output(f"$env:USERNAME_ = 'x'; {script}")
    count = "2" if form in ("an array", "ndjson") else "1"
    target = "127.77.0.1\\x" if form == "a string" else "127.77.0.1\\K!00f6ln \U0001f511"
    assert found == [count, target, "3"]


@pytest.mark.parametrize("form", EXPORTED)
def test_ping_ca_reads_files_that_powershell_wrote(lab, tmp_path, form):
    file = tmp_path / "x"
    assert lab.output(EXPORTED[form].format(ca=CA, file=file)) == []
    arguments = [
        "ping-ca",
        "-",
        "--auth",
        "ntlm",
        "--user",
        "LAB\\x",
        "--password-env",
        "WORD",
        "--timeout",
        "2",
        "-o",
        "json",
    ]
    lab.environment["WORD"] = "x"
    done = run_cli(lab, *arguments, data=file.read_bytes())
    records = json.loads(done.stdout)
    assert done.returncode == 3, done.stderr
    assert len(records) == (2 if form in ("utf16", "a list") else 1)
    assert {item["Target"] for item in records} == {
        "127.77.0.1\\x" if form == "a table" else "127.77.0.1\\K!00f6ln \U0001f511"
    }
