from __future__ import annotations

import re
from pathlib import Path

import pytest

from pkitools import __version__
from pkitools.errors import InputError
from pkitools.models.powershell import ModuleAction
from pkitools.powershell import install
from pkitools.powershell.install import FILES, manage, source_folder


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "find_program", lambda: "/opt/pki tools/bin/pkitools")


def test_install_puts_every_file_and_the_program_into_place_and_uninstall_takes_them_away(tmp_path: Path):
    (done,) = manage(ModuleAction.INSTALL, str(tmp_path / "Módules"))
    target = tmp_path / "Módules" / "PkiTools"
    assert done.path == str(target)
    assert {item.name for item in target.iterdir()} == {*FILES, "program.txt"}
    assert (target / "program.txt").read_text() == "/opt/pki tools/bin/pkitools\n"
    manage(ModuleAction.INSTALL, str(tmp_path / "Módules"))
    manage(ModuleAction.UNINSTALL, str(tmp_path / "Módules"))
    assert not target.exists()


def test_uninstall_removes_nothing_but_the_module(tmp_path: Path):
    (tmp_path / "PkiTools").mkdir()
    (tmp_path / "PkiTools" / "mine.txt").write_text("x")
    with pytest.raises(InputError):
        manage(ModuleAction.UNINSTALL, str(tmp_path))
    assert (tmp_path / "PkiTools" / "mine.txt").exists()


def test_default_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert install.default_folders() == (tmp_path / "powershell" / "Modules",)


def test_the_module_is_ascii_and_of_this_version():
    for name in FILES:
        (source_folder() / name).read_text("ascii")
    manifest = (source_folder() / "PkiTools.psd1").read_text("ascii")
    assert re.search(rf"ModuleVersion\s*=\s*'{re.escape(__version__)}'", manifest)


def test_the_module_has_none_of_the_constructions_that_fail_somewhere():
    text = (source_folder() / "PkiTools.psm1").read_text("ascii")
    code = re.sub(r"<#.*?#>|#[^\n]*", "", text, flags=re.DOTALL)
    assert not re.search(r"^\s*class\s", code, re.MULTILINE)
    assert "Add-Type" not in code
    assert not re.search(r"\bclean\s*\{", code)
    assert "PtrToStringAuto" not in code
