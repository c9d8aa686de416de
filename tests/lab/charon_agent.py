"""Runs inside the namespaces: starts charon, then obeys calls that arrive pickled on standard input.

Sockets belong to the network namespace of the process that opens them, so what is to reach charon runs here. It ends,
and charon with it, when its standard input ends.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

CHARON = "/usr/lib/ipsec/charon"


def main(folder: Path) -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)  # charon's pid file has a fixed place there
    charon = start_charon(folder)
    try:
        _send(answers, ("ready", None))
        while True:
            try:
                request = pickle.load(sys.stdin.buffer)
            except EOFError:
                return
            _send(answers, _obey(request))
    finally:
        charon.terminate()
        charon.wait()


def start_charon(folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "STRONGSWAN_CONF": str(folder / "strongswan.conf")}
    with open(folder / "charon.log", "wb") as log:
        charon = subprocess.Popen([CHARON], cwd=folder, env=environment, stdout=log, stderr=log)
    end = time.monotonic() + 20
    while not (folder / "charon.vici").exists():
        if charon.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"charon does not start: {(folder / 'charon.log').read_text()[-2000:]}")
        time.sleep(0.02)
    loaded = subprocess.run(
        ["swanctl", "--load-all", "--noprompt", "--file", str(folder / "swanctl.conf"), "--uri", "unix://charon.vici"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if loaded.returncode:
        charon.kill()
        raise SystemExit(f"charon does not take its configuration: {loaded.stdout[-2000:]}{loaded.stderr[-500:]}")
    return charon


def _obey(request: tuple[str, tuple[Any, ...], dict[str, Any]]) -> tuple[str, Any]:
    name, arguments, options = request
    module, _, function = name.partition(":")
    try:
        result = getattr(import_module(module), function)(*arguments, **options)
        return "result", list(result) if hasattr(result, "__next__") else result
    except BaseException as error:
        return "error", error


def run_command(arguments: list[str], folder: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a program that runs in the namespaces."""
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def add_silent_network() -> str:
    """A network in which nobody answers and nothing is unreachable; returns the beginning of its addresses."""
    commands = (
        "ip link add silent0 type veth peer name silent1",
        "ip addr add 10.60.0.254/24 dev silent0",
        "ip link set silent0 arp off up",
        "ip link set silent1 arp off up",
    )
    for command in commands:
        subprocess.run(command.split(), check=True)
    return "10.60.0."


def _send(stream: Any, answer: tuple[str, Any]) -> None:
    pickle.dump(answer, stream)
    stream.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
