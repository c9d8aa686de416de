from __future__ import annotations

from pathlib import Path

from pkitools import errors
from pkitools.errors import EXIT_CODE_HELP, ExitCode, PkiToolsError
from pkitools.models.outcome import Status, failed


def tree(root: type[PkiToolsError]) -> list[type[PkiToolsError]]:
    return [
        root,
        *(item for child in root.__subclasses__() for item in tree(child) if child.__module__ == errors.__name__),
    ]


def test_every_error_of_the_tree_becomes_an_outcome_with_its_exit_code():
    for kind in tree(PkiToolsError):
        outcome = failed("x", kind("what", hint="next", code="CERT_E_EXPIRED"))
        assert outcome.status.exit_code == kind.exit_code
        assert outcome.reason is not None
        assert outcome.reason.code_hex == "0x800B0101"


def test_each_status_has_one_exit_code():
    assert sorted(status.exit_code for status in Status) == [0, 1, 2, 3, 4, 5]


def test_error_ids_are_unique_but_for_inherited_ones():
    ids = [kind.error_id for kind in tree(PkiToolsError)]
    assert len(ids) == len(set(ids))


def test_docs_name_every_exit_code():
    page = (Path(__file__).parents[2] / "docs" / "exit-codes.md").read_text("utf-8")
    for code in ExitCode:
        assert f"| {int(code)} |" in page
    assert set(EXIT_CODE_HELP) == set(ExitCode)
