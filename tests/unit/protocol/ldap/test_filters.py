from __future__ import annotations

import warnings

from hypothesis import given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # ldap3 asks pyasn1 for names of yesterday
    from ldap3.operation.search import compile_filter, parse_filter

from pkitools.protocol.ldap.filters import all_of, any_of, contains_in_order, equals, escape, present


def test_values_are_escaped() -> None:
    assert equals("cn", "Web/Server (extern)*") == r"(cn=Web/Server\20\28extern\29\2a)"
    assert equals("cn", "K\\öln\0") == r"(cn=K\5c\c3\b6ln\00)"
    assert equals("objectSid", b"\x01\xff(") == r"(objectSid=\01\ff\28)"


def test_combinations() -> None:
    assert any_of([equals("a", "1"), present("b")]) == "(|(a=1)(b=*))"
    assert all_of([equals("a", "1")]) == "(a=1)"
    assert contains_in_order("cn", ["AOVPN", "", "*", ""]) == r"(cn=AOVPN*\2a*)"
    assert contains_in_order("cn", ["", ""]) == "(cn=*)"


@given(st.text(st.characters(codec="utf-16")))
def test_any_text_is_one_harmless_value(text: str) -> None:
    escaped = escape(text)
    assert not set(escaped) & set("*()\0")
    assert escaped.isascii()


@given(st.text(min_size=1))
def test_the_server_gets_the_value_back(text: str) -> None:
    """ldap3 reads the filter back into the very bytes."""
    compiled = compile_filter(parse_filter(equals("cn", text), None, False, None, None, False).elements[0])
    assert bytes(compiled["equalityMatch"]["assertionValue"]) == text.encode("utf-8")
