"""PFX files of every maker, read by us; ours and odd ones, read by every program; and what each would do, predicted."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkitools.keystore.pairing import match, thumbprint
from pkitools.keystore.readers import predict
from pkitools.models.keystore import KeySpec
from pkitools.models.secret import Secret
from pkitools.models.shown import ReaderPrediction
from pkitools.protocol.pkcs12 import PfxFile, Profile, inspect_pfx, read_pfx, write_pfx
from pkitools.protocol.pkcs12.attributes import key_attributes
from tests.lab.crafted_pfx import content, crafted_files, entry, key
from tests.lab.pfx_makers import KINDS, MAKERS, Made, Workshop, chain_of, der_of, openssl, run
from tests.lab.programs import require_program

pytestmark = pytest.mark.lab
_MADE: dict[str, list[Made]] = {}


def opened(made: Made) -> PfxFile:
    return read_pfx(made.path.read_bytes(), [Secret(made.password)] if made.password is not None else [])


def predictions(made: Made) -> dict[str, ReaderPrediction]:
    return {each.reader: each for each in predict(opened(made), opened=True)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("pfx"))


def files_of(maker: str, shop: Workshop) -> list[Made]:
    if maker not in _MADE:
        _MADE[maker] = list(crafted_files(shop.folder) if maker == "ours" else MAKERS[maker](shop))
    return _MADE[maker]


def available(shop: Workshop) -> Iterator[Made]:
    """The files of all makers that are installed."""
    for maker in (*MAKERS, "ours"):
        try:
            yield from files_of(maker, shop)
        except pytest.skip.Exception:
            continue


@pytest.mark.parametrize("maker", [*MAKERS, "ours"])
def test_files_of_every_maker_open_with_the_right_key_and_chain(maker, shop):
    for made in files_of(maker, shop):
        found = opened(made)
        paired = match(found.content.keys, found.content.certificates)
        assert (len(paired.keys), len(paired.certificates)) == (made.keys, made.certificates), made.name
        assert (thumbprint(paired.pairs[0].certificate.der) if paired.pairs else None) == made.leaf, made.name
        if made.leaf and made.certificates == 3 and made.keys == 1:
            chain = [each.der for each in paired.pairs[0].chain]
            kind = next(each for each in KINDS if thumbprint(der_of(chain_of(each)[0])) == made.leaf)
            assert chain in ([der_of(part) for part in chain_of(kind)], chain[:1]), made.name


def test_attributes_of_openssl_come_back_byte_for_byte(shop):
    """What openssl -CSP -LMK -keyex writes, we write: attribute bytes and places are equal."""
    name = "Microsoft RSA SChannel Cryptographic Provider"
    theirs = opened(openssl(shop, "bytes", "-name", "vpn", "-CSP", name, "-LMK", "-keyex", kind="rsa2048"))
    entry_of_key = theirs.content.keys[0]
    assert (entry_of_key.provider, entry_of_key.machine, entry_of_key.key_spec) == (name, True, KeySpec.EXCHANGE)
    ours = read_pfx(write_pfx(theirs.content, Secret("x"), iterations=1), [Secret("x")])
    assert [bag.attributes for bag in ours.bags] == [bag.attributes for bag in theirs.bags]
    assert [bag.kind for bag in ours.bags] == [bag.kind for bag in theirs.bags]
    fresh = key("rsa2048", friendly_name="vpn", local_key_id=entry_of_key.local_key_id, provider=name, machine=True,
                key_spec=KeySpec.EXCHANGE)  # fmt: skip
    made = read_pfx(write_pfx(content([fresh], []), Secret("x"), iterations=1), [Secret("x")])
    assert made.bags[0].attributes == theirs.bags[-1].attributes
    assert made.content.keys[0].pkcs8 == entry_of_key.pkcs8
    assert key_attributes(made.content.keys[0].pkcs8) == key_attributes(entry_of_key.pkcs8)


def outputs(folder: Path) -> Iterator[Made]:
    """What we write: every key type, every kind of password, every profile."""
    wanted = [(Profile.WINDOWS, kind, "Geheim 1!") for kind in KINDS if kind != "rsa4096"]
    wanted += [(profile, kind, "Geheim 1!") for profile in Profile for kind in ("rsa2048", "p256", "ed25519")]
    wanted += [(profile, "p256", password) for profile in Profile for password in ("pässwörd", "🔑 пароль", "")]
    for number, (profile, kind, password) in enumerate(dict.fromkeys(wanted)):
        pair = content(
            [key(kind, local_key_id=b"\1", friendly_name="VPN Zürich", provider="P", machine=True)],
            [entry(kind, local_key_id=b"\1", friendly_name="VPN Zürich"), entry(kind, 1), entry(kind, 2)],
        )
        made = Made(f"{profile.value}-{kind}", folder / f"output-{number}.pfx", password, None)
        made.path.write_bytes(write_pfx(pair, Secret(password), profile, iterations=2000, mac_iterations=2000))
        yield made


def asked(made: Made, *command: str) -> bool:
    """Whether a program took the file."""
    done = subprocess.run([part.format(path=made.path, password=made.password or "") for part in command],
                          capture_output=True, timeout=60, check=False)  # fmt: skip
    return done.returncode == 0


@pytest.mark.parametrize("legacy", [False, True])
def test_openssl_does_with_every_file_what_is_predicted(legacy, shop, tmp_path):
    require_program("openssl")
    version = run("openssl", "version").decode().split()[1]
    if not version.startswith("3.") or int(version.split(".")[1]) >= 4:
        pytest.skip(f"predicted is OpenSSL 3.0 to 3.3, this is {version}")
    reader = "OpenSSL 3 with -legacy" if legacy else "OpenSSL 3"
    options = ("-legacy",) if legacy else ()
    files = [made for made in available(shop) if not legacy or made.name.startswith(("openssl-PBE", "openssl-mac"))]
    for made in (*files, *outputs(tmp_path)):
        took = asked(made, "openssl", "pkcs12", *options, "-in", "{path}", "-noenc", "-passin", "pass:{password}")
        if made.note is None:
            assert predictions(made)[reader].opens is took, (made.name, predictions(made)[reader])


def test_nss_does_with_files_what_is_predicted(shop, tmp_path):
    require_program("pk12util")
    names = ("openssl-mac", "openssl-no", "keytool", "crafted")
    some = [made for made in available(shop) if made.name.startswith(names)]
    for number, made in enumerate((*some[::2], *outputs(tmp_path))):
        database = tmp_path / f"nss{number}"
        database.mkdir()
        run("certutil", "-N", "-d", f"sql:{database}", "--empty-password")
        took = asked(made, "pk12util", "-i", "{path}", "-d", f"sql:{database}", "-W", "{password}")
        assert predictions(made)["NSS (Firefox, pk12util)"].opens is took, made.name


def test_java_does_with_files_what_is_predicted(shop, tmp_path):
    require_program("keytool")
    names = ("openssl-PBE-SHA1-2DES", "openssl-PBE-MD5", "openssl-mac-md5", "openssl-plain-nomac", "crafted-nested-all")
    some = [made for made in available(shop) if made.name.startswith(names)]
    mine = [made for made in outputs(tmp_path) if made.name.endswith(("-p256", "-rsa2048", "-ed25519"))]
    for made in (*some, *mine[::2]):
        command = ["keytool", "-list", "-keystore", str(made.path), "-storetype", "PKCS12"]
        command += ["-storepass", made.password or ""]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        took = done.returncode == 0 and b"PrivateKeyEntry" in done.stdout
        assert predictions(made)["Java 17"].opens is took, (made.name, done.stdout[-200:])


def test_certtool_reads_what_we_write(tmp_path):
    require_program("certtool")
    for made in outputs(tmp_path):
        if made.password and not made.name.startswith("pbmac1"):
            command = ("certtool", "--p12-info", "--inder", "--infile", "{path}", "--password", "{password}")
            assert asked(made, *command), made.name


def corpus_files(corpus: Path, folder: Path) -> Iterator[Made]:
    """Files that Windows and .NET wrote."""
    for table, column in (("windows-pfx.tsv", 1), ("dotnet-pfx.tsv", 2)):
        lines = [line for line in (corpus / table).read_text("utf-8").splitlines() if line and line[0] != "#"]
        for line in lines[1:]:
            fields = line.split("\t")
            path = folder / f"{fields[0]}.pfx"
            path.write_bytes(base64.b64decode(fields[-1]))
            yield Made(fields[0], path, json.loads(fields[column]), line)


@pytest.mark.corpus
def test_files_that_windows_and_dotnet_wrote(corpus, tmp_path):
    count = 0
    for made in corpus_files(corpus, tmp_path):
        count += 1
        found = opened(made)
        paired = match(found.content.keys, found.content.certificates)
        assert len(paired.pairs) == len(paired.keys), made.name
        for pair in paired.pairs:
            assert thumbprint(pair.certificate.der) in made.leaf, made.name
        for each in found.content.keys:
            assert each.provider is None or each.provider in made.leaf or "Key Storage" in each.provider
        again = read_pfx(write_pfx(found.content, Secret("x"), iterations=1), [Secret("x")])
        assert [each.pkcs8 for each in again.content.keys] == [each.pkcs8 for each in found.content.keys], made.name
        mine = {tuple(sorted(a.oid for a in bag.attributes)) for bag in again.bags if bag.entry}
        assert mine == {tuple(sorted(a.oid for a in bag.attributes)) for bag in found.bags if bag.entry}, made.name
        assert inspect_pfx(made.path.read_bytes()).mac is None or found.mac.verified, made.name
    assert count >= 18


@pytest.mark.pwsh
@pytest.mark.timeout(300)
def test_dotnet_does_with_every_file_what_is_predicted(pwsh, shop, tmp_path, request):
    """Opens or not, and which certificate: file by file, with the default limits and without any."""
    files = [*available(shop), *outputs(tmp_path)]
    try:
        files += corpus_files(request.getfixturevalue("corpus"), tmp_path)
    except pytest.skip.Exception:
        pass
    asks = [(made, "default") for made in files]
    asks += [(made, "none") for made in files if not made.name.startswith(("openssl", "cryptography", "windows"))]
    lines = [json.dumps({"path": str(made.path), "password": made.password, "limits": limits}) for made, limits in asks]
    script = Path(__file__).with_name("dotnet_pfx.ps1")
    done = subprocess.run([pwsh, "-NoProfile", "-File", str(script)], input="\n".join(lines).encode(),
                          capture_output=True, timeout=280, check=True)  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert len(answers) == len(asks)
    readers = {"default": ".NET X509CertificateLoader", "none": ".NET X509Certificate2 constructor, Get-PfxCertificate"}
    known = {made.path: predictions(made) for made in files}
    for (made, limits), answer in zip(asks, answers, strict=True):
        predicted = known[made.path][readers[limits]]
        assert (predicted.opens, predicted.leaf) == (answer["opens"], answer["leaf"]), (made.name, predicted, answer)
