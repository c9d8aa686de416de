"""A PowerShell for tests: one worker process that answers many scripts, and processes of their own for the rest.

The worker reads a JSON line ``{"script": ...}`` and answers with one JSON line; each script runs in a fresh runspace. A
hosted runspace always captures, so console behaviour, exit codes and crashes need ``run_file``.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

WORKER = r"""
$ErrorActionPreference = 'Stop'
[Console]::OutputEncoding = [Text.UTF8Encoding]::new($false)
$in = [IO.StreamReader]::new([Console]::OpenStandardInput(), [Text.UTF8Encoding]::new($false))
while ($null -ne ($line = $in.ReadLine())) {
    $ask = $line | ConvertFrom-Json
    $rs = [runspacefactory]::CreateRunspace(); $rs.Open()
    $ps = [powershell]::Create(); $ps.Runspace = $rs
    $answer = [ordered]@{ output = @(); errors = @(); warnings = @(); verbose = @(); information = @(); thrown = $null }
    try {
        $null = $ps.AddScript($ask.script)
        $answer.output = @($ps.Invoke() | ForEach-Object { if ($null -eq $_) { $null } else { "$_" } })
    } catch {
        $e = $_.Exception
        $inner = if ($e.InnerException) { $e.InnerException } else { $e }
        $id = if ($inner.ErrorRecord) { $inner.ErrorRecord.FullyQualifiedErrorId } else { $inner.GetType().FullName }
        $answer.thrown = [ordered]@{ id = $id; message = $inner.Message }
    }
    $answer.errors = @($ps.Streams.Error | ForEach-Object {
        [ordered]@{ id = $_.FullyQualifiedErrorId; category = "$($_.CategoryInfo.Category)"; message = "$_"
                    target = "$($_.TargetObject)" } })
    $answer.warnings = @($ps.Streams.Warning | ForEach-Object { "$_" })
    $answer.verbose = @($ps.Streams.Verbose | ForEach-Object { "$_" })
    $answer.information = @($ps.Streams.Information | ForEach-Object { "$_" })
    $ps.Dispose(); $rs.Dispose()
    [Console]::Out.WriteLine(($answer | ConvertTo-Json -Depth 6 -Compress -EscapeHandling EscapeNonAscii))
    [Console]::Out.Flush()
}
"""


class PwshWorker:
    """One PowerShell process that runs scripts one after the other."""

    def __init__(self, program: str, environment: dict[str, str]) -> None:
        encoded = base64.b64encode(WORKER.encode("utf-16-le")).decode("ascii")
        self._process = subprocess.Popen(
            [program, "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
            encoding="utf-8",
        )

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def run(self, script: str, timeout: float = 60) -> dict[str, Any]:
        """The streams that a script left; text forms of its output objects."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(timeout, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(json.dumps({"script": script}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise RuntimeError(f"PowerShell ended (exit code {self._process.wait()}) at: {script[:300]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def run_file(
    program: str, script: str, environment: dict[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """A script as ``pwsh -File``, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "script.ps1"
        path.write_text(script, "utf-8-sig")
        return subprocess.run(
            [program, "-NoProfile", "-NonInteractive", "-File", str(path)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=environment,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )


def clean_environment(**more: str) -> dict[str, str]:
    """The environment for PowerShell: plain output, no telemetry, nothing of the test runner's colours."""
    return {**os.environ, "NO_COLOR": "1", "POWERSHELL_TELEMETRY_OPTOUT": "1", "TERM": "dumb", **more}
