"""Conversion against the programs that people have: files of openssl and ssh-keygen are read, and what is written is
read by openssl, certtool, pk12util, keytool, HAProxy, nginx, Python's ssl and .NET."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import pkitools
from pkitools import KeyFormat, Layout, PemOptions, PfxOptions, pem_to_pfx, pfx_to_pem
from pkitools.keystore.convert import to_pfx
from pkitools.keystore.pairing import thumbprint
from pkitools.models.keystore import KeySpec
from pkitools.models.secret import Secret
from pkitools.protocol import private_key
from pkitools.protocol.pem import read_pem
from pkitools.protocol.pkcs12 import Profile, read_pfx
from tests.lab.openssl_pki import KINDS, NAME, PASSWORD, Pki, key_forms
from tests.lab.programs import require_program

pytestmark = pytest.mark.lab
QUICK = PfxOptions(iterations=2048, mac_iterations=2048)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("openssl"))


@pytest.fixture(scope="module")
def forms(pki: Pki) -> dict[str, bytes]:
    return key_forms(pki)


def der_of(pki: Pki, name: str) -> bytes:
    return next(block.der for block in read_pem(pki.read(name)) if block.label == "CERTIFICATE")


def convert(pki: Pki, *inputs: bytes, kind: str = "rsa") -> None:
    """Any inputs give the leaf of that kind, its chain in order, and its key."""
    named = [(str(index), data) for index, data in enumerate(inputs)]
    made = to_pfx(named, Secret("neu"), (Secret(PASSWORD),), QUICK)
    content = read_pfx(made.data, [Secret("neu")]).content
    expected = [der_of(pki, name) for name in (f"{kind}.crt", "issuing.crt", "root.crt")]
    assert [one.der for one in content.certificates] == expected
    (key,) = content.keys
    (block,) = read_pem(pki.read(f"{kind}.key"))
    assert private_key.split_key(key.pkcs8)[2] == private_key.split_key(block.der)[2]


def test_every_form_of_a_key(pki: Pki, forms: dict[str, bytes]) -> None:
    assert len(forms) == 19
    for form, data in forms.items():
        try:
            convert(pki, data, pki.read("root.crt") + pki.read("rsa.crt") + pki.read("issuing.crt"))
        except Exception as error:
            raise AssertionError(form) from error


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key(pki: Pki, kind: str) -> None:
    convert(pki, pki.read("chain.pem"), pki.read(f"{kind}.key"), pki.read(f"{kind}.crt"), kind=kind)
    convert(pki, pki.pfx(kind), kind=kind)


def test_forms_of_certificates(pki: Pki) -> None:
    key, chain = pki.read("rsa.key"), pki.read("chain.pem")
    text = pki.openssl("x509", "-in", "rsa.crt", "-text")
    trusted = pki.openssl("x509", "-in", "rsa.crt", "-trustout", "-addtrust", "serverAuth")
    assert b"TRUSTED" in trusted
    convert(pki, text, chain, key)
    convert(pki, trusted, chain, key)
    convert(pki, pki.openssl("x509", "-in", "rsa.crt", "-outform", "DER"), chain, key)
    for form in ("PEM", "DER"):
        p7b = pki.openssl("crl2pkcs7", "-nocrl", "-certfile", "chain.pem", "-certfile", "rsa.crt", "-outform", form)
        convert(pki, p7b, key)


def test_bag_attributes_with_latin_1_bytes(pki: Pki) -> None:
    pki.pfx("rsa", "-CSP", "Anbieter", "-LMK", "-keyex", name="Zürich")
    noise = pki.openssl("pkcs12", "-in", "made.pfx", "-passin", f"pass:{PASSWORD}", "-noenc", "-info")
    assert b"Bag Attributes" in noise and b"\xfc" in noise
    convert(pki, noise)
    convert(pki, noise.decode("latin-1").encode("utf-16"))


@pytest.mark.parametrize("kind", ["p-256", "p-384"])
def test_forms_of_elliptic_keys(pki: Pki, kind: str) -> None:
    curve = {"p-256": "prime256v1", "p-384": "secp384r1"}[kind]
    secret = ("-passout", f"pass:{PASSWORD}")
    inputs = [
        pki.openssl("ec", "-in", f"{kind}.key"),
        pki.openssl("ecparam", "-name", curve) + pki.openssl("ec", "-in", f"{kind}.key"),
        pki.openssl("ec", "-in", f"{kind}.key", "-aes256", *secret),
        pki.openssl("ec", "-in", f"{kind}.key", "-outform", "DER"),
    ]
    for data in inputs:
        made = to_pfx([("c", pki.read(f"{kind}.crt")), ("k", data)], Secret("neu"), (Secret(PASSWORD),), QUICK)
        assert made.thumbprint == thumbprint(der_of(pki, f"{kind}.crt"))
    explicit = pki.openssl("ec", "-in", f"{kind}.key", "-param_enc", "explicit")
    made = to_pfx([("c", pki.read(f"{kind}.crt")), ("k", explicit)], Secret("neu"), (), QUICK)
    assert made.thumbprint == thumbprint(der_of(pki, f"{kind}.crt"))


def test_microsoft_attributes_of_openssl_survive(pki: Pki, tmp_path: Path) -> None:
    csp = "Microsoft RSA SChannel Cryptographic Provider"
    (tmp_path / "vpn.pfx").write_bytes(pki.pfx("rsa", "-CSP", csp, "-LMK", "-keysig"))
    made = pfx_to_pem(tmp_path / "vpn.pfx", PASSWORD, out=tmp_path)
    back = pem_to_pfx([made.files[0].path], "neu", options=QUICK)
    assert (back.provider, back.key_spec, back.machine, back.friendly_name) == (csp, KeySpec.SIGNATURE, True, NAME)


# What is written, and who reads it


@pytest.fixture(scope="module")
def written(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """PFX files by pkitools: kind and profile, with a name, a CSP's marks where a CSP can hold the key."""
    folder = tmp_path_factory.mktemp("written")
    files = {}
    for kind in ("rsa", "p-256", "ed25519"):
        for profile in (Profile.WINDOWS, Profile.WINDOWS2016):
            options = PfxOptions(
                profile=profile, friendly_name=NAME, machine=True, iterations=2048, mac_iterations=2048
            )
            name = f"{kind} {profile.value}"
            files[name] = folder / f"{name}.pfx"
            inputs = [pki.path("chain.pem"), pki.path(f"{kind}.key"), pki.path(f"{kind}.crt")]
            pem_to_pfx(inputs, PASSWORD, out=files[name], options=options)
    return files


def test_openssl_reads_our_pfx(pki: Pki, written: dict[str, Path]) -> None:
    for name, path in written.items():
        kind = name.split()[0]
        text = pki.openssl("pkcs12", "-in", str(path), "-passin", f"pass:{PASSWORD}", "-noenc")
        certificates = [block.der for block in read_pem(text) if block.label == "CERTIFICATE"]
        assert certificates == [der_of(pki, one) for one in (f"{kind}.crt", "issuing.crt", "root.crt")]
        assert b"Microsoft Local Key set: <No Values>" in text
        assert b"Microsoft CSP Name: Microsoft Software Key Storage Provider" in text


def test_certtool_reads_our_pfx(pki: Pki, written: dict[str, Path]) -> None:
    certtool = require_program("certtool")
    for path in written.values():
        text = pki.run(certtool, "--p12-info", "--inder", "--infile", str(path), "--password", PASSWORD)
        assert text.count(b"-----BEGIN CERTIFICATE-----") == 3 and b"PRIVATE KEY-----" in text


def test_pk12util_reads_our_pfx(pki: Pki, written: dict[str, Path], tmp_path: Path) -> None:
    pk12util, certutil = require_program("pk12util"), require_program("certutil")
    (tmp_path / "pw").write_text(PASSWORD)
    pki.run(certutil, "-N", "-d", f"sql:{tmp_path}", "--empty-password")
    for name, path in written.items():
        if name.startswith("ed25519"):
            continue  # NSS knows no Ed25519
        pki.run(pk12util, "-i", str(path), "-d", f"sql:{tmp_path}", "-w", str(tmp_path / "pw"))
    listed = pki.run(certutil, "-L", "-d", f"sql:{tmp_path}").decode("utf-8", "replace")
    assert NAME in listed and "u,u,u" in listed


def test_keytool_reads_our_pfx(pki: Pki, tmp_path: Path) -> None:
    keytool = require_program("keytool")
    for profile in (Profile.WINDOWS, Profile.WINDOWS2016):
        path = tmp_path / f"{profile.value}.pfx"
        inputs = [pki.path(one) for one in ("root.crt", "rsa.crt", "issuing.crt", "rsa.key")]
        options = PfxOptions(profile=profile, friendly_name="vpn", iterations=2048, mac_iterations=2048)
        pem_to_pfx(inputs, "geheim", out=path, options=options)
        command = ("-list", "-v", "-storetype", "PKCS12", "-keystore", str(path), "-storepass", "geheim")
        text = pki.run(keytool, "-J-Duser.language=en", *command).decode("utf-8", "replace")
        assert "Alias name: vpn" in text and "PrivateKeyEntry" in text and "Certificate chain length: 3" in text


def test_cryptography_reads_our_pfx(pki: Pki, written: dict[str, Path]) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

    for name, path in written.items():
        store = pkcs12.load_pkcs12(path.read_bytes(), PASSWORD.encode())
        assert store.cert is not None and store.key is not None and store.cert.friendly_name == NAME.encode()
        assert store.cert.certificate.public_bytes(Encoding.DER) == der_of(pki, f"{name.split()[0]}.crt")
        assert len(store.additional_certs) == 2


DOTNET = r"""
using namespace System.Security.Cryptography.X509Certificates
$ErrorActionPreference = 'Stop'
$found = foreach ($line in [Console]::In.ReadToEnd().Split("`n", [StringSplitOptions]::RemoveEmptyEntries)) {
    $ask = $line | ConvertFrom-Json
    try {
        if ($ask.kind -eq 'pfx') { $c = [X509CertificateLoader]::LoadPkcs12FromFile($ask.path, $ask.password) }
        elseif (-not $ask.password) { $c = [X509Certificate2]::CreateFromPemFile($ask.path, $ask.key) }
        else { $c = [X509Certificate2]::CreateFromEncryptedPemFile($ask.path, $ask.password, $ask.key) }
        @{ name = $ask.name; thumbprint = $c.Thumbprint; key = $c.HasPrivateKey }
    } catch { @{ name = $ask.name; error = $_.Exception.InnerException.Message ?? $_.Exception.Message } }
}
ConvertTo-Json @($found) -Depth 3
"""


@pytest.mark.pwsh
def test_dotnet_reads_what_we_write(pki: Pki, written: dict[str, Path], tmp_path: Path, pwsh: str) -> None:
    asks = [{"name": name, "kind": "pfx", "path": str(path), "password": PASSWORD} for name, path in written.items()]
    pems = {"rsa": ("pkcs8", "pkcs1", "encrypted"), "p-256": ("pkcs8", "sec1", "encrypted")}
    for kind, key_formats in pems.items():
        for key_format in key_formats:
            out = tmp_path / f"{kind} {key_format}"
            options = PemOptions(layout=Layout.SPLIT, key_format=KeyFormat(key_format))
            pfx_to_pem(written[f"{kind} windows"], PASSWORD, out=f"{out}/", options=options)
            base = out / f"{kind} windows"
            asks.append(
                {
                    "name": f"{kind} pem {key_format}",
                    "kind": "pem",
                    "path": f"{base}.crt",
                    "key": f"{base}.key",
                    "password": PASSWORD if key_format == "encrypted" else "",
                }
            )
    script = tmp_path / "read.ps1"
    script.write_text(DOTNET)
    text = pki.run(pwsh, "-NoProfile", "-File", str(script), text="\n".join(json.dumps(ask) for ask in asks))
    answers = {answer["name"]: answer for answer in json.loads(text)}
    for ask in asks:
        answer = answers[ask["name"]]
        if ask["name"].startswith("ed25519"):
            assert "error" in answer  # as the warning of pem-to-pfx says
            continue
        assert answer.get("thumbprint") == thumbprint(der_of(pki, f"{ask['name'].split()[0]}.crt")), answer
        assert answer["key"] is True


@pytest.mark.parametrize("kind", ["rsa", "p-256"])
@pytest.mark.parametrize("key_format", ["pkcs8", "traditional"])
def test_haproxy_and_nginx_load_their_layouts(
    pki: Pki, written: dict[str, Path], tmp_path: Path, kind: str, key_format: str
) -> None:
    form = {"pkcs8": KeyFormat.PKCS8}.get(key_format, KeyFormat.PKCS1 if kind == "rsa" else KeyFormat.SEC1)

    def made(layout: Layout) -> list[str]:
        options = PemOptions(layout=layout, key_format=form)
        out = f"{tmp_path}/{layout.value}/"
        return [file.path for file in pfx_to_pem(written[f"{kind} windows"], PASSWORD, out=out, options=options).files]

    (bundle,) = made(Layout.HAPROXY)
    bundle = str(Path(bundle).rename(tmp_path / "bundle.pem"))
    (tmp_path / "haproxy.cfg").write_text(
        "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"
        f"frontend f\n bind unix@{tmp_path}/h.sock ssl crt {bundle}\n"
    )
    pki.run(require_program("haproxy"), "-c", "-f", str(tmp_path / "haproxy.cfg"))
    chain, key = (Path(path).rename(tmp_path / f"n{Path(path).suffix}") for path in made(Layout.NGINX))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/n.pid; error_log {tmp_path}/n.log; events {{}}\n"
        f"http {{ access_log off; server {{ listen unix:{tmp_path}/n.sock ssl; "
        f"ssl_certificate {chain}; ssl_certificate_key {key}; }} }}\n"
    )
    pki.run(require_program("nginx"), "-t", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path))


def test_haproxy_and_nginx_refuse_a_wrong_key(pki: Pki, tmp_path: Path) -> None:
    """The check above can fail: the same configuration with another key does."""
    bad = tmp_path / "bad.pem"
    bad.write_bytes(pki.read("rsa.crt") + pki.read("rsa-other.key"))
    (tmp_path / "haproxy.cfg").write_text(f"frontend f\n bind unix@{tmp_path}/h.sock ssl crt {bad}\n")
    done = subprocess.run(
        [require_program("haproxy"), "-c", "-f", str(tmp_path / "haproxy.cfg")], capture_output=True, timeout=30
    )
    assert done.returncode != 0 and b"inconsistencies between private key and certificate" in done.stderr


def test_python_openssl_and_certtool_read_our_pem(pki: Pki, written: dict[str, Path], tmp_path: Path) -> None:
    certtool = require_program("certtool")
    for name, path in written.items():
        (pem,) = pfx_to_pem(path, PASSWORD, out=tmp_path).files
        assert b"# pkitools friendly-name: VPN Z%C3%BCrich" in pem.data
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pem.path)
        leaf = pki.openssl("x509", "-in", pem.path, "-outform", "DER")
        assert leaf == der_of(pki, f"{name.split()[0]}.crt")
        public = pki.openssl("pkey", "-in", pem.path, "-pubout")
        assert public == pki.openssl("x509", "-in", pem.path, "-pubkey", "-noout")
        pki.run(certtool, "-k", "--infile", pem.path)
        options = PemOptions(key_format=KeyFormat.ENCRYPTED, layout=Layout.SPLIT)
        key = next(
            one
            for one in pfx_to_pem(path, PASSWORD, out=f"{tmp_path}/e/", options=options).files
            if "Key" in one.contents
        )
        assert pki.openssl("pkey", "-in", key.path, "-passin", f"pass:{PASSWORD}", "-pubout") == public


def test_openssl_verifies_the_chain_we_write(pki: Pki, written: dict[str, Path], tmp_path: Path) -> None:
    options = PemOptions(layout=Layout.AWS)
    files = {Path(one.path).name: one.path for one in pfx_to_pem(
        written["rsa windows"], PASSWORD, out=tmp_path, options=options
    ).files}  # fmt: skip
    body, chain = (files[f"rsa windows-{part}.pem"] for part in ("body", "chain"))
    pki.openssl("verify", "-CAfile", pki.path("root.crt"), "-untrusted", chain, body)


def test_nothing_secret_in_the_process_list_or_the_output(pki: Pki, tmp_path: Path) -> None:
    secret = "geheimes Wort 4711"
    (tmp_path / "pw").write_text(secret)
    seen: list[bytes] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    seen.append((folder / "cmdline").read_bytes())
                except OSError:
                    continue
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        where = {**os.environ, "PYTHONPATH": str(Path(pkitools.__file__).parents[1]), "PKITOOLS_DEBUG": "1"}
        command = [sys.executable, "-m", "pkitools"]
        calls = (
            ["pem-to-pfx", pki.path("rsa.crt"), pki.path("rsa.key"), "-O", "a.pfx", "--password-file", "pw"],
            ["pfx-to-pem", "a.pfx", "--password-file", "pw"],
            ["pfx-to-pem", pki.path("made.pfx"), "--password-file", "pw"],
        )
        results = [
            subprocess.run([*command, *call], cwd=tmp_path, env=where, capture_output=True, timeout=60)
            for call in calls
        ]
    finally:
        done.set()
        watcher.join()
    assert [result.returncode for result in results] == [0, 0, 2]
    assert any(b"pem-to-pfx" in line for line in seen), "the watcher saw the program"
    assert not any(b"4711" in line for line in seen)
    assert not any(b"4711" in result.stdout + result.stderr for result in results)
