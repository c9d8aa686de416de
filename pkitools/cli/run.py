"""Runs a command: adds the output options, renders what it returns, maps errors to stderr, picks the exit code.

The one place that prints. Results go to stdout (or the file of ``-O``), everything else to stderr.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, Protocol

import typer

from pkitools.cli.registry import CommandSpec
from pkitools.errors import EXIT_CODE_HELP, ExitCode, PkiToolsError
from pkitools.models.outcome import Batch, Notice, Outcome, RawOutput
from pkitools.output.formats import OutputFormat, make_format

OutputOption = Annotated[
    OutputFormat, typer.Option("--output", "-o", help="Format of the result.", rich_help_panel="Output")
]
OutOption = Annotated[
    str,
    typer.Option("--out", "-O", metavar="PATH", help="Write the result to this file; - is stdout."),
]


def build_command(spec: CommandSpec) -> Any:
    """The command of the command-line library for a registry entry."""
    settings: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    if spec.negative_numbers:
        settings["ignore_unknown_options"] = True
    single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    single.command(name=spec.name, epilog=_epilog(), short_help=spec.summary, context_settings=settings)(_wrap(spec))
    return typer.main.get_command(single)


def _epilog() -> str:
    rows = "\n".join(f"  {int(code):>3}  {text}" for code, text in EXIT_CODE_HELP.items())
    return f"\b\nExit codes:\n{rows}\nWith several targets the highest number decides."


def _wrap(spec: CommandSpec) -> Callable[..., None]:
    function = spec.load_function()

    @functools.wraps(function)
    def command(output: OutputFormat = OutputFormat.TABLE, out: str = "-", **arguments: Any) -> None:
        if spec.writes_files:
            arguments["out"] = out
        code = execute(spec, functools.partial(function, **arguments), output, "-" if spec.writes_files else out)
        raise typer.Exit(int(code))

    signature = inspect.signature(function, eval_str=True)
    extra = [
        inspect.Parameter("output", inspect.Parameter.KEYWORD_ONLY, default=OutputFormat.TABLE, annotation=OutputOption)
    ]
    if not spec.writes_files:
        extra.append(inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default="-", annotation=OutOption))
    parameters = [*signature.parameters.values(), *extra]
    command.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in parameters]
    )
    command.__annotations__ = {item.name: item.annotation for item in parameters}
    return command


def execute(spec: CommandSpec, call: Callable[[], Any], output: OutputFormat, out: str) -> ExitCode:
    """Call the command and render what comes back; returns the exit code."""
    from pkitools.output.text import escape

    sink: _Sink = _FileSink(out) if out != "-" else _StdoutSink()
    try:
        code = _render_all(spec, call(), output, sink)
        sink.close()
    except PkiToolsError as error:
        sink.abandon()
        report_error(error)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        sink.abandon()
        _complain(escape("interrupted"))
        return ExitCode.INTERRUPTED
    return code


def _render_all(spec: CommandSpec, results: Any, output: OutputFormat, sink: _Sink) -> ExitCode:
    total = results.total if isinstance(results, Batch) else None
    items: Iterable[Any] = results.outcomes if isinstance(results, Batch) else results
    if total is None and output is OutputFormat.TABLE:
        items = list(items)
        total = sum(isinstance(item, Outcome) for item in items)
    form = make_format(output, spec.load_result(), spec.view, many=(total or 0) > 1, colour=sink.colour())
    worst = ExitCode.OK
    started = False
    with _progress(total) as progress:
        try:
            for item in items:
                if isinstance(item, Outcome):
                    text = ("" if started else form.begin()) + form.outcome(item)
                    started = True
                    worst = max(worst, item.status.exit_code)
                    progress.advance(lambda text=text: sink.write(text))
                elif isinstance(item, RawOutput):
                    sink.write_raw(item.data)
                    started = True
                    form = _Silent()
                else:
                    progress.advance(lambda item=item: report_notice(item), by=0)
        finally:
            # what came before an error stays readable: the array is closed, the table shown
            progress.advance(lambda: sink.write(("" if started else form.begin()) + form.end()), by=0)
    return worst


class _Silent:
    """After raw output nothing else may stand on stdout."""

    def begin(self) -> str:
        return ""

    def outcome(self, outcome: Outcome[Any]) -> str:
        return ""

    def end(self) -> str:
        return ""


class _Sink(Protocol):
    def colour(self) -> bool: ...
    def write(self, text: str) -> None: ...
    def write_raw(self, data: bytes) -> None: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...


class _StdoutSink:
    """Writes at once and flushes, so that a reader at the other end of a pipe sees each record when it is known."""

    def colour(self) -> bool:
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def write(self, text: str) -> None:
        if text:
            encoding = sys.stdout.encoding or "ascii"
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
            sys.stdout.flush()

    def write_raw(self, data: bytes) -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def close(self) -> None:
        sys.stdout.flush()

    abandon = close


class _FileSink:
    """Collects, and puts the file in place when the command is through; a report replaces an older one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pieces: list[bytes] = []

    def colour(self) -> bool:
        return False

    def write(self, text: str) -> None:
        self._pieces.append(text.encode("utf-8", "backslashreplace"))

    def write_raw(self, data: bytes) -> None:
        self._pieces.append(data)

    def close(self) -> None:
        from pkitools.files.writing import PUBLIC, write_atomic

        write_atomic(self._path, b"".join(self._pieces), mode=PUBLIC, overwrite=True)

    def abandon(self) -> None:
        """An older report stays as it was."""


class _NoProgress:
    def advance(self, write: Callable[[], None], by: int = 1) -> None:
        write()


class _Progress:
    """A bar on stderr that steps aside while something else is written to the terminal."""

    def __init__(self, bar: Any, task: Any) -> None:
        self._bar = bar
        self._task = task

    def advance(self, write: Callable[[], None], by: int = 1) -> None:
        self._bar.stop()
        write()
        self._bar.start()
        self._bar.advance(self._task, by)


def _progress(total: int | None) -> AbstractContextManager[Any]:
    if total is None or total < 2 or not sys.stderr.isatty():
        return nullcontext(_NoProgress())
    return _rich_progress(total)


class _rich_progress(AbstractContextManager[Any]):  # noqa: N801 - used as a function
    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
        self._total = total

    def __enter__(self) -> _Progress:
        self._bar.start()
        return _Progress(self._bar, self._bar.add_task("", total=self._total))

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()


def report_error(error: PkiToolsError) -> None:
    """An error on stderr: what was tried, the Windows code, what to do next."""
    from pkitools import codes
    from pkitools.output.text import Style, Styled, render

    lines: list[Any] = [(Styled("error", Style.BAD), ": ", error.message)]
    if error.code:
        lines.append(("  code: ", f"{error.code} {codes.hex_of(error.code)}"))
    if error.hint:
        lines.append(("  next: ", error.hint))
    _complain(render(lines, colour=_stderr_colour()).rstrip("\n"))


def report_notice(notice: Notice) -> None:
    """A notice on stderr."""
    from pkitools.output.text import notice_lines, render

    _complain(render(notice_lines(notice), colour=_stderr_colour()).rstrip("\n"))


def report_bug(bug: BaseException) -> None:
    """An unexpected exception: where it happened, without its text (it may hold secrets) unless asked for."""
    if os.environ.get("PKITOOLS_DEBUG"):
        traceback.print_exception(bug, file=sys.stderr)
    frame = traceback.extract_tb(bug.__traceback__)[-1] if bug.__traceback__ else None
    where = f" at {os.path.basename(frame.filename)}:{frame.lineno}" if frame else ""  # noqa: PTH119
    _complain(f"error: this is a bug in pkitools: {type(bug).__name__}{where}")
    _complain(
        "  next: report it with the output of the same command under PKITOOLS_DEBUG=1 (read it first for secrets)"
    )


def _stderr_colour() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _complain(text: str) -> None:
    encoding = sys.stderr.encoding or "ascii"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr)  # noqa: T201
