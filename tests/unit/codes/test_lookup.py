"""The table of codes against the Windows SDK and impacket, and our texts against the table."""

import json
import re
from importlib.resources import files

import pytest

from pkitools import codes
from pkitools.cli.registry import COMMANDS

FAMILIES = {"ike": "ipsec", "mpr": "rras"}
PLANNED = {"show", "get-ca", "get-ca-template", "get-template", "ping-ca", "compare-ipsec", "test-ike"}


def table() -> list[tuple[int, str, str]]:
    text = files("pkitools.codes").joinpath("windows-codes.tsv").read_text("ascii")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return [(int(number, 0), name, family) for number, name, family in rows]


ROWS = table()


def test_every_row_is_found_by_number_and_its_name_by_name():
    names = {}
    for number, name, family in ROWS:
        names.setdefault(name, (number, family))
        assert codes.WindowsCode(name, number, family) in codes.by_number(number)
    for name, (number, family) in names.items():
        assert codes.by_name(name) == codes.WindowsCode(name, number, family)


@pytest.mark.parametrize("name", ["CERT_E", "", "CERT_E_EXPIRED\thresult", "hresult", "0x800B0101"])
def test_what_is_no_name_is_a_key_error(name):
    with pytest.raises(KeyError):
        codes.by_name(name)


def test_numbers_are_taken_signed_and_unsigned():
    assert codes.by_number(-2146762495) == codes.by_number(0x800B0101)
    assert codes.by_number(0x12345678) == ()


@pytest.mark.parametrize(
    ("family", "low", "high", "unused"),
    [
        ("ras", 600, 878, set()),
        ("rras", 900, 956, {947}),
        ("ipsec", 13000, 13023, set()),
        ("ipsec", 13800, 13932, set(range(13919, 13925))),
    ],
)
def test_every_code_of_the_vpn_families_has_a_text(family, low, high, unused):
    for number in range(low, high + 1):
        found = [code for code in codes.by_number(number) if code.family == family]
        assert bool(found) == (number not in unused), number
        assert not found or any(codes.text_of(code) for code in found), number


def test_texts_and_guidance_belong_to_codes_of_the_table():
    known = {(family, name) for _number, name, family in ROWS}
    text = files("pkitools.codes").joinpath("texts.tsv").read_text("ascii")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    assert all(len(row) == 3 and row[2].endswith((".", "own.")) for row in rows)
    assert {(row[0], row[1]) for row in rows} <= known
    assert len({(row[0], row[1]) for row in rows}) == len(rows)
    items = json.loads(files("pkitools.codes").joinpath("guidance.json").read_text("ascii"))
    named = [tuple(code.split(":")) for item in items for code in item["codes"]]
    assert set(named) <= known
    assert len(set(named)) == len(named)


def test_guidance_names_commands_that_exist():
    items = json.loads(files("pkitools.codes").joinpath("guidance.json").read_text("ascii"))
    commands = {re.match(r"pkitools ([a-z-]+)", line)[1] for item in items for line in item["commands"]}
    assert commands <= {spec.name for spec in COMMANDS} | PLANNED


@pytest.mark.corpus
def test_names_and_numbers_are_those_of_the_windows_sdk(corpus):
    lines = (corpus / "windows-codes.tsv").read_text("utf-8").splitlines()[2:]
    sdk = {(line.split("\t")[1], int(line.split("\t")[0], 0)): line.split("\t")[2] for line in lines if line}
    ours = {(name, number): family for number, name, family in ROWS}
    assert set(ours) == set(sdk)
    for key, family in sdk.items():
        expected = FAMILIES.get(family, family)
        assert ours[key] == ("ipsec" if 13000 <= key[1] <= 13023 else expected), key


def test_impacket_knows_the_same_numbers():
    hresult = pytest.importorskip("impacket.hresult_errors").ERROR_MESSAGES
    system = pytest.importorskip("impacket.system_errors").ERROR_MESSAGES
    ntstatus = pytest.importorskip("impacket.nt_errors").ERROR_MESSAGES
    for family, oracle in (("hresult", hresult), ("win32", system), ("ipsec", system), ("ntstatus", ntstatus)):
        ours = {(number, name) for number, name, kind in ROWS if kind == family}
        shared = {number for number, _name in ours} & set(oracle)
        agreed = {number for number in shared if (number, oracle[number][0]) in ours}
        assert len(agreed) >= 0.95 * len(shared), sorted(shared - agreed)[:20]
        assert len(shared) > 50
