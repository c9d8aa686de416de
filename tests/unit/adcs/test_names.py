from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.adcs.names import decode, display_name, is_truncated, sanitize

LONG = "Example Remote Access Issuing Certification Authority 2026 G2"


@pytest.mark.parametrize(
    ("name", "sanitized"),
    [
        ("Köln & Partner Sub CA", "K!00f6ln !0026 Partner Sub CA"),
        (LONG, "Example Remote Access Issuing Certification Authori-35217"),
        (
            "Beispiel-Gesellschaft für Netzbetrieb und Fernzugang CA (Ü2)",
            "Beispiel-Gesellschaft f!00fcr Netzbetrieb und Fernz-41396",
        ),
        ("zentrale Zebra CA ~", "zentrale Zebra CA ~"),
        ("😀", "!d83d!de00"),
        ("a!b", "a!0021b"),
    ],
)
def test_vectors(name: str, sanitized: str) -> None:
    assert sanitize(name) == sanitized


def test_a_cut_never_splits_an_escape() -> None:
    for prefix in range(44, 52):
        result = sanitize("x" * prefix + "ü" * 5)
        head = result.rpartition("-")[0]
        assert len(head) <= 51
        assert not head.endswith(("!", "!0", "!00", "!00f"))


@given(st.text(st.characters(codec="utf-8"), max_size=5))
def test_short_names_come_back(name: str) -> None:
    assert decode(sanitize(name)) == name


@given(st.text())
def test_any_text(name: str) -> None:
    result = sanitize(name)
    assert result.isascii()
    assert len(result) <= 57
    decode(name)
    is_truncated(name)


def test_where_the_plain_name_comes_from() -> None:
    truncated = sanitize(LONG)
    assert is_truncated(truncated)
    assert display_name(truncated, LONG, None) == LONG
    assert display_name(truncated, None, LONG) == LONG
    assert display_name(truncated, None, "Another CA") == truncated
    assert display_name("K!00f6ln", None, None) == "Köln"
    assert display_name("K!00f6ln", "K!00f6ln", None) == "Köln"
    assert display_name("Sub CA", "Renamed by hand", None) == "Renamed by hand"
