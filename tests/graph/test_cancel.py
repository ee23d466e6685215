"""Cancelling is a wish that any thread can make and that no node can swallow by accident."""

import contextlib
import threading

import pytest

from graph.cancel import Cancel, Cancelled


def test_a_new_run_is_not_cancelled() -> None:
    cancel = Cancel()
    cancel.check()
    assert not cancel.requested


def test_a_request_from_another_thread_is_seen() -> None:
    cancel = Cancel()
    thread = threading.Thread(target=cancel.request)
    thread.start()
    thread.join()
    assert cancel.requested
    with pytest.raises(Cancelled):
        cancel.check()


def test_a_handler_of_exceptions_does_not_swallow_a_cancel() -> None:
    cancel = Cancel()
    cancel.request()

    def careless_node() -> str:
        with contextlib.suppress(Exception):
            cancel.check()
        return "went on"

    with pytest.raises(Cancelled):
        careless_node()
