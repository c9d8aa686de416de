"""What ``--expect`` names: a baseline, or a file that holds a policy in any form that ``compare-ipsec`` reads."""

from __future__ import annotations

from pkitools.aovpn.ike.judging import Expectation
from pkitools.aovpn.policy import WINDOWS_IKE_POLICIES
from pkitools.aovpn.policy_sources.reading import read_source
from pkitools.aovpn.proposals import ike_meets, ike_proposals_of
from pkitools.errors import InputError


def read_expectation(text: str, entry: str | None = None) -> Expectation:
    """The expectation that ``text`` names; ``entry`` is the one of a phonebook.

    Raises InputError (no baseline and no file, or nothing that Windows can express), FileAccessError and FormatError.
    """
    if text.lower().startswith("ike:"):
        raise InputError("a probe cannot be expected", hint="to compare two servers, test both: test-ike ONE TWO")
    source = read_source(text, client=True, entry=entry)
    policies = tuple(item for item in WINDOWS_IKE_POLICIES if ike_meets(ike_proposals_of((item,)), source.ike))
    if not policies:
        raise InputError(f"{text!r} has no IKE policy that Windows can express", hint="see pkitools compare-ipsec")
    return Expectation(source.kind, policies)
