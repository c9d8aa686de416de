"""``scripts/pkitools`` and ``scripts/setup`` on machines that lack something."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the scripts and nothing made yet."""
    folder = tmp_path / "check out"
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def run(command, *arguments, **environment):
    settings = {**os.environ, **environment}
    return subprocess.run([command, *arguments], env=settings, cwd="/", capture_output=True, text=True, check=False)


def test_arguments_reach_the_program_through_a_link_and_from_another_folder(checkout, tmp_path):
    script(checkout / ".venv/bin/python", 'printf "%s|" "$@"')
    (checkout / ".venv/.ready").touch()
    link = tmp_path / "pkitools"
    link.symlink_to(checkout / "scripts/pkitools")
    ran = run(link, "show", "a b", "")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "-m|pkitools|show|a b||", "")


def test_a_python_without_venv_names_the_one_command(checkout, tmp_path):
    bin_folder = tmp_path / "bin"
    script(bin_folder / "id", "echo 1000")
    python = script(bin_folder / "python", 'case "$*" in *ensurepip*) exit 1;; esac; exec python3 "$@"')
    path = f"{bin_folder}:{os.environ['PATH']}"
    ran = run(checkout / "scripts/pkitools", "--version", PATH=path, PYTHON=str(python))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "'sudo apt-get install python3-venv'" in ran.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_checkout_that_cannot_be_written_says_so(checkout):
    checkout.chmod(0o555)
    ran = run(checkout / "scripts/pkitools", "--version")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "cannot be written" in ran.stderr
