"""Keys find their certificates by the key alone, and chains their order."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from pkitools.errors import FormatError
from pkitools.keystore.pairing import (
    certificate_key_fingerprint,
    key_fingerprint,
    link,
    match,
    order_chain,
    order_chains,
)
from pkitools.models.keystore import CertificateEntry, KeyEntry
from pkitools.protocol.pkcs12 import evidence
from tests.lab.crafted_pfx import entry, key
from tests.lab.pfx_makers import KINDS, certificate, chain_of, der_of, key_of


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("pss", "rsa4096", "dsa")])
def test_a_key_fits_its_certificate_wherever_it_stands(kind):
    everything = [entry(other, part) for other in ("p256", "p384", kind) for part in range(3)]
    random.Random(kind).shuffle(everything)
    found = match([key(kind)], everything)
    assert [each.der for each in found.pairs[0].chain] == [der_of(part) for part in chain_of(kind)]
    assert found.lone_keys == ()
    assert key_fingerprint(key(kind).pkcs8) == certificate_key_fingerprint(entry(kind).der)


def test_ids_and_position_decide_nothing():
    wrong = [entry("p384", local_key_id=b"1"), entry("p256", local_key_id=b"2")]
    found = match([key("p256", local_key_id=b"1"), key("p384", local_key_id=b"2")], wrong)
    assert [(p.key.pkcs8, p.certificate.der) for p in found.pairs] == [
        (key("p256").pkcs8, entry("p256").der),
        (key("p384").pkcs8, entry("p384").der),
    ]


def test_doubles_are_one_and_gaps_are_filled():
    found = match(
        [key("p256"), key("p256", friendly_name="a", provider="P")],
        [entry("p256"), entry("p256", friendly_name="b", local_key_id=b"1")],
    )
    assert len(found.keys) == len(found.certificates) == len(found.pairs) == 1
    assert (found.keys[0].friendly_name, found.keys[0].provider) == ("a", "P")
    assert (found.certificates[0].friendly_name, found.certificates[0].local_key_id) == ("b", b"1")


def test_a_key_without_certificate_and_a_damaged_one_are_lone():
    found = match([key("p384"), KeyEntry(b"garbage")], [entry("p256")])
    assert found.pairs == ()
    assert len(found.lone_keys) == 2
    assert [each.der for each in found.others] == [entry("p256").der]
    with pytest.raises(FormatError):
        key_fingerprint(b"garbage")


def test_a_renewed_certificate_with_the_same_key_gives_two_pairs():
    issuing, signer = chain_of("p256")[1], key_of("issuing")
    renewed = certificate("renewed", key_of("p256").public_key(), issuing, signer, ca=False)
    found = match([key("p256")], [entry("p256"), CertificateEntry(der_of(renewed)), entry("p256", 1), entry("p256", 2)])
    assert [len(pair.chain) for pair in found.pairs] == [3, 3]


def test_of_two_issuers_with_one_name_the_signer_is_taken():
    leaf, issuing, root = (CertificateEntry(der_of(part)) for part in chain_of("p256"))
    impostor = certificate("Zwischen-CA", key_of("p384").public_key(), None, key_of("p384"), ca=True)
    same_key = certificate("Zwischen-CA", key_of("issuing").public_key(), None, key_of("issuing"), ca=True)
    assert order_chain(leaf, [CertificateEntry(der_of(impostor)), issuing, root]) == (leaf, issuing, root)
    cross = CertificateEntry(der_of(same_key))
    assert order_chain(leaf, [issuing, root, cross]) == (leaf, cross)


def test_a_gap_ends_the_chain_and_circles_end():
    leaf, _, root = (CertificateEntry(der_of(part)) for part in chain_of("p256"))
    assert order_chain(leaf, [root]) == (leaf,)
    one = certificate("A", key_of("p256").public_key(), None, key_of("p384"), ca=True)
    two = certificate("A", key_of("p384").public_key(), one, key_of("p256"), ca=True)
    entries = [CertificateEntry(der_of(one)), CertificateEntry(der_of(two))]
    assert set(order_chains(entries)) == set(entries)


def test_without_keys_leaves_come_before_their_issuers():
    chain = [CertificateEntry(der_of(part)) for part in chain_of("p256")]
    assert order_chains(chain[::-1]) == tuple(chain)


def test_many_certificates_stay_quick():
    base = [entry("p256", part) for part in range(3)]
    public, signer = key_of("p256").public_key(), key_of("p256")
    many = [CertificateEntry(der_of(certificate(f"n{i}", public, None, signer, ca=False))) for i in range(300)]
    assert len(match([key("p384")], [*base, *many]).others) == 303


def test_link_gives_each_pair_an_id_of_its_own():
    crossed = match(
        [key("p256", local_key_id=b"1"), key("p384", local_key_id=b"1")],
        [entry("p256", local_key_id=b"1"), entry("p384", local_key_id=b"2"), entry("p256", 1, local_key_id=b"1")],
    )
    linked = link(crossed)
    ids = [each.local_key_id for each in linked.keys]
    assert len(set(ids)) == 2
    assert [c.local_key_id for c in linked.certificates] == [ids[0], None, ids[1]]


def test_link_keeps_an_id_that_says_the_truth():
    found = match([key("p256", local_key_id=b"\1\0\0\0")], [entry("p256", local_key_id=b"\1\0\0\0"), entry("p256", 1)])
    linked = link(found)
    assert linked.keys[0].local_key_id == linked.certificates[0].local_key_id == b"\1\0\0\0"
    assert linked.certificates[1:] == (replace(entry("p256", 1), local_key_id=None),)


def test_a_key_whose_length_is_not_its_algorithms_is_damaged():
    """``cryptography`` answers with InternalError, which is no ValueError."""
    odd = key("ed25519").pkcs8.replace(bytes.fromhex("2b6570"), bytes.fromhex("2b6571"))
    with pytest.raises(FormatError, match="damaged"):
        key_fingerprint(odd)
    assert match([KeyEntry(odd)], [entry("ed25519")]).pairs == ()


def test_a_file_of_namesakes_ends_soon(monkeypatch):
    """Each of 300 certificates has 300 possible issuers; only so many signatures are checked."""
    signer, other = key_of("p256"), chain_of("p256")[2]
    root = certificate("A", signer.public_key(), None, signer, ca=True)
    of_a = [certificate("Wurzel", signer.public_key(), root, signer, ca=True) for _ in range(300)]
    of_b = [certificate("A", signer.public_key(), other, signer, ca=True) for _ in range(300)]
    entries = [CertificateEntry(der_of(each)) for each in (*of_a, *of_b)]
    checks = []
    monkeypatch.setattr(evidence, "signed_by", lambda *pair: checks.append(pair) or True)
    assert len(match([], entries).others) == 600
    assert 0 < len(checks) <= 64 * 8
