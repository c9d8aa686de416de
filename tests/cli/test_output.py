"""Where the output goes when it cannot go where it should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_behind_standard_output_is_an_error_and_no_bug():
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "pkitools", "get-error-message", "5"]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr == "error: cannot write to standard output: No space left on device\n"
