from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace
from typing import Any

import psrpcore.types
import pytest

from pkitools.cli import bridge, registry
from pkitools.cli.registry import CommandSpec


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = CommandSpec("sample", "tests.unit.cli.sample", "sample", "Make samples.", "tests.unit.cli.sample:Sample")
    monkeypatch.setattr(registry, "COMMANDS", (spec,))


def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request: object) -> tuple[int, list[Any]]:
    data = request if isinstance(request, bytes) else json.dumps(request).encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    code = bridge.run_bridge()
    out, err = capsys.readouterr()
    assert err == ""
    assert out.isascii()
    read = [psrpcore.types.deserialize_clixml(line, None, preserve_streams=True)[0][0] for line in out.splitlines()]
    assert read[-1].Stream == "End"
    assert read[-1].ExitCode == code
    return code, read[:-1]


def test_outcomes_errors_and_warnings_come_as_envelopes_in_order(monkeypatch, capsys):
    names = ["Zoë\n\U0001f511", "notice", "dead", "expired"]
    code, records = ask(
        monkeypatch, capsys, {"Protocol": 1, "Command": "sample", "Arguments": {"names": names, "boom": False}}
    )
    assert code == 3
    assert [item.Stream for item in records] == ["Output", "Warning", "Error", "Output"]
    assert records[0].Value.DisplayName == "Zoë\n\U0001f511"
    error = records[2]
    assert (error.Id, error.Category, error.Target) == ("ConnectionFailed", "ConnectionError", "dead")
    assert int(str(error.HResult)) & 0xFFFFFFFF == 0x800706BA
    assert error.Terminating is False


def test_an_error_that_ends_the_command_is_terminating(monkeypatch, capsys):
    request = {"Protocol": 1, "Command": "sample", "Arguments": {"names": ["good", "bad-option"]}}
    code, records = ask(monkeypatch, capsys, request)
    assert code == 2
    assert [item.Stream for item in records] == ["Output", "Error"]
    assert records[1].Terminating is True
    assert records[1].Hint == "use a good one"


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 100_000,
        {"Command": "sample"},
        {"Protocol": 2, "Command": "sample", "Arguments": {}},
        {"Protocol": 1, "Command": "nothing", "Arguments": {}},
        {"Protocol": 1, "Command": "sample", "Arguments": {"colour": 1}},
        {"Protocol": 1, "Command": "sample", "Arguments": {"names": ["a"], "boom": "yes"}},
    ],
    ids=["empty", "cut", "list", "deep", "no-arguments", "protocol", "command", "parameter", "type"],
)
def test_bad_requests_are_one_error(monkeypatch, capsys, request_):
    code, records = ask(monkeypatch, capsys, request_)
    assert code == 2
    assert [(item.Stream, item.Terminating) for item in records] == [("Error", True)]
