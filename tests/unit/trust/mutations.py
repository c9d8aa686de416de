"""Certificates, CRLs and OCSP answers broken at random, and the judge that has to live with them."""

from __future__ import annotations

import random

from pkitools.errors import PkiToolsError
from pkitools.models.revocation import RevocationMode
from pkitools.models.trust import Origin, Purpose
from pkitools.trust import Settings, Sources, Store, judge
from tests.unit.trust.pki import NOW, Maker, make_crl, make_ocsp, make_scope
from tests.unit.trust.web import Web

LENGTHS = (0, 1, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x85, 0xFF)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, removed, doubled or swapped for another part of the same thing."""
    broken = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        if not broken:
            break
        at = chance.randrange(len(broken))
        match chance.randrange(6):
            case 0:
                broken[at] = chance.randrange(256)
            case 1:
                broken[at] = chance.choice(LENGTHS)
            case 2:
                del broken[at : at + chance.randint(1, 8)]
            case 3:
                broken[at:at] = broken[at : at + chance.randint(1, 40)]
            case 4:
                del broken[at:]
            case _:
                source = chance.randrange(len(broken))
                part = broken[source : source + chance.randint(1, 20)]
                broken[at : at + len(part)] = part
    return bytes(broken)


class Victim:
    """A chain with everything in it that can be broken, and its lists and answers."""

    def __init__(self) -> None:
        from cryptography import x509

        maker = Maker()
        subtree = [x509.DNSName("lab.test"), x509.DirectoryName(x509.Name([]))]
        constrained = [
            (x509.NameConstraints(subtree, None), True),
            (x509.PolicyConstraints(3, 2), True),
            (x509.InhibitAnyPolicy(4), True),
            (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]), False),
        ]
        self.root = maker.root()
        self.ca = maker.ca("Prüf-CA", self.root, cdp=["http://a.test/root"], extra=constrained)
        self.leaf = maker.leaf(
            self.ca,
            sans=("vpn.lab.test", "::1", "a@lab.test", "http://x.lab.test/"),
            cdp=[["ldap:///x", "http://a.test/ca"]],
            freshest=["http://a.test/delta"],
            aia=["http://a.test/ca.crt"],
            ocsp=["http://o.test/"],
        )
        self.root_crl = make_crl(self.root)
        scope = make_scope(["http://a.test/ca"], only_contains_user_certs=True)
        self.crl = make_crl(self.ca, [1, 2, self.leaf], scope=scope)
        self.delta = make_crl(self.ca, [3], number=6, base=5, scope=scope)
        self.answer = make_ocsp(self.leaf, self.ca, send=[self.ca])

        self.store = Store()
        self.store.add([self.root.der], Origin.STORE)

    def attack(self, chance: random.Random) -> None:
        """One judgement with some of it broken. Anything but a judgement or an error of ours is a bug."""
        parts = {
            "leaf": self.leaf.der,
            "ca": self.ca.der,
            "http://a.test/root": self.root_crl,
            "http://a.test/ca": self.crl,
            "http://a.test/delta": self.delta,
            "http://o.test/": self.answer,
            "staple": self.answer,
        }
        for name in chance.sample(sorted(parts), chance.randint(1, 3)):
            parts[name] = mutate(parts[name], chance)
        web = Web()
        web.pages |= {url: data for url, data in parts.items() if url.startswith("http")}
        web.pages["http://a.test/ca.crt"] = parts["ca"]
        settings = Settings(self.store, Sources(web), chance.choice(list(RevocationMode)), now=NOW)
        sent = [parts["leaf"]] if chance.random() < 0.3 else [parts["leaf"], parts["ca"]]
        try:
            judge(sent, chance.choice(list(Purpose)), settings, name="vpn.lab.test", staple=parts["staple"])
        except PkiToolsError:
            pass

    def forge(self, chance: random.Random) -> None:
        """A leaf that was changed in its signed part must never be valid."""
        certificate = self.leaf.certificate.tbs_certificate_bytes
        start = self.leaf.der.index(certificate)
        broken = bytearray(self.leaf.der)
        at = chance.randrange(start, start + len(certificate))
        broken[at] ^= 1 << chance.randrange(8)
        settings = Settings(self.store, revocation=RevocationMode.OFF, now=NOW)
        try:
            judged = judge([bytes(broken), self.ca.der], Purpose.WEB_SERVER, settings)
        except PkiToolsError:
            return
        assert not judged.certificate_is_valid, bytes(broken).hex()
