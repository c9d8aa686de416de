"""``pkitools demo``: the main job on a machine without any server."""

from __future__ import annotations

from collections.abc import Iterator

from pkitools.models.demo import DemoResult
from pkitools.models.outcome import Outcome


def demo() -> Iterator[Outcome[DemoResult]]:
    """Show test-ssl on two SSTP servers that pkitools starts itself.

    The servers listen on 127.0.0.1 only, one with a good certificate, one with an expired one. Root, certificates and
    keys are made in memory and vanish with the program. Exit code 0 means that both verdicts are as they must be.

    \b
    Examples:
      pkitools demo
      pkitools demo -o json
    """
    from pkitools.tls.demo import run_demo

    yield from run_demo()
