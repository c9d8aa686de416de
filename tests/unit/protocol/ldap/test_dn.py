from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.protocol.ldap.dn import dns_domain, is_below, rdn_value, split_dn


def test_escapes() -> None:
    dn = r"CN=K\C3\B6ln\, \22a\22,CN=Services, DC=ad,DC=example"
    assert split_dn(dn) == [r"CN=K\C3\B6ln\, \22a\22", "CN=Services", "DC=ad", "DC=example"]
    assert rdn_value(split_dn(dn)[0]) == 'Köln, "a"'
    assert rdn_value("CN=Stra\\ße\\ ") == "Straße "


def test_below() -> None:
    assert is_below("CN=x,DC=ad,DC=Example", "dc=AD, dc=example")
    assert not is_below("CN=x,DC=mad,DC=example", "DC=ad,DC=example")
    assert not is_below("DC=example", "DC=ad,DC=example")


def test_domain() -> None:
    assert dns_domain("CN=Configuration,DC=ad,DC=example,DC=test") == "ad.example.test"


@pytest.mark.parametrize("dn", ["", ",", "\\", "CN", '"', "CN=a\\", "=,=", "CN=\\zz,DC=a"])
def test_nonsense_is_no_error(dn: str) -> None:
    assert isinstance([rdn_value(rdn) for rdn in split_dn(dn)], list)


@given(st.text())
def test_any_text(dn: str) -> None:
    for rdn in split_dn(dn):
        rdn_value(rdn)
