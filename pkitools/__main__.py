"""``python -m pkitools`` and the console script."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and leave with its exit code.

    Without tearing the interpreter down: threads may still wait for a peer or a resolver (they are given up, not
    ended), and taking OpenSSL apart costs a tenth of a short run.
    """
    # starting makes a hundred thousand objects that all stay: looking for garbage among them takes 13 ms
    gc.set_threshold(50_000, 10, 10)
    from pkitools.cli.main import run

    code = run()
    _run_exit_functions()
    os._exit(code)


def _run_exit_functions() -> None:
    import atexit

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            pass  # the reader is gone, and the exit code says all that is left to say


if __name__ == "__main__":
    main()
