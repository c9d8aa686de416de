from __future__ import annotations

import copy
import json
import pickle
import traceback

import pytest

from pkitools.models.secret import Secret


def test_prints_as_stars_everywhere():
    secret = Secret("hunter2")
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r}", f"{[secret]}", "".join(map(str, [secret]))]
    assert not any("hunter2" in text for text in shown)
    assert secret.reveal() == "hunter2"


@pytest.mark.parametrize("leak", [pickle.dumps, json.dumps, copy.deepcopy])
def test_is_not_written_anywhere(leak):
    with pytest.raises(TypeError):
        leak(Secret("hunter2"))


def test_not_in_a_traceback():
    secret = Secret("hunter2")
    try:
        int(secret)  # type: ignore[call-overload]
    except TypeError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        # this file's own source line is not what could leak: the value in the frame's locals is
        assert "hunter2" not in shown
