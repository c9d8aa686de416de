"""Real programs that the lab tests start."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest


def require_program(name: str) -> str:
    """The program's path. Skips the test without it, and fails in CI, which installs every program."""
    beside_python = Path(sys.executable).parent
    path = shutil.which(name, path=f"{beside_python}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        refuse(f"the program {name} is not installed")
    return path


def refuse(reason: str) -> None:
    """Skip with the reason, or fail when CI promised that everything is there."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
