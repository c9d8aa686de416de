"""The certificate that charon shows in IKE_AUTH, its proof, and the cases in which it shows none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pkitools.models.outcome import Status
from tests.lab.charon import SERVER_NAME, UNLIMITED, Charon, Responder

pytestmark = pytest.mark.lab
TEST_IKE = "pkitools.aovpn.ike.run:test_ike"
EAP = "eap-md5"
RESPONDERS = {
    "rsa": Responder("127.4.0.1", "aes256-sha256-ecp256", "rsa", EAP),
    "ecdsa": Responder("127.4.0.2", "aes128gcm16-prfsha384-modp2048", "ecdsa", EAP),
    "pss": Responder("127.4.0.3", "3des-sha1-modp1024", "rsa", EAP, local_auth="ike:rsa/pss-sha384"),
    "des": Responder("127.4.0.4", "des-md5-modp768", "rsa", EAP),
    "group24": Responder("127.4.0.5", "aes192-sha384-modp2048s256", "ecdsa", EAP),
    "ecp384": Responder("127.4.0.6", "aes256gcm16-prfsha256-ecp384", "ecdsa", EAP),
    "never": Responder("127.4.0.7", "aes256-sha256-ecp256", "rsa", EAP, options={"send_cert": "never"}),
    "machine": Responder("127.4.0.8", "aes256-sha256-ecp256", "rsa", "pubkey"),
    "no_method": Responder("127.4.0.9", "aes256-sha256-ecp256", "rsa", "eap-mschapv2"),
    "clientonly": Responder("127.4.0.10", "aes256-sha256-ecp256", "clientonly", EAP),
}
ALGORITHMS = {
    "rsa": "RSA PKCS1 with SHA256",
    "ecdsa": "ECDSA with SHA256",
    "pss": "RSA-PSS with SHA384",
    "des": "RSA PKCS1 with SHA256",
    "group24": "ECDSA with SHA256",
    "ecp384": "ECDSA with SHA256",
}


@pytest.fixture(scope="module")
def charon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Charon]:
    daemon = Charon(tmp_path_factory.mktemp("certificates"), RESPONDERS.values())
    yield daemon
    daemon.close()


def fetch(charon: Charon, name: str):
    (outcome,) = charon.call(
        TEST_IKE,
        [RESPONDERS[name].address],
        certificate=True,
        name=SERVER_NAME,
        ca_files=(str(charon.folder / "root.pem"),),
        revocation="off",
    )
    return outcome


def leaf_of(charon: Charon, name: str) -> bytes:
    pem = (charon.folder / "x509" / f"{name}.pem").read_bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_certificate_is_fetched_and_proved(charon, name):
    outcome = fetch(charon, name)
    shown = outcome.value.certificate
    assert (shown.shown, shown.auth_verified, shown.auth_algorithm) == (True, True, ALGORITHMS[name])
    assert shown.identity == SERVER_NAME
    assert shown.offers_eap is True
    assert shown.judgement.chain[0].certificate.raw_data == leaf_of(charon, RESPONDERS[name].certificate)
    assert [item.certificate.subject for item in shown.judgement.chain][-1] == "CN=Prüf-Root 🔐"
    assert shown.judgement.certificate_is_valid is True
    assert shown.judgement.name_match is True
    assert charon.half_open() == 0


def test_authorities_that_the_server_asks_for_are_named(charon):
    """charon asks for the CAs that it trusts: the root here (13806)."""
    authorities = fetch(charon, "rsa").value.features.certificate_authorities
    assert [item.subject for item in authorities] == ["CN=Prüf-Root 🔐"]


def test_certificate_without_server_usage_is_refused(charon):
    outcome = fetch(charon, "clientonly")
    assert outcome.status is Status.FINDING
    assert "CERT_E_WRONG_USAGE" in [item.code for item in outcome.value.findings]


@pytest.mark.parametrize(
    ("name", "words"),
    [("never", "without sending a certificate"), ("machine", "client certificate"), ("no_method", "no EAP method")],
)
def test_certificate_not_shown_is_not_no_certificate(charon, name, words):
    outcome = fetch(charon, name)
    shown = outcome.value.certificate
    assert (shown.shown, shown.judgement) == (False, None)
    assert words in shown.message
    assert "CertificateNotShown" in [item.id for item in outcome.value.findings]
    assert outcome.status is Status.OK
    assert charon.half_open() == 0


def test_fragments_and_plain_rsa_signatures(tmp_path):
    """Old servers: no RFC 7427 (method 1 and the ECDSA methods of RFC 4754), the answer in small fragments."""
    settings = {**UNLIMITED, "fragment_size": "400", "signature_authentication": "no"}
    daemon = Charon(tmp_path, [RESPONDERS["rsa"], RESPONDERS["ecdsa"]], settings)
    try:
        plain_rsa, plain_ecdsa = (fetch(daemon, name).value.certificate for name in ("rsa", "ecdsa"))
        assert plain_rsa.fragments > 3
        assert (plain_rsa.auth_verified, plain_rsa.auth_algorithm) == (True, "RSA PKCS1 with SHA1")
        assert (plain_ecdsa.auth_verified, plain_ecdsa.auth_algorithm) == (True, "ECDSA with SHA256")
    finally:
        daemon.close()
