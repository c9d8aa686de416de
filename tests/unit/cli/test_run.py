from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest

from pkitools.cli import main, registry
from pkitools.cli.registry import CommandSpec

NASTY = "Zoë \U0001f511\x1b]0;x\x07\u202e"


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = CommandSpec("sample", "tests.unit.cli.sample", "sample", "Make samples.", "tests.unit.cli.sample:Sample")
    for module in (registry, main):
        monkeypatch.setattr(module, "COMMANDS", (spec,))


def run(capfd: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = main.run(list(args))
    out, err = capfd.readouterr()
    return code, out, err


def test_good_result_exits_0_with_empty_stderr(capfd):
    code, out, err = run(capfd, "sample", "good")
    assert (code, err) == (0, "")
    assert "good" in out


@pytest.mark.parametrize(
    ("names", "code"),
    [(["good"], 0), (["expired"], 1), (["dead"], 3), (["expired", "dead"], 3), (["dead", "good", "expired"], 3)],
)
def test_highest_exit_code_decides(capfd, names, code):
    assert run(capfd, "sample", *names)[0] == code


def test_json_is_one_ascii_array_with_every_property(capfd):
    code, out, err = run(capfd, "sample", NASTY, "dead", "-o", "json")
    assert out.isascii()
    good, dead = json.loads(out)
    assert list(good) == list(dead)
    assert list(good)[:3] == ["DisplayName", "OID", "When"]
    assert good["DisplayName"] == NASTY
    assert good["When"] == "2026-01-02T03:04:05+00:00"
    assert good["Rights"] == "READ, WRITE"
    assert good["Inner"] == {"SerialNumber": "0A", "Raw": "/wA="}
    assert dead["DisplayName"] is None
    assert dead["Status"] == "NoAnswer"
    assert dead["Reason"]["Code"] == "RPC_S_SERVER_UNAVAILABLE"
    assert dead["Reason"]["CodeHex"] == "0x000006BA"
    assert (code, err) == (3, "")


def test_ndjson_is_one_object_a_line(capfd):
    _, out, _ = run(capfd, "sample", "a", "b", "-o", "ndjson")
    assert [json.loads(line)["Target"] for line in out.splitlines()] == ["a", "b"]


def test_csv_has_nested_columns_and_one_row_each(capfd):
    _, out, _ = run(capfd, "sample", NASTY, "dead", "-o", "csv")
    assert out.isascii()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert rows[0]["Inner.SerialNumber"] == "0A"
    assert rows[1]["Reason.Id"] == "ConnectionFailed"
    assert rows[0]["Target"].startswith("Zo\\u00eb")


def test_no_targets_at_all_is_still_valid_json(capfd, monkeypatch):
    spec = CommandSpec("none", "tests.unit.cli.test_run", "nothing", "Nothing.", "tests.unit.cli.sample:Sample")
    monkeypatch.setattr(registry, "COMMANDS", (spec,))
    assert run(capfd, "none", "-o", "json")[:2] == (0, "[]\n")


def nothing() -> list[object]:
    return []


def test_table_escapes_what_a_terminal_would_obey(capfd):
    _, out, _ = run(capfd, "sample", NASTY)
    assert "\x1b" not in out
    assert "\\x1b]0;x\\x07\\u202e" in out
    assert "Zoë \U0001f511" in out


def test_dead_target_says_what_and_next_step(capfd):
    _, out, _ = run(capfd, "sample", "dead")
    assert "connection to dead:443 refused (RPC_S_SERVER_UNAVAILABLE 0x000006BA)" in out
    assert "next: is it up?" in out


def test_error_that_stops_all_goes_to_stderr_and_leaves_valid_json(capfd):
    code, out, err = run(capfd, "sample", "good", "bad-option", "-o", "json")
    assert code == 2
    assert [item["Target"] for item in json.loads(out)] == ["good"]
    assert err == "error: the option is bad\n  next: use a good one\n"


def test_notice_goes_to_stderr_escaped(capfd):
    code, out, err = run(capfd, "sample", "notice", "-o", "json")
    assert (code, out, err) == (0, "[]\n", "warning: look \\x1b[31mout\n")


def test_raw_output_stands_alone(capfd):
    assert run(capfd, "sample", "raw", "good")[1] == "\x00raw\n"


def test_out_writes_the_file_and_nothing_else(capfd, tmp_path: Path):
    path = tmp_path / "report.json"
    code, out, err = run(capfd, "sample", "expired", "-o", "json", "-O", str(path))
    assert (code, out, err) == (1, "", "")
    assert json.loads(path.read_text())[0]["Target"] == "expired"


def test_failed_command_leaves_an_older_report(capfd, tmp_path: Path):
    path = tmp_path / "report.json"
    path.write_text("old")
    assert run(capfd, "sample", "bad-option", "-o", "json", "-O", str(path))[0] == 2
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_out_in_a_missing_folder_is_an_error(capfd, tmp_path: Path):
    code, _, err = run(capfd, "sample", "good", "-O", str(tmp_path / "missing" / "x"))
    assert code == 2
    assert "cannot write" in err


def test_bug_exits_5_without_the_exceptions_text(capfd):
    code, _, err = run(capfd, "sample", "x", "--boom")
    assert code == 5
    assert "ZeroDivisionError at sample.py:" in err
    assert "hunter2" not in err


def test_usage_error_exits_2(capfd):
    code, out, err = run(capfd, "sample")
    assert (code, out) == (2, "")
    assert "names" in err.lower()


def test_unknown_command_names_a_near_one(capfd):
    code, _, err = run(capfd, "sampel")
    assert code == 2
    assert "Did you mean 'sample'?" in err


def test_help_shows_examples_and_exit_codes(capfd):
    code, out, _ = run(capfd, "sample", "--help")
    assert code == 0
    assert "pkitools sample Zoë" in out
    assert "130  interrupted" in out


def test_root_help_lists_commands(capfd):
    code, out, _ = run(capfd, "--help")
    assert code == 0
    assert "sample" in out
    assert "Make samples." in out
