import pytest

from pkitools.errors import InputError
from pkitools.trust.names import NameMatch, ascii_name, match_name, matches
from tests.unit.trust.pki import Maker, name


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("VPN.Lab.Test.", "vpn.lab.test"),
        ("münchen.test", "xn--mnchen-3ya.test"),
        ("straße.test", "xn--strae-oqa.test"),  # IDNA2008 keeps it; IDNA2003 made strasse.test of it
        ("bücher。test", "xn--bcher-kva.test"),
        ("ＶＰＮ.test", "vpn.test"),
        ("xn--bcher-kva.test", "xn--bcher-kva.test"),
        ("[::1]", "::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("my_host", "my_host"),
    ],
)
def test_names_as_they_are_compared(given, wanted):
    assert ascii_name(given) == wanted


@pytest.mark.parametrize(
    "given",
    ["", ".", "a..b", "a" * 64, "ü" * 62, "a b", "a\0b", "a\nb", "a/b", "a@b", "[", "℀.test", ".".join(["a" * 60] * 5)],
)
def test_what_is_no_name(given):
    with pytest.raises(InputError):
        ascii_name(given)


@pytest.mark.parametrize(
    ("pattern", "wanted", "outcome"),
    [
        ("vpn.lab.test", "vpn.lab.test", True),
        ("VPN.LAB.TEST", "vpn.lab.test", True),
        ("vpn.lab.test.", "vpn.lab.test", True),
        ("*.lab.test", "vpn.lab.test", True),
        ("*.lab.test", "xn--bcher-kva.lab.test", True),
        ("*.lab.test", "lab.test", False),
        ("*.lab.test", "a.b.lab.test", False),
        ("v*.lab.test", "vpn.lab.test", False),
        ("vpn.*.test", "vpn.lab.test", False),
        ("*", "vpn", False),
        ("*.", "vpn", False),
        ("*.*.test", "a.lab.test", False),
        ("*.0.0.1", "127.0.0.1", False),
        ("vpn.lab.test\0.evil.test", "vpn.lab.test", False),
        ("", "vpn.lab.test", False),
    ],
)
def test_patterns(pattern, wanted, outcome):
    assert matches(pattern, wanted) is outcome


@pytest.mark.parametrize(
    ("subject", "sans", "asked", "outcome"),
    [
        ("x", ("vpn.lab.test",), "vpn.lab.test.", NameMatch.SAN),
        ("x", ("vpn.lab.test", "10.0.0.1"), "10.0.0.1", NameMatch.SAN),
        ("x", ("vpn.lab.test", "::1"), "[0:0::1]", NameMatch.SAN),
        ("x", ("10.0.0.1",), "10.0.0.2", NameMatch.NONE),
        ("x", ("xn--mnchen-3ya.test",), "MÜNCHEN.test", NameMatch.SAN),
        ("vpn.lab.test", (), "vpn.lab.test", NameMatch.COMMON_NAME),
        ("*.lab.test", (), "vpn.lab.test", NameMatch.COMMON_NAME),
        ("10.0.0.1", (), "10.0.0.1", NameMatch.COMMON_NAME),
        # a dNSName, and the common name no longer counts
        ("vpn.lab.test", ("other.test",), "vpn.lab.test", NameMatch.NONE),
        # alternative names, but none of DNS: Windows still looks at the common name
        ("vpn.lab.test", ("a@lab.test",), "vpn.lab.test", NameMatch.COMMON_NAME),
        ("", ("a@lab.test",), "vpn.lab.test", NameMatch.NONE),
    ],
)
def test_names_in_certificates(subject, sans, asked, outcome):
    maker = Maker()
    leaf = maker.issue(subject, sans=sans)
    encoded = name(subject).public_bytes()
    assert match_name(leaf.model, encoded, asked) is outcome
