"""Results in input order, whatever the order in which the work ends."""

import threading
import time

import pytest

from pkitools.tls.concurrency import Side, in_input_order
from pkitools.transport.deadline import Deadline


def test_results_come_in_input_order():
    def work(number):
        time.sleep(0.02 if number % 3 == 0 else 0)
        return number * 2

    assert list(in_input_order(range(50), work, 8)) == [number * 2 for number in range(50)]


def test_no_more_run_at_once_than_allowed():
    running, most, guard = 0, 0, threading.Lock()

    def work(_):
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with guard:
            running -= 1

    list(in_input_order(range(20), work, 3))
    assert most == 3


def test_the_first_result_does_not_wait_for_the_last():
    release = threading.Event()

    def work(number):
        if number:
            release.wait(10)
        return number

    results = in_input_order(range(2), work, 2)
    assert next(results) == 0
    release.set()
    assert list(results) == [1]


def test_more_results_than_may_wait(monkeypatch):
    monkeypatch.setattr("pkitools.tls.concurrency.AHEAD", 4)
    slow = threading.Event()

    def work(number):
        if number == 0:
            slow.wait(0.2)
        return number

    assert list(in_input_order(range(30), work, 4)) == list(range(30))


def test_an_exception_comes_in_its_turn():
    def work(number):
        if number == 1:
            raise KeyError(number)
        return number

    results = in_input_order(range(3), work, 2)
    assert next(results) == 0
    with pytest.raises(KeyError):
        next(results)


def test_nothing_in_nothing_out():
    assert list(in_input_order([], str, 4)) == []


def test_a_side_task_gives_its_result_its_error_or_the_substitute():
    assert Side(lambda: 1).wait(Deadline(5), lambda: 2) == 1
    with pytest.raises(ZeroDivisionError):
        Side(lambda: 1 // 0).wait(Deadline(5), lambda: 2)
    release = threading.Event()
    assert Side(lambda: release.wait(5) and 1).wait(Deadline(0), lambda: 2, grace=0.01) == 2
    release.set()
