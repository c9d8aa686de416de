"""Values of the command line: converted without pydantic, and refused as usage errors."""

from __future__ import annotations

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from pkitools.cli import main
from pkitools.cli.coercion import QuickCommand


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark-blue"


def command(got: list[Any]) -> Any:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @app.command(cls=QuickCommand)
    def run(
        names: Annotated[list[str], typer.Argument()],
        number: Annotated[int, typer.Option(min=1, max=9)] = 5,
        seconds: Annotated[float, typer.Option()] = 1.5,
        colour: Annotated[Colour, typer.Option(case_sensitive=False)] = Colour.RED,
        colours: Annotated[list[Colour] | None, typer.Option()] = None,
        path: Annotated[Path | None, typer.Option()] = None,
        existing: Annotated[Path | None, typer.Option(exists=True)] = None,
        flag: Annotated[bool | None, typer.Option("--flag/--no-flag")] = None,
        text: str = "x",
    ) -> None:
        got.append((names, number, seconds, colour, colours, path, existing, flag, text))

    return typer.main.get_command(app)


def run(*arguments: str) -> Any:
    got: list[Any] = []
    command(got).main(list(arguments), standalone_mode=False)
    return got[0]


def test_values() -> None:
    assert run("a", "b")[:4] == (["a", "b"], 5, 1.5, Colour.RED)
    assert not run("a")[4] and run("a")[5:] == (None, None, None, "x")
    found = run("ä", "--number", "9", "--seconds", "2", "--colour", "DARK-Blue", "--colours", "red", "--path", "x/y")
    assert found[:6] == (["ä"], 9, 2.0, Colour.DARK_BLUE, [Colour.RED], Path("x/y"))
    assert found[3] is Colour.DARK_BLUE
    assert run("a", "--flag")[7] is True and run("a", "--no-flag")[7] is False
    assert run("a", "--existing", "/")[6] == Path("/")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--number", "x"], "'x' is not a whole number"),
        (["--number", "10"], "'10' is not in the range 1 <= x <= 9"),
        (["--seconds", "x"], "'x' is not a number"),
        (["--colour", "green"], "'green' is not one of 'red', 'dark-blue'"),
        (["--colours", "DARK"], "'DARK' is not one of"),
    ],
)
def test_refused_as_usage_errors(arguments: list[str], says: str) -> None:
    with pytest.raises(typer.BadParameter, match=says):
        run("a", *arguments)


def test_command_line_says_which_option(capfd: pytest.CaptureFixture[str]) -> None:
    assert main.run(["pfx-to-pem", "x", "--layout", "nothing"]) == 2
    error = capfd.readouterr().err
    assert "--layout" in error and "haproxy" in error


def test_no_pydantic() -> None:
    program = (
        "import sys; from pkitools.cli import main; main.run(sys.argv[1:]); "
        "print([name for name in ('pydantic', 'rich') if name in sys.modules])"
    )
    root = str(Path(main.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program, "pfx-to-pem", "/no/such/file", "--password-insecure", "x"],
        capture_output=True,
        text=True,
        cwd=root,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
