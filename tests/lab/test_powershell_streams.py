"""The module in a real PowerShell: errors, preferences, secrets, names, many records, and how a call ends early."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.lab.listeners import Listener, sleep_until_left
from tests.lab.powershell_lab import PowerShellLab

pytestmark = [pytest.mark.lab, pytest.mark.pwsh]

NASTY = 'It\'s "quoted" $HOME $(1) `n {0} %s ; | & \u00e9\U0001f511'
KEY = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
REFUSED = "127.77.0.1:1"
"""Nobody listens there."""


@pytest.fixture
def lab(plain_powershell: PowerShellLab) -> PowerShellLab:
    return plain_powershell


def quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def phonebook(path: Path, names: list[str]) -> Path:
    path.write_bytes("".join(f"[{name}]\r\nVpnStrategy=14\r\nIpInterfaceMetric=3\r\n\r\n" for name in names).encode())
    return path


def children(parent: int) -> list[int]:
    """The bridges that run below a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z" and b"powershell-bridge" in command:
            found.append(int(folder.name))
    return found


def none_left(parent: int, seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while children(parent):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phonebook(tmp_path_factory.mktemp("many") / "rasphone.pbk", [f"VPN {number}" for number in range(10_000)])


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """A host that accepts and says nothing."""
    listener = Listener(lambda connection: sleep_until_left(connection, 60))
    yield f"127.0.0.1:{listener.port}"
    listener.close()


# --- errors and preferences ------------------------------------------------------------------------------------------


def test_an_error_record_has_id_category_target_and_remedy(lab):
    answer = lab.run(
        f"Test-WebServerSSL {REFUSED}; $Error[0].Exception.HResult; $Error[0].ErrorDetails.RecommendedAction"
    )
    (error,) = answer["errors"]
    assert error["id"] == "ConnectionFailed,Test-WebServerSSL"
    assert (error["category"], error["target"]) == ("ConnectionError", REFUSED)
    assert int(answer["output"][0]) & 0xFFFFFFFF == 0x80004005  # E_FAIL: Windows has no code of its own for it here
    assert answer["output"][1]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (f"Test-WebServerSSL {REFUSED} -ErrorAction SilentlyContinue -ErrorVariable e; $e.Count; $?; 'on'", ["1", "on"]),
        (f"try {{ Test-WebServerSSL {REFUSED} -ErrorAction Stop; 'no' }} catch {{ $_.FullyQualifiedErrorId }}", None),
        (f"$ErrorActionPreference='Stop'; try {{ Test-WebServerSSL {REFUSED}; 'no' }} catch {{ $_.FullyQualifiedErrorId }}", None),
        (f"function f {{ $ErrorActionPreference='Stop'; Test-WebServerSSL {REFUSED} }}; try {{ f; 'no' }} catch {{ $_.FullyQualifiedErrorId }}", None),
    ],
)  # fmt: skip
def test_errors_obey_the_caller(lab, script, expected):
    answer = lab.run(script)
    assert answer["errors"] == [] and answer["thrown"] is None
    if expected is None:
        assert answer["output"] == ["ConnectionFailed,Test-WebServerSSL"]
    else:
        assert [item for item in answer["output"] if item not in ("True", "False")] == expected


def test_stop_without_a_catch_ends_the_script(lab):
    answer = lab.run(f"Test-WebServerSSL {REFUSED} -ErrorAction Stop; 'not reached'")
    assert answer["output"] == []
    assert answer["thrown"]["id"] == "ConnectionFailed,Test-WebServerSSL"


def test_what_stops_the_command_is_terminating_also_without_stop(lab):
    script = "try { Compare-IPsecPolicy no-such-policy windows-default; 'on' } catch { $_.CategoryInfo.Category; $_.FullyQualifiedErrorId }"
    output = lab.output(script)
    assert output[0] in ("ReadError", "InvalidArgument", "InvalidData")
    assert output[1].endswith(",Compare-IPsecPolicy")


def test_errors_and_results_keep_their_places(lab, tmp_path):
    good = tmp_path / "a.pem"
    good.write_bytes(KEY)
    script = (
        f"{quoted(good)}, {quoted(tmp_path / 'none.pem')}, {quoted(good)} | Get-CertificateFile 2>&1 | "
        "ForEach-Object { $_ -is [Management.Automation.ErrorRecord] }"
    )
    assert lab.output(script) == ["False", "True", "False"]


def test_verbose_is_silent_unless_wanted(lab):
    assert lab.run("Get-ErrorMessage 5")["verbose"] == []
    assert "exit code 0" in lab.run("Get-ErrorMessage 5 -Verbose")["verbose"][-1]
    assert lab.run("$VerbosePreference = 'Continue'; Get-ErrorMessage 5")["verbose"]


def test_a_missing_and_an_older_and_a_newer_program_are_one_error_with_the_remedy(lab, tmp_path):
    older = tmp_path / "older"
    older.write_text("#!/bin/sh\necho \"Error: No such command 'powershell-bridge'.\" >&2\nexit 2\n")
    older.chmod(0o755)
    cases = [("/nonexistent/pkitools", "ProgramMissing", "NotInstalled", "install pkitools")]
    cases += [(older, "ProgramEnded", "OperationStopped", "pkitools powershell install")]
    for program, error, category, remedy in cases:
        script = f"""
            $before = $env:PKITOOLS_PROGRAM; $env:PKITOOLS_PROGRAM = {quoted(program)}
            try {{ Get-ErrorMessage 5 }} catch {{ $_.FullyQualifiedErrorId; $_.CategoryInfo.Category; "$_" }} finally {{ $env:PKITOOLS_PROGRAM = $before }}"""
        found = lab.output(script)
        assert found[:2] == [f"{error},Get-ErrorMessage", category]
        assert remedy in found[2]
    assert "No such command" in found[2]
    newer = '& (Get-Module PkiTools) { $script:Protocol = 99 }; try { Get-ErrorMessage 5 } catch { $_.FullyQualifiedErrorId; "$_" }'
    found = lab.output(newer)
    assert found[0] == "ModuleVersionMismatch,Get-ErrorMessage"
    assert "pkitools powershell install" in found[1]


def test_a_line_that_is_no_record_is_an_error_and_the_rest_arrives(lab, tmp_path):
    broken = tmp_path / "broken"
    broken.write_text(f"#!/bin/sh\necho 'not XML'\nexec {lab.folder}/pkitools \"$@\"\n")
    broken.chmod(0o755)
    script = f"""
        $before = $env:PKITOOLS_PROGRAM; $env:PKITOOLS_PROGRAM = {quoted(broken)}
        try {{ (Get-ErrorMessage 5 -ErrorVariable e -ErrorAction SilentlyContinue).Length -gt 5; $e[0].FullyQualifiedErrorId }}
        finally {{ $env:PKITOOLS_PROGRAM = $before }}"""
    assert lab.output(script) == ["True", "BadRecord,Get-ErrorMessage"]


# --- -WhatIf, -Confirm and what is written -----------------------------------------------------------------------------


def test_whatif_changes_nothing_and_force_is_needed_to_overwrite(lab, tmp_path):
    book = phonebook(tmp_path / "a.pbk", ["A"])
    before = book.read_bytes()
    assert lab.output(f"Set-RasPhonebook {quoted(book)} -All -Ipv4Metric 9 -WhatIf") == []
    assert book.read_bytes() == before
    assert lab.output(f"Set-RasPhonebook {quoted(book)} -All -Ipv4Metric 9 -Confirm:$false | Out-Null") == []
    assert b"IpInterfaceMetric=9" in book.read_bytes()
    assert lab.output(f"$WhatIfPreference = $true; Set-RasPhonebook {quoted(book)} -All -Ipv4Metric 4") == []
    assert b"IpInterfaceMetric=9" in book.read_bytes()


def test_confirm_without_a_host_to_ask_is_an_error_and_nothing_is_written(lab, tmp_path):
    book = phonebook(tmp_path / "a.pbk", ["A"])
    done = lab.run_file(
        f"try {{ Set-RasPhonebook {quoted(book)} -All -Ipv4Metric 9 -Confirm; 'no' }} catch {{ 'asked' }}"
    )
    assert done.stdout.strip() == "asked"
    assert b"IpInterfaceMetric=3" in book.read_bytes()


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_secrets_reach_the_program_and_stand_neither_in_its_arguments_nor_its_environment(lab, tmp_path):
    spy = tmp_path / "spy"
    seen = tmp_path / "seen"
    spy.write_text(f'#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ >> {seen}\nexec {lab.folder}/pkitools "$@"\n')
    spy.chmod(0o755)
    secret = "S\u00e9cret-\U0001f511-$`'\"{}"
    script = f"""
        $before = $env:PKITOOLS_PROGRAM; $env:PKITOOLS_PROGRAM = {quoted(spy)}
        $word = [Security.SecureString]::new(); foreach ($c in {quoted(secret)}.ToCharArray()) {{ $word.AppendChar($c) }}
        try {{
            $key = [Security.Cryptography.RSA]::Create(2048)
            $made = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=x', $key, 'SHA256',
                [Security.Cryptography.RSASignaturePadding]::Pkcs1).CreateSelfSigned([datetime]::UtcNow, [datetime]::UtcNow.AddDays(9))
            [IO.File]::WriteAllBytes({quoted(tmp_path / "a.pfx")}, $made.Export('Pfx', {quoted(secret)}))
            Convert-PfxToPem {quoted(tmp_path / "a.pfx")} $word {quoted(tmp_path / "a.pem")}
            (Get-Content {quoted(tmp_path / "a.pem")}) -match '-----BEGIN PRIVATE'
            $null = Get-CertificationAuthority -Server {REFUSED[:-2]} -Credential ([pscredential]::new('AD\\x', $word)) -ErrorAction SilentlyContinue
        }} catch {{ $_.CategoryInfo.Category }} finally {{ $env:PKITOOLS_PROGRAM = $before }}"""
    assert lab.output(script) == ["-----BEGIN PRIVATE KEY-----", "ConnectionError"]
    recorded = seen.read_bytes()
    assert recorded.count(b"powershell-bridge") >= 2
    assert secret.encode() not in recorded and secret.encode("utf-16-le") not in recorded
    assert b"cret-" not in recorded


# --- names -----------------------------------------------------------------------------------------------------------


def test_names_survive_in_both_directions(lab, tmp_path):
    names = [NASTY, "a\nb\tc", "[x]*?`", "\u00fc\u0308 \u0416 \u4e2d \U0001f600", "{0}", "_x0041_"]
    for name in names:
        phonebook(tmp_path / name, ["E"])
    listed = "; ".join(
        f"[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('{encoded(str(tmp_path / n))}'))" for n in names
    )
    script = f"""
        $paths = @({listed.replace("; ", ", ")})
        $found = $paths | Get-RasPhonebook
        $found.Count
        foreach ($i in 0..($paths.Count - 1)) {{ [string] $found[$i].Target -ceq $paths[$i] -or "$($found[$i].Target)" }}"""
    output = lab.output(script)
    assert output[0] == str(len(names))
    assert [
        item for item in output[1:] if item != "True" and not any(item.startswith(str(tmp_path / n)) for n in names)
    ] == []


def test_entries_of_any_name_are_found_by_it(lab, tmp_path):
    book = phonebook(tmp_path / "a.pbk", [NASTY, "Zo\u00eb", "_x0041_"])
    for name in (NASTY, "Zo\u00eb", "_x0041_"):
        assert lab.output(f"(Get-RasPhonebook {quoted(book)} -Entry {quoted(name)}).Name") == [name]


def encoded(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()


# --- many, none ------------------------------------------------------------------------------------------------------


def test_ten_thousand_records(lab, many):
    script = f"$n = 0; Get-RasPhonebook {quoted(many)} | ForEach-Object {{ $n++; $last = $_.Name }}; $n; $last"
    assert lab.output(script) == ["10000", "VPN 9999"]


def test_a_thousand_hosts_in_one_call(lab):
    script = """
        $hosts = 1..1000 | ForEach-Object { '127.77.{0}.{1}:1' -f [math]::Floor($_ / 250), ($_ % 250 + 1) }
        $hosts | Test-WebServerSSL -ErrorAction SilentlyContinue -ErrorVariable e
        @($e.TargetObject | Sort-Object -Unique).Count; @(Compare-Object $hosts $e.TargetObject).Count"""
    assert lab.output(script) == ["1000", "0"]


def test_nothing_in_is_nothing_out_and_no_program(lab):
    script = """
        $before = $env:PKITOOLS_PROGRAM; $env:PKITOOLS_PROGRAM = '/nonexistent'
        try { $found = @(@() | Test-WebServerSSL; @() | Ping-ICertInterface; @() | Get-CATemplate; @() | Get-RasPhonebook); $found.Count }
        finally { $env:PKITOOLS_PROGRAM = $before }"""
    assert lab.output(script) == ["0"]


# --- ends ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("| Select-Object -First 1 -ExpandProperty Name", ["VPN 0"]),
        ("| ForEach-Object { throw 'enough' }", ["enough"]),
        ("| ForEach-Object { if ($_.Name -eq 'VPN 3') { Write-Error 'x' -ErrorAction Stop } }", ["x"]),
    ],
)
def test_a_consumer_that_has_enough_leaves_no_child(lab, many, end, expected):
    assert lab.output(f"try {{ Get-RasPhonebook {quoted(many)} {end} }} catch {{ $_.Exception.Message }}; 'on'") == [
        *expected,
        "on",
    ]
    assert none_left(lab.worker.pid)


@pytest.mark.parametrize(("word", "expected"), [("break", ["turn", "after"]), ("continue", ["turn", "turn", "after"])])
def test_break_and_continue_leave_no_child_and_reach_the_callers_loop(lab, many, word, expected):
    script = f"foreach ($i in 1, 2) {{ 'turn'; Get-RasPhonebook {quoted(many)} | ForEach-Object {{ {word} }}; 'no' }}; 'after'"
    assert lab.output(script) == expected
    assert none_left(lab.worker.pid)


def test_a_child_that_is_killed_is_one_terminating_error(lab, silent):
    script = f"""
        $job = Start-ThreadJob {{ param($parent) while ($true) {{
            foreach ($folder in [IO.Directory]::GetDirectories('/proc')) {{ try {{
                if ([IO.File]::ReadAllText("$folder/cmdline").Contains('powershell-bridge') -and
                    [IO.File]::ReadAllText("$folder/stat").Split(')')[-1].Trim().Split(' ')[1] -eq "$parent") {{
                    Start-Sleep -Milliseconds 400; Stop-Process -Force -Id ([IO.Path]::GetFileName($folder)); return }} }} catch {{ }} }}
            Start-Sleep -Milliseconds 50 }} }} -ArgumentList $PID
        try {{ Test-WebServerSSL {silent} -Timeout 50000; 'no' }} catch {{ $_.FullyQualifiedErrorId; "$_" -match 'exit code 137' }}
        Remove-Job $job -Force"""
    assert lab.output(script) == ["ProgramEnded,Test-WebServerSSL", "True"]


def test_ctrl_c_leaves_no_child(lab, silent, tmp_path):
    script = tmp_path / "wait.ps1"
    script.write_text(f"{lab.preamble}\n'begun'\nTest-WebServerSSL {silent} -Timeout 60000\n'not reached'\n")
    process = subprocess.Popen(
        [lab.pwsh, "-NoProfile", "-File", str(script)], env=lab.environment, stdout=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + 30
        while not (running := children(process.pid)):
            assert time.monotonic() < end, "the program was not started"
            time.sleep(0.05)
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert "not reached" not in output
    end = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in running):
        assert time.monotonic() < end, "the child still runs"
        time.sleep(0.05)


def test_exit_codes_of_a_script_are_powershells(lab):
    failed = lab.run_file(f"Test-WebServerSSL {REFUSED} -ErrorAction Stop")
    assert failed.returncode == 1
    assert "Test-WebServerSSL" in failed.stdout + failed.stderr
    fine = lab.run_file(f"Test-WebServerSSL {REFUSED} -ErrorAction SilentlyContinue; (Get-ErrorMessage 5).Length -gt 3")
    assert (fine.returncode, fine.stdout.strip()) == (0, "True")


def test_uncaptured_the_module_shows_a_table_not_xml(lab, tmp_path):
    book = phonebook(tmp_path / "a.pbk", ["Zo\u00eb"])
    shown = lab.run_file(f"[Console]::OutputEncoding = [Text.Encoding]::UTF8; Get-RasPhonebook {quoted(book)}").stdout
    assert "Zo\u00eb" in shown
    assert "<Obj" not in shown


def test_installed_beside_the_program_it_needs_no_variable(lab, tmp_path):
    program = str(lab.folder / "pkitools")
    done = subprocess.run(
        [program, "powershell", "install", "--folder", str(tmp_path), "-o", "json"],
        capture_output=True, text=True, env=lab.environment, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)[0]["Status"] == "OK"
    (tmp_path / "PkiTools" / "program.txt").write_text(program + "\n")
    script = f"Remove-Item Env:PKITOOLS_PROGRAM; Remove-Module PkiTools; Import-Module {quoted(tmp_path / 'PkiTools')}; (Get-ErrorMessage 5).Length -gt 3"
    assert lab.run_file(script, PATH="/usr/bin:/bin").stdout.strip() == "True"
