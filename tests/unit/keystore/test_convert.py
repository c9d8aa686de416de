"""Conversion as a whole: round trips lose nothing, layouts are what devices want, files are all or none."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools import pem_to_pfx, pfx_to_pem
from pkitools.errors import FileAccessError, FormatError, InputError, PasswordError
from pkitools.keystore.convert import DEFAULT_PROVIDER, PemOptions, PfxOptions, to_pem, to_pfx
from pkitools.keystore.layouts import RULES
from pkitools.keystore.pairing import thumbprint
from pkitools.keystore.pfx_findings import is_ksp
from pkitools.models.conversion import ChainChoice, KeyFormat, Layout
from pkitools.models.keystore import Attribute, CertificateEntry, KeyEntry, KeySpec, KeyStoreContent
from pkitools.models.secret import Secret
from pkitools.protocol import private_key
from pkitools.protocol.pem import read_pem
from pkitools.protocol.pkcs12 import Profile, read_pfx, write_pfx
from pkitools.protocol.pkcs12.attributes import with_key_spec
from tests.unit.keystore import pki

PASSWORD = Secret("pässwörd 🔑")
CSP = "Microsoft RSA SChannel Cryptographic Provider"
QUICK = PfxOptions(iterations=1, mac_iterations=1)
ORDER = [pki.chain("rsa").leaf, pki.chain("rsa").issuing, pki.chain("rsa").root]


def pfx(*keys: KeyEntry, certificates: tuple[CertificateEntry, ...], profile: Profile = Profile.WINDOWS) -> bytes:
    content = KeyStoreContent(keys, certificates)
    return write_pfx(content, PASSWORD, profile, iterations=1, mac_iterations=1)


def simple_pfx(kind: str = "rsa", **key: object) -> bytes:
    certificates = tuple(CertificateEntry(pki.der(one)) for one in ("root", kind, "issuing"))
    return pfx(KeyEntry(pki.pkcs8(kind), **key), certificates=certificates)  # type: ignore[arg-type]


names = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
attributes = st.lists(
    st.builds(
        Attribute,
        st.sampled_from(["1.3.6.1.4.1.311.17.3.71", "1.3.6.1.4.1.311.17.3.20", "1.2.3.4"]),
        st.lists(st.sampled_from([b"\x04\x02ab", b"\x05\x00", b"\x0c\x01x"]), max_size=2, unique=True).map(tuple),
    ),
    max_size=2,
    unique_by=lambda one: one.oid,
).map(tuple)


@settings(max_examples=80, deadline=None)
@given(
    kind=st.sampled_from(pki.KINDS),
    pss=st.booleans(),
    order=st.permutations(["leaf", "issuing", "root"]),
    depth=st.integers(1, 3),
    names=st.tuples(names, names, names),
    provider=st.sampled_from([CSP, DEFAULT_PROVIDER, "Anbieter ü 🔑\0"]),
    key_spec=st.sampled_from(KeySpec),
    machine=st.booleans(),
    key_attributes=attributes,
    certificate_attributes=attributes,
    profile=st.sampled_from(Profile),
    key_format=st.sampled_from(["pkcs8", "encrypted", "traditional"]),
)
def test_pfx_to_pem_to_pfx_keeps_everything(
    kind, pss, order, depth, names, provider, key_spec, machine, key_attributes, certificate_attributes, profile,
    key_format,
):  # fmt: skip
    raw = pki.pkcs8(kind)
    if kind == "rsa" and pss:
        raw = private_key.with_algorithm(raw, bytes.fromhex("300b06092a864886f70d01010a"))
    key = KeyEntry(
        with_key_spec(raw, key_spec),
        friendly_name=names[0],
        local_key_id=b"\1\0\0\0",
        provider=provider,
        machine=machine,
        key_spec=key_spec,
        attributes=key_attributes,
    )
    chain = {
        "leaf": CertificateEntry(pki.der(kind), names[1], b"\1\0\0\0", certificate_attributes),
        "issuing": CertificateEntry(pki.der("issuing"), names[2]),
        "root": CertificateEntry(pki.der("root")),
    }
    present = [one for one in order if one in ("leaf", "issuing", "root")[:depth]]
    before = pfx(key, certificates=tuple(chain[one] for one in present), profile=profile)
    form = {"pkcs8": KeyFormat.PKCS8, "encrypted": KeyFormat.ENCRYPTED}.get(
        key_format,
        KeyFormat.PKCS1 if kind == "rsa" else KeyFormat.SEC1 if kind.startswith(("p-", "brain")) else KeyFormat.PKCS8,
    )
    options = PemOptions(key_format=form, layout=Layout.SPLIT if machine else Layout.SINGLE)
    made = to_pem("x.pfx", before, (PASSWORD,), options)
    pieces = [(file.path, file.data) for file in made.files]
    after = to_pfx(pieces, PASSWORD, (PASSWORD,), replace(QUICK, profile=profile))
    content = read_pfx(after.data, [PASSWORD]).content
    expected = read_pfx(before, [PASSWORD]).content
    assert content.keys == expected.keys
    assert content.keys[0] == replace(key, attributes=content.keys[0].attributes)
    by_der = {one.der: one for one in expected.certificates}
    assert [one.der for one in content.certificates] == [chain[one].der for one in ("leaf", "issuing", "root")[:depth]]
    assert all(one == by_der[one.der] for one in content.certificates)


def test_defaults_of_windows() -> None:
    inputs = [("a", pki.pem("rsa", "issuing", "root") + pki.key_pem("rsa"))]
    made = to_pfx(inputs, PASSWORD, (PASSWORD,), QUICK)
    assert (made.provider, made.key_spec, made.machine) == (DEFAULT_PROVIDER, KeySpec.NONE, False)
    made = to_pfx(inputs, PASSWORD, (PASSWORD,), replace(QUICK, provider=CSP))
    assert (made.provider, made.key_spec) == (CSP, KeySpec.EXCHANGE)
    made = to_pfx(inputs, PASSWORD, (PASSWORD,), replace(QUICK, provider=CSP, key_spec=KeySpec.NONE))
    assert made.key_spec is KeySpec.NONE
    made = to_pfx(inputs, PASSWORD, (PASSWORD,), replace(QUICK, machine=True, friendly_name="VPN 🔑"))
    content = read_pfx(made.data, [PASSWORD]).content
    assert content.keys[0].machine and content.keys[0].friendly_name == "VPN 🔑"
    assert [one.friendly_name for one in content.certificates] == ["VPN 🔑", None, None]


def test_options_win_over_the_input_and_the_input_over_defaults() -> None:
    carried = simple_pfx(provider=CSP, machine=True, key_spec=KeySpec.SIGNATURE, friendly_name="alt", local_key_id=b"x")
    inputs = [("a", carried)]
    made = to_pfx(inputs, PASSWORD, (PASSWORD,), QUICK)
    assert (made.provider, made.key_spec, made.machine, made.friendly_name) == (CSP, KeySpec.SIGNATURE, True, "alt")
    options = replace(QUICK, provider=DEFAULT_PROVIDER, key_spec=KeySpec.NONE, machine=False, friendly_name="neu")
    made = to_pfx(inputs, PASSWORD, (PASSWORD,), options)
    assert (made.provider, made.key_spec, made.machine, made.friendly_name) == (
        DEFAULT_PROVIDER,
        KeySpec.NONE,
        False,
        "neu",
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (DEFAULT_PROVIDER, True),
        ("Microsoft Platform Crypto Provider", True),
        ("microsoft smart card key storage provider\0", True),
        (CSP, False),
        ("Microsoft Enhanced Cryptographic Provider v1.0", False),
    ],
)
def test_providers(name: str, expected: bool) -> None:
    assert is_ksp(name) is expected


@pytest.mark.parametrize(
    ("kind", "profile", "warned"),
    [
        ("rsa", Profile.WINDOWS, set()),
        ("p-256", Profile.WINDOWS2016, set()),
        ("ed25519", Profile.WINDOWS, {"KeyTypeNotInDotNet"}),
        ("ed448", Profile.WINDOWS2016, {"KeyTypeNotInDotNet"}),
        ("rsa", Profile.PBMAC1, {"Pbmac1NotInDotNet"}),
    ],
)
def test_what_some_reader_cannot_open_is_said(kind: str, profile: Profile, warned: set[str]) -> None:
    made = to_pfx([("a", simple_pfx(kind))], PASSWORD, (PASSWORD,), replace(QUICK, profile=profile))
    assert {item.id for item in made.findings} == warned
    assert all(".NET 10" in item.message for item in made.findings)


def test_iterations_over_the_limits_of_dotnet_are_said() -> None:
    made = to_pfx([("a", simple_pfx())], PASSWORD, (PASSWORD,), replace(QUICK, iterations=300_001))
    assert [item.id for item in made.findings] == ["IterationsOverDotNet"]
    made = to_pfx([("a", simple_pfx())], PASSWORD, (PASSWORD,), PfxOptions(iterations=1, mac_iterations=300_001))
    assert [item.id for item in made.findings] == ["IterationsOverDotNet"]


def test_elliptic_key_for_a_csp_is_said() -> None:
    made = to_pfx([("a", simple_pfx("p-256"))], PASSWORD, (PASSWORD,), replace(QUICK, provider=CSP))
    assert [item.id for item in made.findings] == ["KeyTypeNotForCsp"]


EXPECTED = {
    Layout.SINGLE: {"vpn.pem": "KLIR"},
    Layout.SPLIT: {"vpn.key": "K", "vpn.crt": "L", "vpn-chain.crt": "IR"},
    Layout.HAPROXY: {"vpn.pem": "LIK"},
    Layout.NGINX: {"vpn.crt": "LI", "vpn.key": "K"},
    Layout.F5: {"vpn.crt": "L", "vpn.key": "K", "vpn-chain.crt": "I"},
    Layout.KEMP: {"vpn.pem": "LK", "vpn-intermediate.pem": "I"},
    Layout.NETSCALER: {"vpn.pem": "LKI"},
    Layout.AWS: {"vpn-body.pem": "L", "vpn-chain.pem": "IR", "vpn-key.pem": "K"},
    Layout.AZURE: {"vpn.pem": "KLIR"},
    Layout.FORTIGATE: {"vpn.crt": "L", "vpn.key": "K", "vpn-ca.crt": "I"},
    Layout.PALOALTO: {"vpn.crt": "LI", "vpn.key": "K"},
    Layout.KUBERNETES: {"vpn.tls.crt": "LI", "vpn.tls.key": "K"},
}


@pytest.mark.parametrize("layout", Layout)
def test_layouts(tmp_path: Path, layout: Layout) -> None:
    (tmp_path / "vpn.pfx").write_bytes(simple_pfx(friendly_name="Name", provider=CSP, key_spec=KeySpec.EXCHANGE))
    made = pfx_to_pem(tmp_path / "vpn.pfx", PASSWORD, out=f"{tmp_path}/o/", options=PemOptions(layout=layout))
    letters = {pki.der("rsa"): "L", pki.der("issuing"): "I", pki.der("root"): "R"}
    found = {
        Path(file.path).name: "".join(letters.get(block.der, "K") for block in read_pem(Path(file.path).read_bytes()))
        for file in made.files
    }
    assert found == EXPECTED[layout]
    assert sorted(os.listdir(tmp_path / "o")) == sorted(found)
    for name, content in found.items():
        path = tmp_path / "o" / name
        assert stat.S_IMODE(path.stat().st_mode) == (0o600 if "K" in content else 0o644)
        outside = re.sub(rb"-----BEGIN ([A-Z ]+)-----\n[^-]+-----END \1-----\n", b"", path.read_bytes())
        assert (outside == b"") or RULES[layout].plain
        if not RULES[layout].plain and "K" in content:
            assert bytes.fromhex("0603551d0f") not in b"".join(block.der for block in read_pem(path.read_bytes()))


@pytest.mark.parametrize(
    ("choice", "expected"), [("full", ORDER), ("leaf", ORDER[:1]), ("no-root", ORDER[:2]), ("only-ca", ORDER[1:])]
)
def test_chain_choices(choice: str, expected: list[bytes]) -> None:
    made = to_pem("vpn.pfx", simple_pfx(), (PASSWORD,), PemOptions(chain=ChainChoice(choice)))
    blocks = [block for file in made.files for block in read_pem(file.data)]
    assert [block.der for block in blocks if block.label == "CERTIFICATE"] == expected
    assert any("PRIVATE" in block.label for block in blocks) is (choice != "only-ca")


def test_self_signed_leaf_is_no_root_to_leave_out() -> None:
    data = pfx(KeyEntry(pki.pkcs8("root")), certificates=(CertificateEntry(pki.der("root")),))
    made = to_pem("x", data, (PASSWORD,), PemOptions(layout=Layout.NGINX))
    assert [file.contents for file in made.files] == [("Certificate",), ("Key",)]
    with pytest.raises(InputError, match="no certificate of a CA"):
        to_pem("x", data, (PASSWORD,), PemOptions(chain=ChainChoice.ONLY_CA))


def test_incomplete_chain_is_noted() -> None:
    certificates = (CertificateEntry(pki.der("rsa")), CertificateEntry(pki.der("p-256")))
    made = to_pem("x", pfx(KeyEntry(pki.pkcs8("rsa")), certificates=certificates), (PASSWORD,), PemOptions())
    assert {item.id for item in made.findings} == {"ChainIncomplete", "CertificatesLeftOut"}
    assert pki.ISSUING_NAME in next(item.message for item in made.findings if item.id == "ChainIncomplete")


TWO_KEYS = pfx(
    KeyEntry(pki.pkcs8("rsa"), friendly_name="Erster"),
    KeyEntry(pki.pkcs8("p-256")),
    certificates=(
        CertificateEntry(pki.der("rsa")),
        CertificateEntry(pki.der("p-256"), friendly_name="Zweiter\0"),
        CertificateEntry(pki.der("issuing")),
    ),
)


def test_several_keys_are_listed_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "two.pfx").write_bytes(TWO_KEYS)
    with pytest.raises(InputError) as caught:
        pfx_to_pem(tmp_path / "two.pfx", PASSWORD, out=tmp_path / "out.pem")
    assert caught.value.error_id == "SeveralKeys"
    for text in (thumbprint(pki.der("rsa")), thumbprint(pki.der("p-256")), "'Erster'", "'Zweiter'"):
        assert text in caught.value.message
    assert os.listdir(tmp_path) == ["two.pfx"]


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (PemOptions(alias="zweiter"), "p-256"),
        (PemOptions(alias="Erster"), "rsa"),
        (PemOptions(thumbprint=thumbprint(pki.der("p-256")).lower()), "p-256"),
        (PemOptions(thumbprint="\u200e" + " ".join(re.findall("..", thumbprint(pki.der("rsa"))))), "rsa"),
    ],
)
def test_one_key_of_several(options: PemOptions, kind: str) -> None:
    made = to_pem("two.pfx", TWO_KEYS, (PASSWORD,), options)
    assert made.thumbprint == thumbprint(pki.der(kind))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (PemOptions(alias="Dritter"), "no key with this alias; there are .*Erster"),
        (PemOptions(thumbprint="00" * 20), "no key with this thumbprint"),
        (PemOptions(thumbprint="00"), "is no thumbprint"),
    ],
)
def test_a_choice_that_names_nothing(options: PemOptions, says: str) -> None:
    with pytest.raises(InputError, match=says):
        to_pem("two.pfx", TWO_KEYS, (PASSWORD,), options)


def test_names_of_outputs_come_from_the_input_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.b.pfx").write_bytes(simple_pfx(friendly_name="../../evil"))
    made = pfx_to_pem("a.b.pfx", PASSWORD, out=".")
    assert [Path(file.path).name for file in made.files] == ["a.b.pem"]
    made = pfx_to_pem("a.b.pfx", PASSWORD, out="x/y/", options=PemOptions(layout=Layout.NGINX))
    assert sorted(os.listdir("x/y")) == ["a.b.crt", "a.b.key"]
    made = pfx_to_pem("a.b.pfx", PASSWORD, out="site.pem", options=PemOptions(layout=Layout.NGINX))
    assert [file.path for file in made.files] == ["site.crt", "site.key"]
    assert pfx_to_pem("a.b.pfx", PASSWORD).files[0].path == "a.b.pem"


def test_one_old_file_of_a_layout_stops_all(tmp_path: Path) -> None:
    (tmp_path / "vpn.pfx").write_bytes(simple_pfx())
    (tmp_path / "vpn.key").write_bytes(b"old")
    with pytest.raises(FileAccessError, match="exists already"):
        pfx_to_pem(tmp_path / "vpn.pfx", PASSWORD, out=tmp_path, options=PemOptions(layout=Layout.NGINX))
    assert sorted(os.listdir(tmp_path)) == ["vpn.key", "vpn.pfx"]
    assert (tmp_path / "vpn.key").read_bytes() == b"old"
    options = PemOptions(layout=Layout.NGINX)
    pfx_to_pem(tmp_path / "vpn.pfx", PASSWORD, out=tmp_path, options=options, overwrite=True)
    assert (tmp_path / "vpn.key").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_the_input_is_never_overwritten_by_its_own_pem(tmp_path: Path) -> None:
    (tmp_path / "vpn.pem").write_bytes(simple_pfx())
    with pytest.raises(InputError, match="is an input"):
        pfx_to_pem(tmp_path / "vpn.pem", PASSWORD, out=tmp_path, overwrite=True)


def test_old_pfx_is_encrypted_anew_in_place(tmp_path: Path) -> None:
    path = tmp_path / "vpn.pfx"
    path.write_bytes(simple_pfx(provider=CSP))
    with pytest.raises(InputError, match="is an input"):
        pem_to_pfx([path], "neu", in_password=PASSWORD, out=path, options=QUICK)
    made = pem_to_pfx([path], "neu", in_password=PASSWORD, out=path, options=QUICK, overwrite=True)
    assert made.path == str(path) and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_pfx(path.read_bytes(), [Secret("neu")]).content.keys[0].provider == CSP
    assert pem_to_pfx([path], "x", in_password="neu", out=f"{tmp_path}/new/", options=QUICK).path.endswith(
        "new/vpn.pfx"
    )


def test_library_without_out_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "vpn.pfx").write_bytes(simple_pfx())
    made = pfx_to_pem(tmp_path / "vpn.pfx", PASSWORD)
    assert b"BEGIN PRIVATE KEY" in made.files[0].data
    assert b"PRIVATE" not in repr(made).encode() and "PRIVATE" not in str(made.files[0])
    assert pem_to_pfx([tmp_path / "vpn.pfx"], PASSWORD, options=QUICK).path == ""
    assert os.listdir(tmp_path) == ["vpn.pfx"]


def test_errors_tell_the_file_and_hold_no_password(tmp_path: Path) -> None:
    path = tmp_path / "vpn.pfx"
    path.write_bytes(simple_pfx())
    with pytest.raises(PasswordError) as caught:
        pfx_to_pem(path, "falsches Passwort")
    assert str(path) in caught.value.message
    assert "falsches" not in caught.value.message + caught.value.hint + repr(caught.value)
    path.write_bytes(pki.pem("rsa"))
    with pytest.raises(FormatError, match="not a PFX but PEM, and there is no private key") as refused:
        pfx_to_pem(path)
    assert refused.value.error_id == "NotPfx"
    path.write_bytes(pki.der("rsa"))
    with pytest.raises(FormatError, match="not a PFX but DER certificate"):
        pfx_to_pem(path)
    path.write_bytes(pfx(certificates=(CertificateEntry(pki.der("rsa")),)))
    with pytest.raises(FormatError, match="no private key") as refused:
        pfx_to_pem(path, PASSWORD)
    assert refused.value.error_id == "NoPrivateKey"


def test_encrypted_key_needs_a_password() -> None:
    data = write_pfx(
        KeyStoreContent((KeyEntry(pki.pkcs8("rsa")),), (CertificateEntry(pki.der("rsa")),)),
        Secret(""),
        iterations=1,
        mac_iterations=1,
    )
    with pytest.raises(PasswordError, match="needs a password"):
        to_pem("x", data, (), PemOptions(key_format=KeyFormat.ENCRYPTED))
    made = to_pem("x", data, (), PemOptions(key_format=KeyFormat.ENCRYPTED, key_password=PASSWORD))
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in made.files[0].data
