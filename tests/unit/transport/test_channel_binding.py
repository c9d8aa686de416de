"""The channel binding: the right hash per certificate, and the bytes in which NTLM carries it."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime

import pytest
import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

from pkitools.errors import ProtocolError
from pkitools.models.secret import Secret
from pkitools.transport.channel_binding import tls_server_end_point
from pkitools.transport.credentials import AuthMethod, Credentials
from pkitools.transport.deadline import Deadline
from pkitools.transport.security import ContextOptions, Logon, Target
from tests.lab.ldap_stub import PASSWORD, USER, users_file

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP384R1())


def certificate(key, algorithm, **signing) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dc1.ad.example.test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2030, 1, 1, tzinfo=UTC)
    )
    return builder.sign(key, algorithm, **signing).public_bytes(serialization.Encoding.DER)


PSS = padding.PSS(padding.MGF1(hashes.SHA512()), 64)


@pytest.mark.parametrize(
    ("key", "algorithm", "signing", "digest"),
    [
        (RSA_KEY, hashes.SHA256(), {}, "sha256"),
        (RSA_KEY, hashes.SHA384(), {}, "sha384"),
        (RSA_KEY, hashes.SHA512(), {}, "sha512"),
        (RSA_KEY, hashes.SHA512(), {"rsa_padding": PSS}, "sha512"),
        (EC_KEY, hashes.SHA384(), {}, "sha384"),
        (EC_KEY, hashes.SHA224(), {}, "sha224"),
        (ed25519.Ed25519PrivateKey.generate(), None, {}, "sha256"),
    ],
)
def test_the_hash_is_that_of_the_signature(key, algorithm, signing, digest):
    der = certificate(key, algorithm, **signing)
    assert tls_server_end_point(der) == b"tls-server-end-point:" + hashlib.new(digest, der).digest()


@pytest.mark.parametrize(("new", "name"), [(b"\x05", "sha1"), (b"\x04", "md5")])
def test_sha1_and_md5_become_sha256(new, name):
    """RFC 5929 4.1: SHA-256 instead. The signature algorithm's OID is changed in place; nobody verifies it here."""
    der = certificate(RSA_KEY, hashes.SHA256())
    oid = bytes.fromhex("2a864886f70d0101")
    changed = der.replace(oid + b"\x0b", oid + new)
    assert changed != der
    assert tls_server_end_point(changed) == b"tls-server-end-point:" + hashlib.sha256(changed).digest()


def test_no_certificate():
    with pytest.raises(ProtocolError):
        tls_server_end_point(b"\x30\x03abc")


def ntlm_context(negotiate: bool, binding: bytes | None):
    options = ContextOptions(protect=False, binding=binding, negotiate=negotiate)
    credentials = Credentials(USER, Secret(PASSWORD), method=AuthMethod.NTLM)
    return Logon(credentials).initiate(Target("ldap", "dc1.ad.example.test"), AuthMethod.NTLM, options, Deadline(5))


def test_ntlm_carries_the_binding_and_asks_for_neither_signing_nor_sealing(tmp_path):
    """MS-NLMP 2.2.2.1: MsvAvChannelBindings is the MD5 of the gss_channel_bindings_struct; read here by hand."""
    binding = b"tls-server-end-point:" + bytes(32)
    client = ntlm_context(negotiate=False, binding=binding)
    with users_file(tmp_path):
        server = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
        negotiate = client.step(None, Deadline(5))
        authenticate = client.step(server.step(negotiate), Deadline(5))
        server.step(authenticate)
    assert server.complete
    expected = hashlib.md5(bytes(16) + struct.pack("<I", len(binding)) + binding).digest()
    assert struct.pack("<HH", 10, 16) + expected in authenticate
    sign_seal_exchange = 0x10 | 0x20 | 0x40000000
    assert struct.unpack("<I", negotiate[12:16])[0] & sign_seal_exchange == 0
    assert struct.unpack("<I", authenticate[60:64])[0] & sign_seal_exchange == 0
    assert not client.protects


@pytest.mark.parametrize("own", [b"tls-server-end-point:" + bytes(32), b"tls-server-end-point:" + bytes(48)])
def test_an_acceptor_sees_a_foreign_channel(tmp_path, own):
    """pyspnego's acceptor takes the binding of its own channel, and refuses that of another."""
    from spnego.channel_bindings import GssChannelBindings
    from spnego.exceptions import BadBindingsError

    def exchange(theirs: bytes) -> spnego.ContextProxy:
        client = ntlm_context(negotiate=True, binding=own)
        server = spnego.server(
            channel_bindings=GssChannelBindings(application_data=theirs), options=spnego.NegotiateOptions.use_negotiate
        )
        token = None
        while not server.complete:
            token = server.step(client.step(token, Deadline(5)))
        return server

    with users_file(tmp_path):
        assert exchange(own).complete
        with pytest.raises(BadBindingsError):
            exchange(b"tls-server-end-point:" + b"\x01" * 32)


def test_sealing_both_ways_and_a_changed_bit(tmp_path):
    credentials = Credentials(USER, Secret(PASSWORD), method=AuthMethod.NTLM)
    with users_file(tmp_path), Logon(credentials) as logon:
        client = logon.initiate(Target("ldap", "dc1"), AuthMethod.NTLM, ContextOptions(), Deadline(5))
        server = spnego.server(options=spnego.NegotiateOptions.use_negotiate)
        token = None
        while not client.complete:
            token = server.step(client.step(token, Deadline(5)))
            if token is not None and server.complete:
                client.step(token, Deadline(5))
        assert client.protects
        assert server.unwrap(client.wrap("Köln".encode())).data == "Köln".encode()
        sealed = bytearray(server.wrap(b"answer").data)
        sealed[-1] ^= 1
        with pytest.raises(ProtocolError):
            client.unwrap(bytes(sealed))


@pytest.mark.parametrize(
    ("password", "digits"),
    [
        ("Password", "a4f49c406510bdcab6824ee7c30fd852"),  # MS-NLMP 4.2.2.1.2
        ("aad3b435b51404eeaad3b435b51404ee:8846f7eaee8fb117ad06bdd830b7586c", None),
    ],
)
def test_the_hash_of_a_password(password, digits):
    """A password that looks like a hash is a password."""
    from Cryptodome.Hash import MD4

    from pkitools.transport.security import _nt_hash

    expected = MD4.new(password.encode("utf-16-le")).hexdigest()
    assert _nt_hash(Credentials(USER, Secret(password))) == expected
    assert digits in {None, expected}
