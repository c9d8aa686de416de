"""Switches for the whole suite: PKITOOLS_CORPUS and PKITOOLS_PWSH widen it; without them tests skip and say why."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# a busy machine is no fault of the code: no example is judged by its time
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell's background job hands SIGINT on as ignored, also to the programs that tests interrupt
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of files that real Windows machines made."""
    value = os.environ.get("PKITOOLS_CORPUS")
    if not value:
        pytest.skip("PKITOOLS_CORPUS is not set: no files that Windows made")
    folder = Path(value)
    if not folder.is_dir():
        pytest.fail(f"PKITOOLS_CORPUS is not a folder: {value}")
    return folder


@pytest.fixture(scope="session")
def pwsh() -> str:
    """A PowerShell 7."""
    value = os.environ.get("PKITOOLS_PWSH") or shutil.which("pwsh")
    if not value:
        pytest.skip("no PowerShell: PKITOOLS_PWSH is not set and pwsh is not on PATH")
    if not Path(value).exists():
        pytest.fail(f"PKITOOLS_PWSH does not exist: {value}")
    return str(Path(value).resolve())
