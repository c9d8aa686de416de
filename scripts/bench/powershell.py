"""What the PowerShell side costs: the CLIXML writer beside psrpcore's, and the module beside the bare program.

Usage: python scripts/bench/powershell.py [--records 10000]

All numbers are of this run. The module's part needs a PowerShell (PKITOOLS_PWSH, or pwsh on PATH).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from pkitools.models.outcome import Outcome, Status  # noqa: E402
from pkitools.output.clixml import Writer, document  # noqa: E402
from pkitools.output.records import outcome_values  # noqa: E402


@dataclass(frozen=True, slots=True)
class Inner:
    """A nested object."""

    oid: str
    friendly_name: str


@dataclass(frozen=True, slots=True)
class Row:
    """Thirteen properties with Target, Status and Reason, as most records have."""

    name: str
    display_name: str
    computer_name: str
    config_string: str
    is_accessible: bool
    service_status: str
    not_after: datetime
    days_left: int
    oid: Inner
    names: tuple[str, ...]


ROW = Row("K!00f6ln CA", "Köln CA 🔑", "ca1.example.com", "ca1.example.com\\K!00f6ln CA", True, "Running",
          datetime(2026, 1, 2, tzinfo=UTC), 30, Inner("1.2.3", "User"), ("DNS Name=a", "DNS Name=b"))  # fmt: skip
OUTCOME = Outcome("ca1.example.com", Status.OK, ROW)

FAKE = """
import sys, time
sys.path.insert(0, {root!r})
from pkitools.output.clixml import Writer, document
sys.stdin.buffer.read()
def send(**pairs):
    writer = Writer()
    begin = writer.begin_envelope()
    print(document(begin + "<MS>" + "".join(writer.value(v, k) for k, v in pairs.items()) + "</MS></Obj>"), flush=True)
for _ in range(5):
    send(Stream="Output", Value=int(time.time() * 1000))
    time.sleep(0.2)
send(Stream="End", ExitCode=0, Protocol=1)
"""

SCRIPT = """
$ProgressPreference = 'SilentlyContinue'
$result = @{}
$watch = [Diagnostics.Stopwatch]::StartNew()
Import-Module PkiTools
$result.import = $watch.ElapsedMilliseconds
$watch.Restart(); $null = Get-ErrorMessage 5; $result.first = $watch.ElapsedMilliseconds
function median($block) {
    $times = foreach ($i in 1..15) {
        $watch = [Diagnostics.Stopwatch]::StartNew()
        & $block
        $watch.Elapsed.TotalMilliseconds
    }
    ($times | Sort-Object)[7]
}
$request = '{"Protocol":1,"Command":"get-error-message","Arguments":{"codes":["5"]}}'
$program = $env:PKITOOLS_PROGRAM
$result.bare = median { $null = $request | & $program powershell-bridge }
$result.module = median { $null = Get-ErrorMessage 5 }
function memory {
    [GC]::Collect(); [GC]::WaitForPendingFinalizers()
    [Diagnostics.Process]::GetCurrentProcess().WorkingSet64 / 1MB
}
$watch.Restart(); $n = 0; Get-RasPhonebook $env:BENCH_BOOK | ForEach-Object { $n++ }
$result.many = $watch.ElapsedMilliseconds
$result.count = $n
$before = memory
foreach ($i in 1..3) { Get-RasPhonebook $env:BENCH_BOOK | ForEach-Object { } }
$result.growth = (memory) - $before
$watch.Restart(); $n = 0; & $program get-phonebook $env:BENCH_BOOK -o clixml | ForEach-Object { $n++ }
$result.door = $watch.ElapsedMilliseconds
$env:PKITOOLS_PROGRAM = $env:BENCH_FAKE
function Measure-Lag {
    [CmdletBinding()] param()
    & (Get-Module PkiTools) { param($cmdlet) Invoke-PkiTools -Command x -Arguments @{} -Cmdlet $cmdlet } $PSCmdlet |
        ForEach-Object { [DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds() - $_ }
}
$result.lag = @(Measure-Lag)
$result | ConvertTo-Json -Compress
"""


def per_object(work: Callable[[], object], seconds: float = 0.7) -> float:
    """Microseconds of one call: the best of three rounds."""
    rounds = []
    for _ in range(3):
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds / 3:
            work()
            count += 1
        rounds.append((time.perf_counter() - begin) / count * 1e6)
    return min(rounds)


def bench_writer() -> None:
    import psrpcore.types as ps

    def other(value: Any) -> Any:
        if isinstance(value, Inner):
            return ps.PSCustomObject(OID=value.oid, FriendlyName=value.friendly_name)
        return list(value) if isinstance(value, tuple) else value.value if isinstance(value, Status) else value

    pairs = {item.name: other(value) for item, value in outcome_values(OUTCOME, Row)}
    ours = per_object(lambda: document(Writer().outcome(OUTCOME, Row)))
    theirs = per_object(lambda: ps.serialize_clixml(ps.PSCustomObject(**pairs), None))
    print(f"writer: {ours:.0f} us an object, psrpcore {theirs:.0f} us: {ours / theirs:.2f} times")


def bench_module(pwsh: str, records: int, folder: Path) -> None:
    book, program, fake = folder / "rasphone.pbk", folder / "pkitools", folder / "fake"
    book.write_text("".join(f"[VPN {number}]\r\nIpInterfaceMetric=3\r\n\r\n" for number in range(records)))
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pkitools "$@"\n')
    (folder / "fake.py").write_text(FAKE.format(root=str(ROOT)))
    fake.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder}/fake.py"\n')
    for path in (program, fake):
        path.chmod(0o755)
    environment = {
        **os.environ,
        "PKITOOLS_PROGRAM": str(program),
        "BENCH_BOOK": str(book),
        "BENCH_FAKE": str(fake),
        "PYTHONPATH": str(ROOT),
        "PSModulePath": str(ROOT / "pkitools" / "powershell"),
    }
    script = folder / "bench.ps1"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [pwsh, "-NoProfile", "-NonInteractive", "-File", str(script)], env=environment, capture_output=True, text=True
    )
    if done.returncode or not done.stdout.strip():
        sys.exit(f"PowerShell failed: {done.stderr or done.stdout}")
    result = json.loads(done.stdout.splitlines()[-1])
    print(f"import: {result['import']} ms; first call of the session: {result['first']} ms")
    extra = result["module"] - result["bare"]
    print(f"a call: bare program {result['bare']:.0f} ms, module {result['module']:.0f} ms: {extra:+.0f} ms")
    print(f"from known to in the pipeline: {statistics.median(result['lag'])} ms, at most {max(result['lag'])} ms")
    print(f"{result['count']} records: module {result['many']} ms, door {result['door']} ms")
    print(f"memory after three times as many, piped: {result['growth']:+.0f} MB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=10_000)
    arguments = parser.parse_args()
    bench_writer()
    pwsh = os.environ.get("PKITOOLS_PWSH") or shutil.which("pwsh")
    if not pwsh:
        print("no PowerShell: PKITOOLS_PWSH is not set and pwsh is not on PATH")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        bench_module(pwsh, arguments.records, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
