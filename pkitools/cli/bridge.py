"""The hidden bridge for the PowerShell module: one JSON request on stdin, one CLIXML envelope a line on stdout.

Arguments, paths and secrets come on stdin, so that nothing of them stands in ``/proc``. The request names a command of
the registry and the parameters of its function; a secret is ``{"Secret": "..."}`` where the command takes a file name.
Envelopes have a ``Stream``: Output (Value), Error (Message, Id, Category, Target, HResult, Hint, Terminating), Warning
(Message), and at the end End (ExitCode), without which a reader knows that this process was killed.
"""

from __future__ import annotations

import base64
import inspect
import json
import os
import sys
import tempfile
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pkitools.cli.registry import CommandSpec, spec_of
from pkitools.errors import ExitCode, InputError, PkiToolsError
from pkitools.models.outcome import Batch, Notice, Outcome, RawOutput, Reason, Status
from pkitools.models.secret import Secret
from pkitools.output.clixml import Writer, document
from pkitools.output.error_records import category_of, category_of_reason, hresult_of, record_of

COMMAND = "powershell-bridge"
MAX_REQUEST = 64 * 1024 * 1024
PROTOCOL = 1


def run_bridge() -> int:
    """Answer one request; returns the exit code, which the End record holds too."""
    code = ExitCode.PROTOCOL
    try:
        code = _answer(_read_request())
    except PkiToolsError as error:
        _send_error(error, terminating=True)
        code = error.exit_code
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    finally:
        _send(Stream="End", ExitCode=int(code), Protocol=PROTOCOL)
    return int(code)


def _read_request() -> dict[str, Any]:
    data = sys.stdin.buffer.read(MAX_REQUEST + 1)
    if len(data) > MAX_REQUEST:
        raise InputError(f"the request is larger than {MAX_REQUEST} bytes")
    try:
        request = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError("the request is not JSON") from error
    if not isinstance(request, dict) or not isinstance(request.get("Arguments"), dict):
        raise InputError("the request has no Arguments")
    if request.get("Protocol") != PROTOCOL:
        raise InputError(
            f"this pkitools speaks protocol {PROTOCOL} of its PowerShell module, not {request.get('Protocol')!r}",
            hint="install the module that belongs to this pkitools: pkitools powershell install",
            error_id="ModuleVersionMismatch",
        )
    return request


def _answer(request: dict[str, Any]) -> ExitCode:
    spec = spec_of(str(request.get("Command")))
    if spec is None:
        raise InputError(f"no such command {request.get('Command')!r}")
    results = _call(spec, request["Arguments"])
    model = spec.load_result()
    worst = ExitCode.OK
    for item in results.outcomes if isinstance(results, Batch) else results:
        if isinstance(item, Outcome):
            worst = max(worst, item.status.exit_code)
            _send_outcome(item, model)
        elif isinstance(item, Notice):
            _send(Stream="Warning", Message=item.message)
        elif isinstance(item, RawOutput):
            _send(Stream="Output", Value=item.data)
    return worst


def _call(spec: CommandSpec, given: Mapping[str, Any]) -> Any:
    """The command's function with the request's arguments, each made of the type that the function declares."""
    function = spec.load_function()
    parameters = inspect.signature(function, eval_str=True).parameters
    arguments: dict[str, Any] = {}
    for name, value in given.items():
        if name not in parameters:
            raise InputError(f"{spec.name} has no parameter {name!r}")
        arguments[name] = _typed(value, parameters[name].annotation, name)
    return function(**arguments)


def _typed(value: Any, annotation: Any, name: str) -> Any:
    if isinstance(value, dict) and set(value) == {"Secret"}:
        return Secret(str(value["Secret"]))
    if isinstance(value, dict) and set(value) == {"Bytes"}:
        return _memory_file(str(value["Bytes"]), name)
    if value is None:
        return None
    hint = _inner(annotation)
    if typing.get_origin(hint) is list:
        item_hint = typing.get_args(hint)[0]
        return [_typed(item, item_hint, name) for item in (value if isinstance(value, list) else [value])]
    return _scalar(value, hint, name)


def _memory_file(encoded: str, name: str) -> str:
    """The name of a file in memory with these octets: a key that PowerShell hands over never lies on a disk."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise InputError(f"the octets of the parameter {name!r} are not base64") from error
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("pkitools")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return f"/dev/fd/{descriptor}"


def _inner(annotation: Any) -> Any:
    """``Annotated[X | None, ...]`` -> ``X``."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        annotation = next(item for item in typing.get_args(annotation) if item is not type(None))
    return annotation


def _scalar(value: Any, hint: Any, name: str) -> Any:
    try:
        if isinstance(hint, type) and issubclass(hint, Enum):
            wanted = str(value).casefold()
            return next(item for item in hint if str(item.value).casefold() == wanted)
        if hint is bool and not isinstance(value, bool):
            raise TypeError
        if hint in (int, float, bool, str, Path):
            return hint(value)
    except (TypeError, ValueError, StopIteration) as error:
        raise InputError(f"{value!r} does not fit the parameter {name!r}") from error
    return value


def _send_outcome(outcome: Outcome[Any], model: type) -> None:
    """A target that gave nothing at all is an error record; what was learnt before it failed is output."""
    if outcome.value is None and outcome.reason is not None:
        _send_reason(outcome.target, outcome.reason, outcome.status)
    elif outcome.value is not None:
        _send_value(outcome, model)


def _send_value(outcome: Outcome[Any], model: type) -> None:
    writer = Writer()
    begin = writer.begin_envelope()
    value = writer.outcome(outcome, model, name="Value")
    _write(document(f"{begin}<MS>{writer.value('Output', 'Stream')}{value}</MS></Obj>"))


def _send_reason(target: str, reason: Reason, status: Status) -> None:
    _send(
        Stream="Error",
        Message=f"{target}: {reason.message}",
        Id=reason.id,
        Category=category_of_reason(reason.id, status).name,
        Target=target,
        HResult=hresult_of(reason.code),
        Hint=reason.next_step,
        Terminating=False,
    )


def _send_error(error: PkiToolsError, *, terminating: bool) -> None:
    record = record_of(error, "")
    _send(
        Stream="Error",
        Message=error.message,
        Id=record.error_id,
        Category=category_of(error).name,
        Target=None,
        HResult=record.hresult,
        Hint=error.hint,
        Terminating=terminating,
    )


def _send(**pairs: Any) -> None:
    writer = Writer()
    begin = writer.begin_envelope()
    members = "".join(writer.value(value, name) for name, value in pairs.items())
    _write(document(f"{begin}<MS>{members}</MS></Obj>"))


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
