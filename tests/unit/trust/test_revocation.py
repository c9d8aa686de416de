"""Revocation through ``judge``: what a Windows client would be told, for CRLs and OCSP answers of every kind."""

from __future__ import annotations

import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from pkitools.models.outcome import Severity
from pkitools.models.revocation import RevocationMode
from pkitools.models.trust import ChainFlag, Judgement, Origin, Purpose, RevocationStatus
from pkitools.protocol.strict_der import Reader
from pkitools.trust import Settings, Sources, Store, judge
from tests.unit.trust.pki import DAY, NOW, Issued, Maker, make_crl, make_ocsp, make_scope, name, wrap
from tests.unit.trust.web import Clock, Web

CA_URL, LEAF_URL, DELTA_URL, OCSP_URL = (
    "http://a.test/root.crl",
    "http://a.test/ca.crl",
    "http://a.test/ca+.crl",
    "http://o.test/",
)
OFFLINE = [ChainFlag.RevocationStatusUnknown, ChainFlag.OfflineRevocation]


class World:
    def __init__(self) -> None:
        self.maker = Maker()
        self.root = self.maker.root()
        self.ca = self.maker.ca("Prüf-CA", self.root, cdp=[CA_URL])
        self.root_crl = make_crl(self.root)
        self.store = Store()
        self.store.add([self.root.der], Origin.STORE)
        self.reset()

    def reset(self) -> None:
        self.web = Web()
        self.web.pages[CA_URL] = self.root_crl

    def leaf(self, **more) -> Issued:
        more.setdefault("cdp", [LEAF_URL])
        return self.maker.leaf(self.ca, **more)

    def judge(self, leaf: Issued, mode=RevocationMode.CRL, *, seconds=5.0, staple=None, sources=None) -> Judgement:
        settings = Settings(self.store, sources or Sources(self.web), mode, now=NOW)
        chain = [leaf.der, self.ca.der]
        return judge(chain, Purpose.SSTP_SERVER, settings, staple=staple, deadline=Clock(seconds))


@pytest.fixture(scope="module")
def _world() -> World:
    return World()


@pytest.fixture
def world(_world: World) -> World:
    _world.reset()
    return _world


def flags(judged: Judgement) -> list[ChainFlag]:
    return [item.status for item in judged.error_information]


def errors(judged: Judgement) -> list[tuple[str, str | None]]:
    return [(f.id, f.code) for f in judged.findings if f.severity is Severity.ERROR]


def statuses(judged: Judgement) -> list[str]:
    return [item.revocation_status.value for item in judged.revocation]


def test_good_by_crl(world):
    world.web.pages[LEAF_URL] = make_crl(world.ca, [1, 2, 3])
    judged = world.judge(world.leaf())
    assert judged.certificate_is_valid
    assert statuses(judged) == ["Good", "Good"]
    assert [(item.url, item.use, item.error) for item in judged.fetched] == [(LEAF_URL, "Crl", ""), (CA_URL, "Crl", "")]
    assert judged.revocation[0].next_update == NOW + 6 * DAY


def test_revoked_leaf(world):
    leaf = world.leaf()
    world.web.pages[LEAF_URL] = make_crl(world.ca, [7, leaf, 9])
    judged = world.judge(leaf)
    assert (judged.certificate_is_valid, flags(judged)) == (False, [ChainFlag.Revoked])
    assert errors(judged) == [("Revoked", "CRYPT_E_REVOKED")]
    assert (judged.revocation[0].reason, judged.revocation[0].revoked_at) == ("KeyCompromise", NOW - 2 * DAY)


def test_revoked_ca(world):
    world.web.pages |= {LEAF_URL: make_crl(world.ca), CA_URL: make_crl(world.root, [world.ca])}
    judged = world.judge(world.leaf())
    assert statuses(judged) == ["Good", "Revoked"]
    assert judged.chain[1].status == (ChainFlag.Revoked,)


def test_dead_host(world):
    judged = world.judge(world.leaf())
    assert (flags(judged), errors(judged)) == (OFFLINE, [("RevocationOffline", "CRYPT_E_REVOCATION_OFFLINE")])
    assert judged.fetched[0].error == "connection refused"


def test_no_distribution_point(world):
    judged = world.judge(world.leaf(cdp=()))
    assert flags(judged) == [ChainFlag.RevocationStatusUnknown]
    assert errors(judged) == [("NoRevocationCheck", "CRYPT_E_NO_REVOCATION_CHECK")]


def test_only_ldap(world):
    judged = world.judge(world.leaf(cdp=["ldap:///CN=CA?certificateRevocationList"]))
    assert flags(judged) == OFFLINE
    assert "ldap" in judged.findings[0].message
    assert "http" in judged.findings[0].next_step
    assert world.web.asked == [CA_URL]


def test_a_point_with_several_names_and_several_points(world):
    world.web.pages["http://b.test/x.crl"] = make_crl(world.ca)
    assert world.judge(world.leaf(cdp=[["ldap:///x", "http://dead.test/", "http://b.test/x.crl"]])).certificate_is_valid
    assert world.judge(world.leaf(cdp=["http://dead.test/", "http://b.test/x.crl"])).certificate_is_valid


def test_everything_off(world):
    judged = world.judge(world.leaf(cdp=()), RevocationMode.OFF)
    assert (judged.certificate_is_valid, judged.revocation, world.web.asked) == (True, (), [])


def _other_key(world):
    return make_crl(world.ca, key=world.root.key)


def _other_ca(world):
    return make_crl(world.root)


def _changed(world):
    data = bytearray(make_crl(world.ca, [0x1122334455667788]))
    position = data.find(bytes.fromhex("1122334455667788"))
    data[position] ^= 1
    return bytes(data)


UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
UNUSABLE = {
    "forged": (_other_key, "signature is wrong"),
    "changed": (_changed, "signature is wrong"),
    "of another CA": (_other_ca, "not by the issuer"),
    "stale": (lambda w: make_crl(w.ca, this_update=NOW - 9 * DAY, next_update=NOW - DAY), "stale"),
    "of the future": (lambda w: make_crl(w.ca, this_update=NOW + DAY), "not valid before"),
    "a delta": (lambda w: make_crl(w.ca, base=4), "delta"),
    "junk": (lambda w: b"<html>404</html>", "not a CRL"),
    "empty": (lambda w: b"", "not a CRL"),
    "critical": (lambda w: make_crl(w.ca, extra=[UNKNOWN]), "1.2.3.4"),
    "critical entry": (lambda w: make_crl(w.ca, [77], entry_extra=[UNKNOWN]), "1.2.3.4"),
    "indirect": (lambda w: make_crl(w.ca, scope=make_scope(indirect_crl=True)), "indirect"),
    "for CAs": (lambda w: make_crl(w.ca, scope=make_scope(only_contains_ca_certs=True)), "CA certificates only"),
    "attributes": (lambda w: make_crl(w.ca, scope=make_scope(only_contains_attribute_certs=True)), "attribute"),
    "of another point": (lambda w: make_crl(w.ca, scope=make_scope(["http://z.test/"])), "another distribution point"),
    "for some reasons": (
        lambda w: make_crl(w.ca, scope=make_scope(only_some_reasons=frozenset([x509.ReasonFlags.superseded]))),
        "leave out",
    ),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_lists_that_cannot_be_used(world, kind):
    make, words = UNUSABLE[kind]
    world.web.pages[LEAF_URL] = make(world)
    judged = world.judge(world.leaf())
    assert flags(judged) == OFFLINE
    assert errors(judged) == [("RevocationOffline", "CRYPT_E_REVOCATION_OFFLINE")]
    assert words in judged.findings[0].message


def test_scopes_that_fit(world):
    scope = make_scope([LEAF_URL], only_contains_user_certs=True)
    world.web.pages |= {
        LEAF_URL: make_crl(world.ca, scope=scope),
        CA_URL: make_crl(world.root, scope=make_scope(only_contains_ca_certs=True)),
    }
    assert world.judge(world.leaf()).certificate_is_valid


def test_user_scope_does_not_serve_a_ca(world):
    world.web.pages |= {
        LEAF_URL: make_crl(world.ca),
        CA_URL: make_crl(world.root, scope=make_scope(only_contains_user_certs=True)),
    }
    assert flags(world.judge(world.leaf())) == OFFLINE


def test_reasons_of_several_points_add_up(world):
    flags_of = [reason for reason in x509.ReasonFlags if reason.name not in ("unspecified", "remove_from_crl")]
    halves = [frozenset(flags_of[:4]), frozenset(flags_of[4:])]
    world.web.pages |= {
        f"http://h{i}.test/": make_crl(world.ca, scope=make_scope(only_some_reasons=half))
        for i, half in enumerate(halves)
    }
    assert world.judge(world.leaf(cdp=["http://h0.test/", "http://h1.test/"])).certificate_is_valid
    assert not world.judge(world.leaf(cdp=["http://h0.test/"])).certificate_is_valid


def test_an_issuer_that_may_not_sign_lists(world):
    usage = x509.KeyUsage(False, False, False, False, False, True, False, False, False)
    ca = world.maker.ca("Stumm", world.root, cdp=[CA_URL], usage=usage)
    leaf = world.maker.leaf(ca, cdp=[LEAF_URL])
    world.web.pages[LEAF_URL] = make_crl(ca)
    settings = Settings(world.store, Sources(world.web), now=NOW)
    judged = judge([leaf.der, ca.der], Purpose.SSTP_SERVER, settings)
    assert flags(judged) == OFFLINE
    assert "key usage" in judged.findings[0].message


def test_pem_is_read_too(world):
    crl = x509.load_der_x509_crl(make_crl(world.ca))
    world.web.pages[LEAF_URL] = crl.public_bytes(Encoding.PEM)
    assert world.judge(world.leaf()).certificate_is_valid


@pytest.mark.parametrize("where", ["certificate", "list"])
def test_delta_lists(world, where):
    leaf = world.leaf(freshest=[DELTA_URL] if where == "certificate" else ())
    world.web.pages |= {
        LEAF_URL: make_crl(world.ca, number=5, freshest=[DELTA_URL] if where == "list" else ()),
        DELTA_URL: make_crl(world.ca, [leaf], number=7, base=5),
    }
    judged = world.judge(leaf)
    assert flags(judged) == [ChainFlag.Revoked]
    assert (judged.revocation[0].source, judged.revocation[0].url) == ("DeltaCrl", DELTA_URL)


def test_a_delta_can_take_a_hold_back(world):
    leaf = world.leaf(freshest=[DELTA_URL])
    world.web.pages |= {
        LEAF_URL: make_crl(world.ca, [leaf], number=5, reason=x509.ReasonFlags.certificate_hold),
        DELTA_URL: make_crl(world.ca, [leaf], number=7, base=5, reason=x509.ReasonFlags.remove_from_crl),
    }
    assert world.judge(leaf).certificate_is_valid


BAD_DELTAS = {
    "unreachable": None,
    "forged": lambda w: make_crl(w.ca, number=7, base=5, key=w.root.key),
    "no delta": lambda w: make_crl(w.ca, number=7),
    "needs a newer base": lambda w: make_crl(w.ca, number=9, base=6),
    "older than its base": lambda w: make_crl(w.ca, number=4, base=3),
    "of another scope": lambda w: make_crl(w.ca, number=7, base=5, scope=make_scope(only_contains_user_certs=True)),
    "stale": lambda w: make_crl(w.ca, number=7, base=5, this_update=NOW - 9 * DAY, next_update=NOW - DAY),
}


@pytest.mark.parametrize("kind", BAD_DELTAS)
def test_a_delta_that_cannot_be_used_is_never_passed(world, kind):
    make = BAD_DELTAS[kind]
    world.web.pages[LEAF_URL] = make_crl(world.ca, number=5)
    if make:
        world.web.pages[DELTA_URL] = make(world)
    judged = world.judge(world.leaf(freshest=[DELTA_URL]))
    assert flags(judged) == OFFLINE
    assert "delta" in judged.findings[0].message
    assert "double escaping" in judged.findings[0].next_step


def test_each_list_is_fetched_once_by_many_threads(world):
    world.web.pages[LEAF_URL] = make_crl(world.ca)
    world.web.slow = 0.05
    leaves = [world.leaf() for _ in range(12)]
    sources = Sources(world.web)
    judged: list[Judgement] = []
    threads = [
        threading.Thread(target=lambda leaf=leaf: judged.append(world.judge(leaf, sources=sources))) for leaf in leaves
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(item.certificate_is_valid for item in judged)
    assert len(judged) == 12
    assert sorted(world.web.asked) == sorted([LEAF_URL, CA_URL])
    assert sum(not record.cached for item in judged for record in item.fetched) == 2


def test_a_silent_host_costs_no_more_than_the_deadline(world):
    world.web.silent = {LEAF_URL, CA_URL}
    start = time.monotonic()
    judged = world.judge(world.leaf(), seconds=0.4)
    assert time.monotonic() - start < 1.0
    assert flags(judged) == OFFLINE


def test_who_can_wait_much_longer_tries_again(world):
    world.web.silent = {LEAF_URL}
    sources = Sources(world.web)
    world.judge(world.leaf(), seconds=0.1, sources=sources)
    world.web.silent = set()
    world.web.pages[LEAF_URL] = make_crl(world.ca)
    assert not world.judge(world.leaf(), seconds=0.1, sources=sources).certificate_is_valid
    assert world.judge(world.leaf(), seconds=5, sources=sources).certificate_is_valid


def answering(leaf: Issued, issuer: Issued, *args, echo=True, **more):
    def answer(body: bytes | None) -> bytes:
        request = ocsp.load_der_ocsp_request(body or b"")
        nonce = request.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce if echo else None
        assert request.serial_number == leaf.certificate.serial_number
        return make_ocsp(leaf, issuer, *args, nonce=nonce, **more)

    return answer


@pytest.mark.parametrize(("said", "flag"), [("good", []), ("revoked", [ChainFlag.Revoked])])
@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("echo", [True, False])
def test_ocsp(world, said, flag, by_name, echo):
    leaf = world.leaf(ocsp=[OCSP_URL])
    world.web.pages[OCSP_URL] = answering(leaf, world.ca, said, by_name=by_name, echo=echo)
    judged = world.judge(leaf, RevocationMode.OCSP)
    assert flags(judged) == flag
    assert judged.revocation[0].source == "Ocsp"
    assert world.web.asked == [OCSP_URL, CA_URL]


def test_ocsp_is_asked_where_no_crl_is_named(world):
    leaf = world.leaf(ocsp=[OCSP_URL], cdp=())
    world.web.pages[OCSP_URL] = answering(leaf, world.ca, "good")
    assert world.judge(leaf).certificate_is_valid


def test_ocsp_unknown(world):
    leaf = world.leaf(ocsp=[OCSP_URL])
    world.web.pages[OCSP_URL] = answering(leaf, world.ca, "unknown")
    assert errors(world.judge(leaf, RevocationMode.OCSP)) == [("NoRevocationCheck", "CRYPT_E_NO_REVOCATION_CHECK")]


def delegate(world, **more):
    more.setdefault("eku", ("1.3.6.1.5.5.7.3.9",))
    return world.maker.issue("Auskunft", more.pop("issuer", world.ca), **more)


def test_a_delegated_responder(world):
    leaf, signer = world.leaf(ocsp=[OCSP_URL]), delegate(world, extra=[(x509.OCSPNoCheck(), False)])
    world.web.pages[OCSP_URL] = answering(leaf, world.ca, signer=signer, send=[signer])
    assert world.judge(leaf, RevocationMode.OCSP).certificate_is_valid


def signed_by(world, leaf, signer: Issued) -> bytes:
    return make_ocsp(leaf, world.ca, signer=signer, send=[signer])


def unsuccessful() -> bytes:
    answer = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    return answer.public_bytes(Encoding.DER)


BAD_ANSWERS = {
    "stranger": lambda w, leaf: make_ocsp(leaf, w.ca, signer=w.maker.root("x")),
    "stranger with certificate": lambda w, leaf: signed_by(w, leaf, w.maker.root("x")),
    "delegate of another CA": lambda w, leaf: signed_by(w, leaf, delegate(w, issuer=w.root)),
    "delegate without usage": lambda w, leaf: signed_by(w, leaf, delegate(w, eku=("1.3.6.1.5.5.7.3.1",))),
    "expired delegate": lambda w, leaf: signed_by(w, leaf, delegate(w, end=NOW - DAY)),
    "stale": lambda w, leaf: make_ocsp(leaf, w.ca, this_update=NOW - 9 * DAY, next_update=NOW - DAY),
    "old without an end": lambda w, leaf: make_ocsp(leaf, w.ca, this_update=NOW - 9 * DAY, next_update=None),
    "of the future": lambda w, leaf: make_ocsp(leaf, w.ca, this_update=NOW + DAY, next_update=NOW + 2 * DAY),
    "of another certificate": lambda w, leaf: make_ocsp(w.leaf(), w.ca),
    "another nonce": lambda w, leaf: make_ocsp(leaf, w.ca, nonce=b"x" * 16),
    "try later": lambda w, leaf: unsuccessful(),
    "junk": lambda w, leaf: b"<html>",
}


@pytest.mark.parametrize("kind", BAD_ANSWERS)
def test_answers_that_cannot_be_used(world, kind):
    leaf = world.leaf(ocsp=[OCSP_URL])
    world.web.pages[OCSP_URL] = BAD_ANSWERS[kind](world, leaf)
    judged = world.judge(leaf, RevocationMode.OCSP)
    assert flags(judged) == OFFLINE, judged.revocation


def test_both_ways(world):
    leaf = world.leaf(ocsp=[OCSP_URL])
    world.web.pages |= {LEAF_URL: make_crl(world.ca), OCSP_URL: answering(leaf, world.ca, "revoked")}
    judged = world.judge(leaf, RevocationMode.BOTH)
    assert (statuses(judged)[:2], flags(judged)) == (["Revoked", "Good"], [ChainFlag.Revoked])
    del world.web.pages[OCSP_URL]
    judged = world.judge(leaf, RevocationMode.BOTH)
    assert (judged.certificate_is_valid, statuses(judged)[:2]) == (True, ["Offline", "Good"])
    assert [f.id for f in judged.findings] == ["RevocationOffline"]
    assert judged.findings[0].severity is Severity.WARNING


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()])
def test_staples(world, algorithm):
    leaf = world.leaf(ocsp=[OCSP_URL])
    good, revoked = (make_ocsp(leaf, world.ca, said, algorithm=algorithm) for said in ("good", "revoked"))
    judged = world.judge(leaf, RevocationMode.OCSP, staple=good)
    assert (judged.certificate_is_valid, judged.revocation[0].source, world.web.asked) == (True, "Staple", [CA_URL])
    world.web.pages[LEAF_URL] = make_crl(world.ca)
    assert flags(world.judge(leaf, staple=revoked)) == [ChainFlag.Revoked]
    judged = world.judge(leaf, staple=b"junk")
    assert (judged.certificate_is_valid, [f.id for f in judged.findings]) == (True, ["BadStaple"])
    judged = world.judge(leaf, staple=good)
    assert (judged.certificate_is_valid, statuses(judged)) == (True, ["Good", "Good", "Good"])


def test_a_good_staple_does_not_hide_a_dead_crl(world):
    leaf = world.leaf()
    assert flags(world.judge(leaf, staple=make_ocsp(leaf, world.ca))) == OFFLINE


def test_nobody_without_the_issuers_key_is_asked(world):
    impostor = world.maker.ca("Prüf-CA", world.root, key_ids=False)
    leaf = world.leaf(key_ids=False)
    settings = Settings(world.store, Sources(world.web), now=NOW)
    judged = judge([leaf.der, impostor.der], Purpose.SSTP_SERVER, settings)
    assert ChainFlag.NotSignatureValid in flags(judged)
    assert LEAF_URL not in world.web.asked
    assert all(
        item.revocation_status is not RevocationStatus.GOOD or "Prüf" in item.subject for item in judged.revocation
    )


def test_hostile_addresses_are_counted(world):
    urls = [f"http://h{i}.test/" for i in range(60)]
    world.judge(world.leaf(cdp=[urls[i : i + 10] for i in range(0, 60, 10)], aia=urls, ocsp=urls), RevocationMode.BOTH)
    assert len(world.web.asked) <= 25


def test_a_point_of_another_issuer_is_named_and_not_passed(world):
    issuer = [x509.DirectoryName(name("Andere"))]
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(LEAF_URL)], None, None, issuer)
    world.web.pages[LEAF_URL] = make_crl(world.ca)
    judged = world.judge(world.leaf(cdp=(), extra=[(x509.CRLDistributionPoints([point]), False)]))
    assert flags(judged) == OFFLINE
    assert "indirect CRL (issued by CN=Andere)" in judged.findings[0].message


def test_a_list_of_another_key_of_the_ca_says_so(world):
    renewed = world.maker.ca("Prüf-CA", world.root)
    key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(renewed.key.public_key())
    world.web.pages[LEAF_URL] = make_crl(renewed, extra=[(key_id, False)])
    judged = world.judge(world.leaf())
    assert flags(judged) == OFFLINE
    assert "another key of the CA" in judged.findings[0].message


def test_a_list_without_an_end(world):
    end = b"\x17\x0d" + (NOW + 6 * DAY).strftime("%y%m%d%H%M%SZ").encode()
    outer = Reader(make_crl(world.ca)).sequence()
    body, algorithm = outer.read(), outer.read().encoded
    endless = wrap(0x30, body.content.replace(end, b""))
    assert len(endless) == len(body.encoded) - len(end)
    signature = world.ca.key.sign(endless, ec.ECDSA(hashes.SHA256()))
    world.web.pages[LEAF_URL] = wrap(0x30, endless + algorithm + wrap(3, b"\0" + signature))
    judged = world.judge(world.leaf())
    assert flags(judged) == OFFLINE
    assert "until when" in judged.findings[0].message


def test_a_responder_certified_by_a_namesake_of_the_ca(world):
    leaf, namesake = world.leaf(ocsp=[OCSP_URL]), world.maker.ca("Prüf-CA", world.root)
    signer = delegate(world, issuer=namesake)
    world.web.pages[OCSP_URL] = make_ocsp(leaf, world.ca, signer=signer, send=[signer])
    assert flags(world.judge(leaf, RevocationMode.OCSP)) == OFFLINE


def test_a_responder_that_may_not_sign(world):
    usage = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
    leaf, signer = world.leaf(ocsp=[OCSP_URL]), delegate(world, usage=usage)
    world.web.pages[OCSP_URL] = make_ocsp(leaf, world.ca, signer=signer, send=[signer])
    judged = world.judge(leaf, RevocationMode.OCSP)
    assert flags(judged) == OFFLINE
    assert "key usage" in judged.findings[0].message
