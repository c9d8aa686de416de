"""Runs a command: adds the output options, renders what it returns, maps errors to stderr, picks the exit code.

The one place that prints. Results go to stdout (or the file of ``-O``), everything else to stderr.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain
from typing import Annotated, Any, NoReturn, Protocol, cast

import typer

from pkitools.cli.coercion import QuickCommand
from pkitools.cli.registry import CommandSpec
from pkitools.errors import EXIT_CODE_HELP, ExitCode, FileAccessError, PkiToolsError
from pkitools.models.outcome import Batch, Notice, Outcome, RawOutput, Severity
from pkitools.output.formats import Format, OutputFormat, Rendering, StreamingFormat, make_format

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
    single.command(
        name=spec.name, cls=QuickCommand, epilog=_epilog(), short_help=spec.summary, context_settings=settings
    )(_wrap(spec))
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
    sink: _Sink = _FileSink(out) if out != "-" else _StdoutSink()
    if output is OutputFormat.CLIXML and sink.is_terminal():
        report_notice(Notice("-o clixml is for a program that captures it; here is the table", Severity.NOTE))
        output = OutputFormat.TABLE
    renderer = _Renderer(spec, output, sink)
    try:
        code = renderer.render_all(call())
        sink.close()
    except PkiToolsError as error:
        sink.abandon()
        renderer.report(error)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        sink.abandon()
        _complain("interrupted")
        return ExitCode.INTERRUPTED
    return code


class _Renderer:
    """Writes the results of one command in one format."""

    def __init__(self, spec: CommandSpec, output: OutputFormat, sink: _Sink) -> None:
        self._spec = spec
        self._output = output
        self._sink = sink
        self._form: Format | None = None
        self._raw = False
        self._worst = ExitCode.OK

    def render_all(self, results: Any) -> ExitCode:
        """Every item as it comes; returns the highest exit code."""
        total = results.total if isinstance(results, Batch) else None
        items: Iterable[Any] = results.outcomes if isinstance(results, Batch) else results
        if total is None and self._output is OutputFormat.TABLE:
            items, total = self._looked_ahead(items)
        with _progress(total) as progress:
            try:
                for item in items:
                    self._render(item, progress, (total or 0) > 1)
            finally:
                # what came before an error stays readable: the array is closed, the table shown
                progress.advance(lambda: self._finish((total or 0) > 1), by=0)
        return self._worst

    @staticmethod
    def _looked_ahead(items: Iterable[Any]) -> tuple[Iterable[Any], int]:
        """A view looks different for one outcome and for many: two are waited for, the others stream."""
        iterator = iter(items)
        seen: list[Any] = []
        while sum(isinstance(item, Outcome) for item in seen) < 2:
            try:
                seen.append(next(iterator))
            except StopIteration:
                break
            except PkiToolsError as error:
                return chain(seen, map(_throw, (error,))), sum(isinstance(item, Outcome) for item in seen)
        return chain(seen, iterator), sum(isinstance(item, Outcome) for item in seen)

    def _render(self, item: Any, progress: Any, many: bool) -> None:
        if isinstance(item, Outcome):
            text = "" if self._raw else self._format(many).outcome(item)
            self._worst = max(self._worst, item.status.exit_code)
            progress.advance(lambda: self._sink.write(text))
        elif isinstance(item, RawOutput):
            self._raw = True
            progress.advance(lambda: self._sink.write_raw(item.data), by=0)
        else:
            progress.advance(lambda: self._notice(item, many), by=0)

    def _format(self, many: bool) -> Format:
        """The format, once its head has been written."""
        if self._form is None:
            sink, spec = self._sink, self._spec
            rendering = Rendering(
                spec.load_result(), spec.view, spec.name, many, colour=sink.colour(), to_file=sink.is_file()
            )
            self._form = make_format(self._output, rendering)
            sink.write(self._form.begin())
        return self._form

    def _notice(self, notice: Notice, many: bool) -> None:
        if self._output is OutputFormat.CLIXML and not self._sink.is_file():
            text = cast(StreamingFormat, self._format(many)).notice(notice)
            if text:
                self._sink.write(text)
                return
        report_notice(notice)

    def report(self, error: PkiToolsError) -> None:
        """The error that ended the command: as a record where the format has a place for it, else on stderr."""
        if self._output is OutputFormat.CLIXML and not self._sink.is_file():
            self._sink.write(cast(StreamingFormat, self._format(False)).error(error))
        else:
            report_error(error)

    def _finish(self, many: bool) -> None:
        if not self._raw:
            self._sink.write(self._format(many).end())


def _throw(error: PkiToolsError) -> NoReturn:
    raise error


class _Sink(Protocol):
    def colour(self) -> bool: ...
    def is_terminal(self) -> bool: ...
    def is_file(self) -> bool: ...
    def write(self, text: str) -> None: ...
    def write_raw(self, data: bytes) -> None: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...


class _StdoutSink:
    """Writes at once and flushes, so that a reader at the other end of a pipe sees each record when it is known."""

    def is_terminal(self) -> bool:
        return sys.stdout.isatty()

    def is_file(self) -> bool:
        return False

    def colour(self) -> bool:
        return self.is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def write(self, text: str) -> None:
        if text:
            encoding = sys.stdout.encoding or "ascii"
            with _typed_failure():
                sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
                sys.stdout.flush()

    def write_raw(self, data: bytes) -> None:
        with _typed_failure():
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def close(self) -> None:
        sys.stdout.flush()

    abandon = close


@contextmanager
def _typed_failure() -> Iterator[None]:
    """A full disk behind standard output is an error like any other; a reader that left is not (see ``main``)."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # what is still buffered would fail again at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise FileAccessError(f"cannot write to standard output: {error.strerror}") from error


class _FileSink:
    """Collects, and puts the file in place when the command is through; a report replaces an older one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pieces: list[bytes] = []

    def is_terminal(self) -> bool:
        return False

    def is_file(self) -> bool:
        return True

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
