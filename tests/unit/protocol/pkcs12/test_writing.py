"""Writing: whatever goes in comes out, and cryptography's own reader, the oracle, agrees."""

from __future__ import annotations

import warnings

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.models.keystore import Attribute, CertificateEntry, KeyEntry, KeySpec, KeyStoreContent
from pkitools.models.secret import Secret
from pkitools.protocol.pkcs12 import Profile, decrypt_private_key, encrypt_private_key, inspect_pfx, read_pfx, write_pfx
from tests.lab.crafted_pfx import content, entry, key
from tests.lab.pfx_makers import chain_of, der_of, key_of, pkcs8_of

KINDS = ("rsa2048", "p256", "p521", "ed25519", "ed448")
names = st.none() | st.text(max_size=20)
ids = st.none() | st.binary(min_size=1, max_size=24)
others = st.lists(st.sampled_from([Attribute("1.3.6.1.4.1.311.17.3.71", (b"\4\2hi",)), Attribute("1.2.3", ())]),
                  max_size=2, unique=True).map(tuple)  # fmt: skip
keys = st.builds(
    KeyEntry,
    st.sampled_from(KINDS).map(pkcs8_of),
    friendly_name=names,
    local_key_id=ids,
    provider=names,
    machine=st.booleans(),
    key_spec=st.sampled_from(KeySpec),
    attributes=others,
)
certificates = st.builds(
    CertificateEntry,
    st.tuples(st.sampled_from(KINDS), st.integers(0, 2)).map(lambda pick: der_of(chain_of(pick[0])[pick[1]])),
    friendly_name=names,
    local_key_id=ids,
    attributes=others,
)


@given(st.lists(keys, max_size=3), st.lists(certificates, max_size=5), st.text(max_size=10), st.sampled_from(Profile))
@settings(max_examples=60, deadline=None)
def test_any_content_round_trips(some_keys, some_certificates, password, profile):
    before = KeyStoreContent(tuple(some_keys), tuple(some_certificates))
    after = read_pfx(
        write_pfx(before, Secret(password), profile, iterations=2, mac_iterations=2), [Secret(password)]
    ).content

    def plain(entries):
        return [(e.friendly_name, e.local_key_id, set(e.attributes)) for e in entries]

    assert plain(after.keys) == plain(before.keys)
    assert plain(after.certificates) == plain(before.certificates)
    assert [c.der for c in after.certificates] == [c.der for c in before.certificates]
    facts = [(k.provider, k.machine, k.key_spec) for k in before.keys]
    assert [(k.provider, k.machine, k.key_spec) for k in after.keys] == facts


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("password", ["Geheim", "pässwörd🔑", ""])
def test_the_oracle_reads_it(profile, kind, password):
    leaf = entry(kind, local_key_id=b"1", friendly_name="VPN Zürich")
    made = write_pfx(
        content([key(kind, local_key_id=b"1", friendly_name="VPN Zürich")], [leaf, entry(kind, 1)]),
        Secret(password),
        profile,
        iterations=10,
        mac_iterations=10,
    )
    # an emoji in the name would be lost: cryptography drops such names, of its own files too
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = pkcs12.load_pkcs12(made, password.encode())
    assert found.key.public_key() == key_of(kind).public_key()
    assert found.cert.certificate == chain_of(kind)[0]
    assert found.cert.friendly_name == "VPN Zürich".encode()
    assert [each.certificate for each in found.additional_certs] == [chain_of(kind)[1]]


def test_defaults_stay_within_what_dotnet_accepts():
    for profile in Profile:
        found = inspect_pfx(write_pfx(content([key("p256")], [entry("p256")]), Secret("x"), profile))
        counts = [safe.encryption.iterations for safe in found.safes if safe.encryption]
        counts += [bag.encryption.iterations for bag in found.bags if bag.encryption]
        assert found.mac.iterations <= 300_000
        assert max(counts) <= 300_000
        assert sum(counts) <= 1_000_000
        assert found.mac.salt_length == (16 if profile is Profile.PBMAC1 else 8)
        assert found.mac.digest == ("SHA-1" if profile is Profile.WINDOWS2016 else "SHA-256")


def test_salts_are_fresh():
    one, two = (encrypt_private_key(pkcs8_of("p256"), Secret("x"), iterations=1) for _ in range(2))
    assert one != two
    assert decrypt_private_key(one, [Secret("x")]) == pkcs8_of("p256")
