"""Builds the app from the registry. Commands load when they are called: help must appear at once."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pkitools import __version__
from pkitools.cli.coercion import prepared
from pkitools.cli.registry import COMMANDS, spec_of
from pkitools.errors import ExitCode


class CommandGroup(TyperGroup):
    """The commands of the registry, each imported on its first use."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]
        """The options before the command, converted without pydantic."""
        return prepared(super().get_params(ctx))

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """The names in the registry's order."""
        return [spec.name for spec in COMMANDS if not spec.hidden]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command, made from its function."""
        spec = spec_of(cmd_name)
        if spec is None:
            return None
        from pkitools.cli.run import build_command

        return build_command(spec)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """The list of commands in panels, from the registry alone."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for spec in COMMANDS:
            if not spec.hidden:
                panels.setdefault(spec.panel, []).append((spec.name, spec.summary))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """As in the base class, with the commands that exist in the message for one that does not."""
        if args and not args[0].startswith("-") and spec_of(args[0]) is None:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            ctx.fail(f"no such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"pkitools {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=CommandGroup,
    name="pkitools",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback()
def pkitools(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Always On VPN and AD CS troubleshooting from Linux.

    Checks SSTP and IKEv2 servers as a Windows client would, converts PFX and PEM, and looks at enterprise CAs.
    'pkitools COMMAND --help' shows a command's options, examples and exit codes.
    """


def run(args: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        if (sys.argv[1:] if args is None else args) == ["powershell-bridge"]:
            from pkitools.cli.bridge import run_bridge

            return run_bridge()
        app(args=args, prog_name="pkitools")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(ExitCode.OK if stop.code is None else ExitCode.USAGE)
    except Exception as bug:  # noqa: BLE001 - the last resort: a bug must look like one, and not print secrets
        from pkitools.cli.run import report_bug

        report_bug(bug)
        return int(ExitCode.PROTOCOL)
    finally:
        _flush_quietly()
    return int(ExitCode.OK)


def _flush_quietly() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
