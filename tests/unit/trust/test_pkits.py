"""NIST's PKITS: 200 paths with known outcomes, as the cryptography project redistributes them (cryptography_vectors).

The outcome of each path stands in the file's name. Paths are built from the whole pool of CA certificates, as a client
with everything at hand would, and judged for any use; what the suite expects of CRLs is in the second test.
"""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from pathlib import Path

import cryptography_vectors
import pytest

from pkitools.models.certificate import DistributionPoint
from pkitools.models.trust import Origin
from pkitools.protocol.crl import ALL_REASONS, Crl, read_crl
from pkitools.trust import Sources, Store
from pkitools.trust.checks import Question, check_path
from pkitools.trust.crl import NotUsable, Subject, _check_delta, check_list, check_scope
from pkitools.trust.members import Member, member_of
from pkitools.trust.paths import Path as BuiltPath
from pkitools.trust.paths import Pool, build_paths
from pkitools.trust.purposes import Rule
from pkitools.trust.sources import Visits
from tests.unit.trust.web import Clock

DATA = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
NOW = datetime.datetime(2020, 6, 1, tzinfo=datetime.UTC)
ANY = Question(Rule("2.5.29.37.0", "anything", server=False), NOW)

LEAVES = sorted(path.stem for path in (DATA / "certs").glob("*EE.crt") if path.stem.startswith(("Valid", "Invalid")))


@lru_cache
def pool() -> tuple[Pool, Store]:
    store = Store()
    root = (DATA / "certs" / "TrustAnchorRootCertificate.crt").read_bytes()
    store.add([root], Origin.STORE)
    members = tuple(
        member_of(path.read_bytes()) for path in sorted((DATA / "certs").glob("*.crt")) if not path.stem.endswith("EE")
    )
    return Pool(store, members), store


@lru_cache
def lists() -> tuple[Crl, ...]:
    found = []
    for path in sorted((DATA / "crls").glob("*.crl")):
        found.append(read_crl(path.read_bytes()))
    return tuple(found)


def flawless(leaf: str) -> list[BuiltPath]:
    """The paths for this leaf that have no flag but one for weak keys."""
    member = member_of((DATA / "certs" / f"{leaf}.crt").read_bytes())
    built = build_paths(member, pool()[0], Visits(Sources(None), Clock(60)))
    return [path for path in built if not {issue.flag for issue in check_path(path, ANY)} - {None}]


# What revocation alone decides; the second test is about these.
BY_CRL = re.compile(
    r"CRL|cRLSign|Revoked|Serial|BasicSelfIssued|cRLIssuer|distributionPoint|delta|onlyContains|onlySome|IDPwith|issuingDistributionPoint"
)
# Where we are stricter or looser than the suite, each with the reason.
DIFFERENT = {
    "ValidNameChainingCapitalizationTest5EE": "Windows compares names octet by octet",
    "ValidNameChainingWhitespaceTest3EE": "Windows compares names octet by octet",
    "ValidNameChainingWhitespaceTest4EE": "Windows compares names octet by octet",
    "ValidRolloverfromPrintableStringtoUTF8StringTest10EE": "Windows compares names octet by octet",
    "ValidUTF8StringCaseInsensitiveMatchTest11EE": "Windows compares names octet by octet",
    "ValidDSAParameterInheritanceTest5EE": "cryptography does not support inherited DSA parameters",
}


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if not BY_CRL.search(leaf)])
def test_path(leaf: str) -> None:
    expected = leaf.startswith("Valid") and leaf not in DIFFERENT
    assert bool(flawless(leaf)) == expected, DIFFERENT.get(leaf)


def status_by_lists(member: Member, issuer: Member) -> bool | None:
    """True good, False revoked, None unknown: RFC 5280 6.3.3 with every list at hand for every distribution point."""
    subject, covered = Subject(member, issuer, NOW), set()
    for point in member.model.crl_distribution_points or (DistributionPoint(()),):
        if point.crl_issuer is not None:
            continue  # indirect, not supported
        for crl in lists():
            if crl.base_number is not None:
                continue
            try:
                check_list(crl, subject)
                reasons = check_scope(crl, point, subject)
            except NotUsable:
                continue
            entry = crl.find(subject.serial)
            for delta in lists():
                try:
                    _check_delta(delta, crl, subject)
                except NotUsable:
                    continue
                newer = delta.find(subject.serial)
                if newer is not None:
                    entry = None if newer.reason == "RemoveFromCrl" else newer
            if entry is not None:
                return False
            covered |= reasons
    return True if covered >= ALL_REASONS else None


OTHER_KEY = "the list is signed with another key than the certificate, which Windows does not take"
INDIRECT = "indirect CRLs are not supported"
RELATIVE = "names relative to the CRL issuer are not supported"
DIFFERENT_BY_CRL = {
    "ValidBasicSelfIssuedCRLSigningKeyTest6EE": OTHER_KEY,
    "ValidBasicSelfIssuedNewWithOldTest4EE": OTHER_KEY,
    "ValidBasicSelfIssuedOldWithNewTest1EE": OTHER_KEY,
    "ValidSeparateCertificateandCRLKeysTest19EE": OTHER_KEY,
    "ValidIDPwithindirectCRLTest22EE": INDIRECT,
    "ValidIDPwithindirectCRLTest24EE": INDIRECT,
    "ValidIDPwithindirectCRLTest25EE": INDIRECT,
    "ValidcRLIssuerTest28EE": INDIRECT,
    "ValidcRLIssuerTest29EE": INDIRECT,
    "ValidcRLIssuerTest30EE": INDIRECT,
    "ValidcRLIssuerTest33EE": INDIRECT,
    "ValiddistributionPointTest4EE": RELATIVE,
    "ValiddistributionPointTest5EE": RELATIVE,
    "ValiddistributionPointTest7EE": RELATIVE,
}


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if BY_CRL.search(leaf)])
def test_lists(leaf: str) -> None:
    def good(path: BuiltPath) -> bool:
        members = [link.member for link in path.links]
        return all(status_by_lists(child, above) for child, above in zip(members, members[1:]))

    expected = leaf.startswith("Valid") and leaf not in DIFFERENT_BY_CRL
    assert any(good(path) for path in flawless(leaf)) == expected, DIFFERENT_BY_CRL.get(leaf)
