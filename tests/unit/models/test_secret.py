from __future__ import annotations

import copy
import json
import pickle
import traceback

import pytest

from pkitools.models.secret import Secret


def test_prints_as_stars_everywhere():
    secret = Secret("hunter2")
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r}", f"{[secret]}", "%s" % secret]
    assert not any("hunter2" in text for text in shown)
    assert secret.reveal() == "hunter2"


@pytest.mark.parametrize("leak", [pickle.dumps, json.dumps, copy.deepcopy])
def test_is_not_written_anywhere(leak):
    with pytest.raises(TypeError):
        leak(Secret("hunter2"))


def test_not_in_a_traceback():
    try:
        int(Secret("hunter2"))  # type: ignore[call-overload]
    except TypeError:
        assert "hunter2" not in traceback.format_exc()
