import itertools
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkitools.codes import hex_of
from pkitools.errors import FormatError, InputError
from pkitools.models.outcome import Severity
from pkitools.models.revocation import RevocationMode
from pkitools.models.trust import ChainFlag, Judgement, Origin, Purpose
from pkitools.protocol.der import oid as x509_oid
from pkitools.protocol.strict_der import Reader
from pkitools.trust import Settings, Sources, Store, judge, system_store
from pkitools.trust.issues import FLAGS, status_of
from tests.unit.trust.pki import CLIENT, DAY, IKE, NOW, SERVER, Issued, Maker, resign_ec, resign_rsa, rsa_key, wrap
from tests.unit.trust.web import Web


class World:
    """A root that is trusted, an issuing CA, and a judge without a network."""

    def __init__(self) -> None:
        self.maker = Maker()
        self.root = self.maker.root()
        self.ca = self.maker.ca("Prüf-CA", self.root, path_length=0)
        self.store = Store()
        self.store.add([self.root.der], Origin.STORE)

    def judge(self, *chain: Issued, purpose: Purpose = Purpose.SSTP_SERVER, name="vpn.lab.test", **more) -> Judgement:
        settings = Settings(self.store, revocation=RevocationMode.OFF, now=NOW, **more)
        return judge([item.der for item in chain], purpose, settings, name=name)

    def leaf(self, **more) -> Issued:
        return self.maker.leaf(self.ca, **more)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def ids(judgement: Judgement, least: Severity = Severity.WARNING) -> list[str]:
    return [f.id for f in judgement.findings if least is Severity.NOTE or f.severity is not Severity.NOTE]


def codes(judgement: Judgement) -> set[str | None]:
    return {f.code for f in judgement.findings if f.severity is Severity.ERROR}


def flags(judgement: Judgement) -> list[ChainFlag]:
    return [item.status for item in judgement.error_information]


def test_a_good_certificate(world):
    judged = world.judge(world.leaf(), world.ca)
    assert (judged.certificate_is_valid, judged.name_match, ids(judged), flags(judged)) == (True, True, [], [])
    assert [element.origin for element in judged.chain] == [Origin.SENT, Origin.SENT, Origin.STORE]


def test_self_signed(world):
    judged = world.judge(world.maker.issue("vpn.lab.test", sans=("vpn.lab.test",)))
    assert not judged.certificate_is_valid
    assert (ids(judged), codes(judged), flags(judged)) == (
        ["SelfSigned"],
        {"CERT_E_UNTRUSTEDROOT"},
        [ChainFlag.UntrustedRoot],
    )


@pytest.mark.parametrize(
    ("start", "end", "identifier"), [(-100, -2, "Expired"), (5, 100, "NotYetValid")], ids=["expired", "notyet"]
)
def test_outside_its_validity(world, start, end, identifier):
    judged = world.judge(world.leaf(start=NOW + start * DAY, end=NOW + end * DAY), world.ca)
    assert (ids(judged), codes(judged), flags(judged)) == ([identifier], {"CERT_E_EXPIRED"}, [ChainFlag.NotTimeValid])


def test_wrong_name_is_no_matter_of_the_chain(world):
    judged = world.judge(world.leaf(sans=("other.lab.test",)), world.ca)
    assert (judged.certificate_is_valid, judged.name_match) == (True, False)
    assert (ids(judged), codes(judged)) == (["NameMismatch"], {"CERT_E_CN_NO_MATCH"})


def test_missing_intermediate(world):
    judged = world.judge(world.leaf())
    assert (ids(judged), codes(judged), flags(judged)) == (
        ["PartialChain"],
        {"CERT_E_CHAINING"},
        [ChainFlag.PartialChain],
    )


def test_client_authentication_only(world):
    judged = world.judge(world.leaf(eku=(CLIENT,)), world.ca)
    assert (ids(judged), codes(judged), flags(judged)) == (
        ["WrongUsage"],
        {"CERT_E_WRONG_USAGE"},
        [ChainFlag.NotValidForUsage],
    )


def test_no_usage_extension_is_a_warning(world):
    judged = world.judge(world.leaf(eku=None), world.ca)
    assert (judged.certificate_is_valid, ids(judged), codes(judged)) == (True, ["NoUsageExtension"], set())


def test_ike_usage_is_a_note(world):
    judged = world.judge(world.leaf(eku=(SERVER, IKE)), world.ca)
    assert (judged.certificate_is_valid, ids(judged), ids(judged, Severity.NOTE)) == (True, [], ["IkeUsage"])


def test_common_name_only_is_a_warning(world):
    judged = world.judge(world.leaf(sans=()), world.ca)
    assert (judged.certificate_is_valid, judged.name_match, ids(judged)) == (True, True, ["CommonNameOnly"])


def test_nothing_to_judge_and_names_that_are_none(world):
    with pytest.raises(FormatError):
        world.judge()
    for name in ("a..b", "x" * 64 + ".test", "a\0b", ""):
        with pytest.raises(InputError):
            world.judge(world.leaf(), world.ca, name=name)


def key_usage(**on) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    )
    values = {item: on.get(item, False) for item in names.split()}
    return x509.KeyUsage(**values, encipher_only=False, decipher_only=False)


UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)


def test_a_usage_that_a_ca_does_not_have(world):
    ca = world.maker.ca("Nur Klienten", world.root, eku=(CLIENT,))
    judged = world.judge(world.maker.leaf(ca), ca)
    assert (ids(judged), flags(judged)) == (["CaWrongUsage"], [ChainFlag.NotValidForUsage])
    assert judged.chain[1].status == (ChainFlag.NotValidForUsage,)


@pytest.mark.parametrize("usage", ["2.5.29.37.0", "1.3.6.1.4.1.311.10.12.1"])
def test_any_purpose_is_a_warning(world, usage):
    judged = world.judge(world.leaf(eku=(usage,)), world.ca)
    assert (judged.certificate_is_valid, ids(judged)) == (True, ["AnyPurpose"])


def test_application_policies_stand_in_for_a_missing_usage_extension(world):
    def policies(oid: str):
        return x509.UnrecognizedExtension(
            x509.ObjectIdentifier("1.3.6.1.4.1.311.21.10"),
            wrap(0x30, wrap(0x30, x509_oid(oid))),
        )

    judged = world.judge(world.leaf(eku=None, extra=[(policies(SERVER), False)]), world.ca)
    assert (judged.certificate_is_valid, ids(judged)) == (True, [])
    judged = world.judge(world.leaf(eku=None, extra=[(policies(CLIENT), False)]), world.ca)
    assert flags(judged) == [ChainFlag.NotValidForUsage]


def test_an_issuer_that_is_no_ca(world):
    for more in ({"basic": False}, {"basic": False, "extra": [(x509.BasicConstraints(False, None), True)]}):
        ca = world.maker.ca("Keine CA", world.root, **more)
        judged = world.judge(world.maker.leaf(ca), ca)
        assert (ids(judged), codes(judged)) == (["NotACa"], {"TRUST_E_BASIC_CONSTRAINTS"})
        assert flags(judged) == [ChainFlag.InvalidBasicConstraints]


def test_path_length(world):
    below = world.maker.ca("Zu tief", world.ca)
    judged = world.judge(world.maker.leaf(below), below, world.ca)
    assert (ids(judged), codes(judged)) == (["PathLength"], {"TRUST_E_BASIC_CONSTRAINTS"})


def test_a_ca_that_may_not_sign(world):
    ca = world.maker.ca("Stumm", world.root, usage=key_usage(crl_sign=True))
    judged = world.judge(world.maker.leaf(ca), ca)
    assert (ids(judged), flags(judged)) == (["CaKeyUsage"], [ChainFlag.NotValidForUsage])


@pytest.mark.parametrize("who", ["leaf", "ca"])
def test_unknown_critical_extensions(world, who):
    ca = world.maker.ca("CA", world.root, extra=[UNKNOWN]) if who == "ca" else world.ca
    judged = world.judge(world.maker.leaf(ca, extra=[UNKNOWN] if who == "leaf" else []), ca)
    assert (ids(judged), codes(judged)) == (["CriticalExtension"], {"CERT_E_CRITICAL"})
    assert flags(judged) == [ChainFlag.HasNotSupportedCriticalExtension]


def test_a_usage_extension_that_cannot_be_read(world):
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.37"), b"\x30\x05junk")
    judged = world.judge(world.leaf(eku=None, extra=[(broken, False)]), world.ca)
    assert flags(judged) == [ChainFlag.InvalidExtension]


def test_a_repeated_extension_is_never_passed(world):
    extra = [
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.99"), wrap(0x30, b"")), False),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.98"), wrap(0x30, b"")), False),
    ]
    leaf = world.leaf(extra=extra)
    der = resign_ec(leaf.der, world.ca.key, bytes.fromhex("0603551d62"), bytes.fromhex("0603551d63"))
    judged = world.judge(Issued(leaf.certificate, leaf.key, der), world.ca)
    assert flags(judged) == [ChainFlag.InvalidExtension]


def test_a_negative_serial_number_is_shown_and_verified(world):
    leaf = world.leaf(serial=0x7766554433221100)
    der = resign_ec(leaf.der, world.ca.key, bytes.fromhex("7766554433221100"), b"\xff" * 8)
    judged = world.judge(Issued(leaf.certificate, leaf.key, der), world.ca)
    assert (judged.certificate_is_valid, judged.chain[0].certificate.serial_number) == (True, "FF" * 8)


@pytest.mark.parametrize(
    ("bits", "digest", "expected"),
    [
        (1024, None, ["WeakKey"]),
        (2048, "sha1", ["WeakHash"]),
        (2048, "md5", ["WeakHash"]),
        (1024, "sha1", ["WeakKey", "WeakHash"]),
    ],
)
def test_weak_keys_and_hashes(world, bits, digest, expected):
    ca = world.maker.ca("RSA-CA", world.root, key=rsa_key(2048))
    leaf = world.maker.leaf(ca, key=rsa_key(bits))
    der = resign_rsa(leaf.der, ca.key, digest) if digest else leaf.der
    judged = world.judge(Issued(leaf.certificate, leaf.key, der), ca)
    assert (judged.certificate_is_valid, ids(judged)) == (True, expected)
    assert {f.code for f in judged.findings if f.severity is Severity.WARNING} == {"CERTSRV_E_WEAK_SIGNATURE_OR_KEY"}


def test_windows_blocks_rsa_below_1024(world):
    # cryptography makes no such key, so the leaf carries a modulus of 512 bits that nobody has a key for.
    leaf = world.leaf(key=rsa_key(1024))
    spki = leaf.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    modulus = leaf.certificate.public_key().public_numbers().n.to_bytes(128, "big")
    small = spki.replace(modulus, b"\0" * 64 + modulus[64:])
    der = resign_ec(leaf.der, world.ca.key, spki, small)
    judged = world.judge(Issued(leaf.certificate, leaf.key, der), world.ca)
    assert ChainFlag.HasWeakSignature in flags(judged)
    assert "CERTSRV_E_WEAK_SIGNATURE_OR_KEY" in codes(judged)


def test_strong_keys_are_no_matter(world):
    for key in (rsa_key(4096), ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP521R1())):
        judged = world.judge(world.leaf(key=key), world.ca)
        assert (judged.certificate_is_valid, ids(judged)) == (True, [])


def test_a_changed_certificate(world):
    leaf = world.leaf()
    der = leaf.der.replace(b"vpn.lab.test", b"vpn.lab.tess")
    judged = world.judge(Issued(leaf.certificate, leaf.key, der), world.ca, name="vpn.lab.tess")
    assert (ids(judged), codes(judged)) == (["BadSignature"], {"TRUST_E_CERT_SIGNATURE"})
    assert flags(judged) == [ChainFlag.NotSignatureValid]


def test_a_same_name_issuer_with_another_key_does_not_hide_the_right_one(world):
    impostors = [world.maker.ca("Prüf-CA", world.root) for _ in range(10)]
    assert world.judge(world.leaf(), *impostors, world.ca, *impostors).certificate_is_valid
    judged = world.judge(world.leaf(), *impostors)
    assert flags(judged) == [ChainFlag.PartialChain]


def test_untrusted_root_says_where_the_root_is_to_be_had(world):
    root = world.maker.root("Firmenwurzel")
    ca = world.maker.ca("Firma", root)
    for chain in ([world.maker.leaf(ca), ca, root],):
        judged = world.judge(*chain)
        assert (ids(judged), codes(judged)) == (["UntrustedRoot"], {"CERT_E_UNTRUSTEDROOT"})
        assert "CertEnroll" in judged.findings[0].next_step
        assert "--ca-file" in judged.findings[0].next_step


def test_the_best_of_several_paths_decides(world):
    """A CA certified by an expired, an unknown and the trusted root: the trusted path wins, whatever the order."""
    old, unknown = world.maker.root("Alt", end=NOW - DAY), world.maker.root("Fremd")
    key = world.maker.next_key()
    crosses = [world.maker.ca("Kreuz", root, key=key) for root in (old, unknown, world.root)]
    expired = world.maker.ca("Kreuz", world.root, key=key, end=NOW - DAY)
    leaf = world.maker.leaf(crosses[0])
    for chain in itertools.permutations([*crosses, expired]):
        judged = world.judge(leaf, *chain, old, unknown)
        assert judged.certificate_is_valid
        assert judged.chain[-1].certificate.subject == "CN=Prüf-Wurzel 🌱"
    judged = world.judge(leaf, crosses[0], crosses[1], old, unknown)
    assert judged.chain[-1].certificate.subject == "CN=Fremd"


def test_a_renewed_root_with_the_same_key(world):
    renewed = world.maker.root("Prüf-Wurzel 🌱", key=world.root.key)
    assert world.judge(world.leaf(), world.ca, renewed).certificate_is_valid


def test_a_circle(world):
    first_key, second_key = world.maker.next_key(), world.maker.next_key()
    first_self = world.maker.issue("Eins", ca=True, key=first_key, eku=None)
    second_self = world.maker.issue("Zwei", ca=True, key=second_key, eku=None)
    first = world.maker.ca("Eins", second_self, key=first_key)
    second = world.maker.ca("Zwei", first_self, key=second_key)
    judged = world.judge(world.maker.leaf(first_self), first, second)
    assert set(flags(judged)) == {ChainFlag.Cyclic, ChainFlag.PartialChain}
    assert ids(judged) == ["Cyclic", "PartialChain"]


def test_a_hundred_certificates_and_more(world):
    clutter = [world.maker.issue(f"Nr. {i}", eku=None) for i in range(110)]
    judged = world.judge(world.leaf(), world.ca, *clutter)
    assert (judged.certificate_is_valid, ids(judged)) == (True, ["TooManyCertificates"])


def test_a_mesh_of_cross_certificates_ends_soon(world):
    """Twelve CAs that certify each other have more paths than anyone can walk."""
    keys = [world.maker.next_key() for _ in range(12)]
    selfs = [world.maker.issue(f"Netz {i}", ca=True, key=key, eku=None) for i, key in enumerate(keys)]
    mesh = [world.maker.ca(f"Netz {i}", selfs[j], key=keys[i]) for i in range(12) for j in range(12) if i != j]
    start = time.monotonic()
    judged = world.judge(world.maker.leaf(selfs[0]), *mesh[:99])
    assert time.monotonic() - start < 3
    assert not judged.certificate_is_valid


def test_a_path_that_is_too_deep(world):
    chain = [world.maker.root("Tiefe 0")]
    for depth in range(1, 20):
        chain.append(world.maker.ca(f"Tiefe {depth}", chain[-1]))
    judged = world.judge(world.maker.leaf(chain[-1]), *chain)
    assert flags(judged) == [ChainFlag.PartialChain]
    assert "longer than" in judged.findings[0].message


def test_members_that_are_junk_do_not_hide_the_rest(world):
    settings = Settings(world.store, revocation=RevocationMode.OFF, now=NOW)
    assert judge([world.leaf().der, b"junk", world.ca.der], Purpose.SSTP_SERVER, settings).certificate_is_valid


def test_name_constraints(world):
    def constraints(permitted=(), excluded=()):
        trees = [[x509.DNSName(item) for item in part] or None for part in (permitted, excluded)]
        return [(x509.NameConstraints(*trees), True)]

    cases = [
        (constraints(["lab.test"]), [], []),
        (constraints(["other.test"]), ["NameNotPermitted"], [ChainFlag.HasNotPermittedNameConstraint]),
        (constraints([], ["lab.test"]), ["NameExcluded"], [ChainFlag.HasExcludedNameConstraint]),
    ]
    for extra, expected, flag in cases:
        ca = world.maker.ca("Eng", world.root, extra=extra)
        judged = world.judge(world.maker.leaf(ca), ca)
        assert (ids(judged), flags(judged)) == (expected, flag)
        assert codes(judged) == ({"CERT_E_INVALID_NAME"} if expected else set())
        by_common_name = world.judge(world.maker.leaf(ca, sans=()), ca)
        assert flags(by_common_name) == flag


def test_name_constraints_that_cannot_be_read_or_held(world):
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.30"), b"\x30\x04junk")
    ca = world.maker.ca("Kaputt", world.root, extra=[(broken, True)])
    assert flags(world.judge(world.maker.leaf(ca), ca)) == [ChainFlag.InvalidNameConstraints]
    maximum = wrap(0x30, wrap(0xA0, wrap(0x30, wrap(0x82, b"lab.test") + b"\x81\x01\x05")))
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.30"), maximum)
    ca = world.maker.ca("Seltsam", world.root, extra=[(odd, True)])
    assert flags(world.judge(world.maker.leaf(ca), ca)) == [ChainFlag.HasNotSupportedNameConstraint]


def test_a_required_policy(world):
    require = (x509.PolicyConstraints(0, None), True)
    ca = world.maker.ca("Streng", world.root, extra=[require])
    judged = world.judge(world.maker.leaf(ca), ca)
    assert (ids(judged), codes(judged)) == (["PolicyMissing"], {"CERT_E_INVALID_POLICY"})
    assert flags(judged) == [ChainFlag.InvalidPolicyConstraints]


def test_missing_intermediate_completed_by_aia(world):
    for name, body in aia_bodies(world.ca).items():
        web = Web()
        web.pages["http://aia.test/ca"] = body
        leaf = world.leaf(aia=["ldap:///CN=AIA", "http://dead.test/", "http://aia.test/ca"])
        judged = world.judge(leaf, sources=Sources(web))
        assert judged.certificate_is_valid, name
        assert [element.origin for element in judged.chain] == [Origin.SENT, Origin.AIA, Origin.STORE]
        assert ids(judged) == ["MissingIntermediate"]
        assert "the server must send this" in judged.findings[0].next_step
        assert judged.findings[0].code == "CERT_E_CHAINING"
        assert [record.error for record in judged.fetched][1:] == ["connection refused", ""]
        assert "ldap" in judged.fetched[0].error


def aia_bodies(ca: Issued) -> dict[str, bytes]:
    from cryptography.hazmat.primitives.serialization import pkcs7

    pem = ca.certificate.public_bytes(Encoding.PEM)
    message = pkcs7.serialize_certificates([ca.certificate], Encoding.DER)
    return {
        "der": ca.der,
        "pem": pem,
        "p7b": message,
        "p7b pem": pkcs7.serialize_certificates([ca.certificate], Encoding.PEM),
    }


def test_aia_that_leads_nowhere(world):
    web = Web()
    loop_key = world.maker.next_key()
    loop = world.maker.issue(
        "Schleife", world.root, ca=True, key=loop_key, issuer_name="Schleife 2", eku=None, aia=["http://b.test/"]
    )
    web.pages |= {"http://a.test/": b"junk", "http://b.test/": loop.der}
    leaf = world.maker.leaf(loop, aia=["http://a.test/", "http://b.test/"])
    judged = world.judge(leaf, sources=Sources(web))
    assert ChainFlag.PartialChain in flags(judged)
    assert len(web.asked) <= 3


def test_aia_is_not_asked_without_need(world):
    web = Web()
    world.judge(world.leaf(aia=["http://a.test/"]), world.ca, sources=Sources(web))
    assert web.asked == []


def test_an_intermediate_of_the_ca_file_is_not_sent_either(world):
    store = Store()
    store.add([world.root.der, world.ca.der], Origin.EXTRA)
    judged = judge([world.leaf().der], Purpose.SSTP_SERVER, Settings(store, revocation=RevocationMode.OFF, now=NOW))
    assert (judged.certificate_is_valid, ids(judged)) == (True, ["MissingIntermediate"])


@pytest.mark.parametrize(("days", "expected"), [(40, None), (20, Severity.WARNING), (3, Severity.ERROR)])
def test_days_left_raise_the_severity_and_nothing_else(world, days, expected):
    judged = world.judge(world.leaf(end=NOW + days * DAY), world.ca)
    assert judged.certificate_is_valid
    assert [f.severity for f in judged.findings if f.id == "ExpiresSoon"] == ([expected] if expected else [])
    silent = world.judge(world.leaf(end=NOW + days * DAY), world.ca, warn_days=1, crit_days=0)
    assert ids(silent) == []


def test_a_ca_that_ends_first(world):
    ca = world.maker.ca("Bald", world.root, end=NOW + 20 * DAY)
    judged = world.judge(world.maker.leaf(ca), ca)
    assert ids(judged, Severity.NOTE) == ["ExpiresSoon", "OutlivesIssuer"]


def test_an_expired_intermediate(world):
    ca = world.maker.ca("Alt", world.root, end=NOW - DAY)
    judged = world.judge(world.maker.leaf(ca), ca)
    assert (ids(judged), judged.chain[1].status) == (["Expired"], (ChainFlag.NotTimeValid,))


def test_an_empty_store_is_said(world, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "fehlt.pem"))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    settings = Settings(system_store(), revocation=RevocationMode.OFF, now=NOW)
    judged = judge([world.leaf().der, world.ca.der, world.root.der], Purpose.WEB_SERVER, settings)
    assert ids(judged) == ["UntrustedRoot", "EmptyStore"]


def test_key_usage_of_the_leaf_is_a_warning(world):
    judged = world.judge(world.leaf(usage=key_usage(key_encipherment=True)), world.ca)
    assert (judged.certificate_is_valid, ids(judged)) == (True, ["KeyUsage"])
    judged = world.judge(world.leaf(usage=key_usage(data_encipherment=True)), world.ca)
    assert (judged.certificate_is_valid, ids(judged)) == (True, ["KeyUsage"])


def test_every_code_of_a_finding_is_a_windows_code():
    for code, _ in FLAGS.values():
        assert code is None or hex_of(code).startswith("0x80")
    assert set(FLAGS) == set(ChainFlag)


# X509ChainStatusFlags and the HRESULT that .NET on Windows gives for each (dotnet/corefx, ChainPal, MIT).
DOTNET = {
    "NotTimeValid": 0x800B0101,
    "NotTimeNested": 0x800B0102,
    "Revoked": 0x80092010,
    "NotSignatureValid": 0x80096004,
    "NotValidForUsage": 0x800B0110,
    "UntrustedRoot": 0x800B0109,
    "PartialChain": 0x800B010A,
    "RevocationStatusUnknown": 0x80092012,
    "OfflineRevocation": 0x80092013,
    "InvalidNameConstraints": 0x800B0114,
    "HasNotSupportedNameConstraint": 0x800B0114,
    "HasNotDefinedNameConstraint": 0x800B0114,
    "HasNotPermittedNameConstraint": 0x800B0114,
    "HasExcludedNameConstraint": 0x800B0114,
    "InvalidBasicConstraints": 0x80096019,
    "InvalidPolicyConstraints": 0x800B0113,
    "NoIssuanceChainPolicy": 0x800B0113,
    "HasNotSupportedCriticalExtension": 0x800B0105,
    "ExplicitDistrust": 0x800B0111,
    "HasWeakSignature": 0x80094016,
    "Cyclic": None,
    "InvalidExtension": None,
}


@pytest.mark.parametrize("flag", ChainFlag)
def test_flags_and_their_hresults(flag):
    (status,) = status_of([flag])
    number = DOTNET[flag.name]
    assert status.code_hex == (None if number is None else f"0x{number:08X}")


USER_SID = "S-1-5-21-1004336348-1177238915-682003330-1105"


def upn(text: str) -> x509.OtherName:
    return x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), wrap(0x0C, text.encode()))


def sid_extension(sid: str):
    other = wrap(0xA0, x509_oid("1.3.6.1.4.1.311.25.2.1") + wrap(0xA0, wrap(4, sid.encode())))
    return (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2"), wrap(0x30, other)), False)


def holder(world, *names: x509.GeneralName, sid: str | None = None) -> Issued:
    extra = [(x509.SubjectAlternativeName(names), False)] if names else []
    return world.leaf(sans=(), eku=(CLIENT,), extra=[*extra, *([sid_extension(sid)] if sid else [])])


def test_a_vpn_user(world):
    def judged(*names, sid=None):
        return world.judge(holder(world, *names, sid=sid), world.ca, purpose=Purpose.VPN_USER, name=None)

    good = judged(upn("åse@lab.test"), sid=USER_SID)
    assert (good.certificate_is_valid, good.name_match, ids(good)) == (True, None, [])
    in_uri = x509.UniformResourceIdentifier(f"tag:microsoft.com,2022-09-14:sid:{USER_SID}")
    assert ids(judged(upn("åse@lab.test"), in_uri)) == []
    assert ids(judged(upn("åse@lab.test"))) == ["NoSid"]
    assert ids(judged(upn("åse@lab.test"), upn(USER_SID))) == ["MisplacedSid"]
    assert ids(judged(upn("åse@lab.test"), sid="S-1-5-18")) == ["BadSid"]
    assert ids(judged(sid=USER_SID)) == ["NoPrincipalName"]
    assert ids(world.judge(world.leaf(), world.ca, purpose=Purpose.VPN_USER, name=None))[0] == "WrongUsage"


def test_a_device(world):
    named = holder(world, x509.DNSName("pc1.lab.test"))
    judged = world.judge(named, world.ca, purpose=Purpose.DEVICE, name="pc1.lab.test")
    assert (ids(judged), ids(judged, Severity.NOTE)) == ([], ["NoSid"])
    judged = world.judge(holder(world, sid=USER_SID), world.ca, purpose=Purpose.DEVICE, name=None)
    assert ids(judged) == ["NoDnsName"]


def test_an_nps_server(world):
    leaf = world.leaf(key=rsa_key(2048))
    assert ids(world.judge(leaf, world.ca, purpose=Purpose.NPS_SERVER)) == []
    nameless = world.maker.leaf(world.ca, "", key=rsa_key(2048))
    judged = world.judge(nameless, world.ca, purpose=Purpose.NPS_SERVER)
    assert (judged.certificate_is_valid, ids(judged)) == (True, ["EmptySubject"])
    assert ids(world.judge(world.leaf(), world.ca, purpose=Purpose.NPS_SERVER)) == ["NotRsa"]


def test_an_ike_server_with_and_without_the_ike_usage(world):
    judged = world.judge(world.leaf(), world.ca, purpose=Purpose.IKE_SERVER)
    assert (judged.certificate_is_valid, ids(judged, Severity.NOTE)) == (True, ["NoIkeUsage"])
    judged = world.judge(world.leaf(eku=(SERVER, IKE)), world.ca, purpose=Purpose.IKE_SERVER)
    assert ids(judged, Severity.NOTE) == ["IkeUsage"]


def test_what_strict_libraries_refuse_is_a_note(world):
    judged = world.judge(world.leaf(key_ids=False), world.ca)
    assert (judged.certificate_is_valid, ids(judged), ids(judged, Severity.NOTE)) == (True, [], ["OthersRefuse"])
    assert "Authority Key Identifier" in judged.findings[0].message


def test_two_different_algorithm_identifiers(world):
    """RFC 5280 4.1.1.2: what stands outside the signature must be what stands inside."""
    leaf = world.leaf()
    inside, outside = bytes.fromhex("300a06082a8648ce3d040302"), bytes.fromhex("300c06082a8648ce3d0403020500")
    outer = Reader(leaf.der).sequence()
    body, algorithm, signature = outer.read().encoded, outer.read().encoded, outer.read().encoded
    assert algorithm == inside
    judged = world.judge(Issued(leaf.certificate, leaf.key, wrap(0x30, body + outside + signature)), world.ca)
    assert flags(judged) == [ChainFlag.NotSignatureValid]


def test_a_policy_that_the_leaf_itself_requires(world):
    judged = world.judge(world.leaf(extra=[(x509.PolicyConstraints(0, None), True)]), world.ca)
    assert flags(judged) == [ChainFlag.InvalidPolicyConstraints]


def test_an_algorithm_that_nobody_knows_is_shown_and_not_valid(world):
    leaf = world.leaf()
    known = bytes.fromhex("06082a8648ce3d040302")
    der = leaf.der.replace(known, bytes.fromhex("06082a8648ce3d04037f"))
    judged = world.judge(Issued(leaf.certificate, leaf.key, der), world.ca)
    assert flags(judged) == [ChainFlag.NotSignatureValid]
    assert "cannot be checked" in judged.findings[0].message
