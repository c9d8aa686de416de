from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pkitools.output.json_format import indented

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_the_same_text_as_the_standard_library(value: object) -> None:
    assert indented(value, "") == json.dumps(value, indent=2)


@given(PLAIN)
def test_the_margin_stands_before_every_further_line(value: object) -> None:
    assert indented(value, "  ") == json.dumps(value, indent=2).replace("\n", "\n  ")
