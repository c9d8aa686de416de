"""Our verdicts beside those of two independent implementations, over chains with random faults.

``openssl verify`` must agree where its rules are those of Windows; ``cryptography.x509.verification`` is stricter, so
what it accepts must be valid to us.
"""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, VerificationError
from cryptography.x509.verification import Store as StrictStore

from pkitools.models.revocation import RevocationMode
from pkitools.models.trust import Origin, Purpose
from pkitools.trust import Settings, Sources, Store, judge
from tests.unit.trust.pki import CLIENT, DAY, NOW, SERVER, Issued, Maker, make_crl
from tests.unit.trust.web import Web

UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
CRL_ONLY = x509.KeyUsage(False, False, False, False, False, False, True, False, False)


def constraint(permitted: str | None, excluded: str | None = None):
    trees = [[x509.DNSName(item)] if item else None for item in (permitted, excluded)]
    return {"extra": [(x509.NameConstraints(*trees), True)]}


CA_FAULTS = {
    "none": {},
    "expired": {"end": NOW - DAY},
    "not yet": {"start": NOW + DAY},
    "no ca": {"basic": False},
    "may not sign": {"usage": CRL_ONLY},
    "usage of clients": {"eku": (CLIENT,)},
    "usage of servers": {"eku": (SERVER, CLIENT)},
    "critical": {"extra": [UNKNOWN]},
    "names fit": constraint("lab.test"),
    "names do not fit": constraint("other.test"),
    "names excluded": constraint(None, "lab.test"),
    "path length": {"path_length": 0},
}
LEAF_FAULTS = {
    "none": {},
    "expired": {"end": NOW - DAY},
    "not yet": {"start": NOW + DAY},
    "for clients": {"eku": (CLIENT,)},
    "for both": {"eku": (SERVER, CLIENT)},
    "critical": {"extra": [UNKNOWN]},
    "revoked": {},
}


class Case:
    """Root, two CAs and a leaf, with faults drawn by the seed."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        maker = Maker()
        names = ["none"] * 6 + list(CA_FAULTS)
        self.upper, self.lower = chance.choice(names), chance.choice(names)
        self.at_leaf = chance.choice(["none"] * 3 + list(LEAF_FAULTS))
        self.root = maker.root("Wurzel")
        self.first = maker.ca("Eins", self.root, cdp=["http://a.test/root"], **CA_FAULTS[self.upper])
        self.second = maker.ca("Zwei", self.first, cdp=["http://a.test/first"], **CA_FAULTS[self.lower])
        self.leaf = maker.leaf(self.second, cdp=["http://a.test/second"], **LEAF_FAULTS[self.at_leaf])
        self.sent = [self.leaf, self.second, self.first]
        if chance.random() < 0.1:
            self.sent.remove(self.first)
        revoked = [self.leaf] if self.at_leaf == "revoked" else []
        self.crls = {
            "http://a.test/root": make_crl(self.root),
            "http://a.test/first": make_crl(self.first),
            "http://a.test/second": make_crl(self.second, revoked),
        }

    def ours(self, mode: RevocationMode) -> bool:
        web, store = Web(), Store()
        web.pages |= self.crls
        store.add([self.root.der], Origin.STORE)
        settings = Settings(store, Sources(web), mode, now=NOW)
        return judge([item.der for item in self.sent], Purpose.WEB_SERVER, settings).certificate_is_valid

    def strict(self) -> bool:
        builder = PolicyBuilder().store(StrictStore([self.root.certificate])).time(NOW.replace(tzinfo=None))
        verifier = builder.max_chain_depth(16).build_server_verifier(x509.DNSName("vpn.lab.test"))
        try:
            verifier.verify(self.leaf.certificate, [item.certificate for item in self.sent[1:]])
        except VerificationError:
            return False
        return True

    def __repr__(self) -> str:
        return f"{self.upper} / {self.lower} / {self.at_leaf}, {len(self.sent)} sent"


def pem(*items: Issued) -> bytes:
    return b"".join(item.certificate.public_bytes(Encoding.PEM) for item in items)


def openssl(case: Case, folder) -> bool:
    crls = [x509.load_der_x509_crl(data).public_bytes(Encoding.PEM) for data in case.crls.values()]
    for name, data in {
        "root": pem(case.root),
        "above": pem(*case.sent[1:]),
        "leaf": pem(case.leaf),
        "crl": b"".join(crls),
    }.items():
        (folder / name).write_bytes(data)
    command = ["openssl", "verify", "-CAfile", "root", "-untrusted", "above", "-CRLfile", "crl", "-crl_check_all"]
    command += ["-purpose", "sslserver", "-attime", str(int(NOW.timestamp())), "leaf"]
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=30).returncode == 0


@pytest.mark.parametrize("seed", range(40))
def test_openssl_agrees(seed, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    case = Case(seed)
    assert case.ours(RevocationMode.CRL) == openssl(case, tmp_path), case


def test_what_strict_verification_accepts_is_valid_to_us():
    accepted = 0
    for seed in range(300):
        case = Case(seed)
        if case.strict():
            accepted += 1
            assert case.ours(RevocationMode.OFF), case
    assert 20 < accepted < 280


def test_what_we_accept_strict_verification_accepts_too():
    """The faults are such that both know them."""
    for seed in range(300):
        case = Case(seed)
        if case.ours(RevocationMode.OFF):
            assert case.strict(), case
