"""``demo`` for eyes: each server's name, then what ``test-ssl`` shows of it."""

from __future__ import annotations

from pkitools.models.demo import DemoResult
from pkitools.models.outcome import Outcome, Status
from pkitools.output.text import Line, Style, Styled
from pkitools.output.views import web_server_ssl


def render(outcome: Outcome[DemoResult], many: bool) -> list[Line]:
    """A heading, the view of ``test-ssl``, and whether it is what it must be."""
    value = outcome.value
    if value is None:
        return []
    shown = Outcome(outcome.target, Status.OK, value.result)
    wanted = value.expected or "no finding"
    verdict = Styled("as expected", Style.GOOD) if value.as_expected else Styled("NOT AS EXPECTED", Style.BAD)
    return [
        Styled(f"An SSTP server with {value.name} (expected: {wanted})", Style.BOLD),
        *web_server_ssl.render(shown, many=False),
        ("  => ", verdict),
        "",
    ]
