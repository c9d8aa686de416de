"""Files that Windows and .NET wrote survive the way to PEM and back: every name, mark and attribute as found."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from pkitools.keystore.convert import PemOptions, PfxOptions, to_pem, to_pfx
from pkitools.keystore.pairing import match
from pkitools.models.conversion import KeyFormat, Layout
from pkitools.models.keystore import KeySpec
from pkitools.models.secret import Secret
from pkitools.protocol.pkcs12 import read_pfx

pytestmark = pytest.mark.corpus


def rows(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    names, *values = (line.split("\t") for line in lines)
    return [dict(zip(names, row, strict=True)) for row in values]


@pytest.mark.parametrize("table", ["windows-pfx.tsv", "dotnet-pfx.tsv"])
@pytest.mark.parametrize("key_format", [KeyFormat.PKCS8, KeyFormat.ENCRYPTED, None])
def test_round_trip(corpus: Path, table: str, key_format: KeyFormat | None) -> None:
    tried = 0
    for row in rows(corpus / table):
        password = Secret(json.loads(row["password"]) or "")
        data = base64.b64decode(row["base64"])
        before = read_pfx(data, [password]).content
        for pair in match(before.keys, before.certificates).pairs:
            algorithm = to_pem("x", data, (password,), _of(pair)).key_algorithm
            kind = {"EC": KeyFormat.SEC1, "RSA": KeyFormat.PKCS1}.get(algorithm, KeyFormat.PKCS8)
            options = replace(_of(pair), key_format=key_format or kind, key_password=Secret("zwischen"))
            made = to_pem("x", data, (password,), options)
            files = [(file.path, file.data) for file in made.files]
            after = to_pfx(files, Secret("neu"), (Secret("zwischen"),), PfxOptions(iterations=1, mac_iterations=1))
            content = read_pfx(after.data, [Secret("neu")]).content
            (key,) = content.keys
            # Without a provider in the file the default is written; everything else is as Windows had it.
            assert replace(key, provider=pair.key.provider, local_key_id=None, attributes=()) == replace(
                pair.key, local_key_id=None, attributes=()
            ), row["name"]
            assert sorted(key.attributes, key=repr) == sorted(pair.key.attributes, key=repr)
            assert pair.key.provider in (None, key.provider)
            assert [one.der for one in content.certificates] == [one.der for one in pair.chain]
            assert [one.friendly_name for one in content.certificates] == [one.friendly_name for one in pair.chain]
            assert key.local_key_id == content.certificates[0].local_key_id
            tried += 1
    assert tried >= 5


def _of(pair) -> PemOptions:
    from pkitools.keystore.pairing import thumbprint

    return PemOptions(layout=Layout.SINGLE, thumbprint=thumbprint(pair.certificate.der))


def test_key_specs_of_windows(corpus: Path) -> None:
    found = {}
    for row in rows(corpus / "windows-pfx.tsv"):
        password = Secret(json.loads(row["password"]) or "")
        keys = read_pfx(base64.b64decode(row["base64"]), [password]).content.keys
        found[row["name"]] = [key.key_spec for key in keys]
    assert found["key-spec-signature"] == [KeySpec.SIGNATURE]
    assert found["rc2-40-certs-chain"] == [KeySpec.EXCHANGE]
