"""Waits that signal handlers can interrupt, and a check whether an exception came from a signal handler."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

_ATTEMPT_S = 0.1
"""Length of one wait of the interpreter."""


def acquire_within(lock: threading.Lock, seconds: float) -> bool:
    """Acquires the lock and returns True, or returns False after ``seconds`` (0: at once). Any thread may release the
    lock. A signal handler that raises ends the wait within a tenth of a second.

    The wait consists of many short ones, because a signal does not end a wait of the interpreter if it arrives just
    before the wait, when the GIL is already released. Condition, and Event, Thread.start and Thread.join, which use
    it, are not suitable either: if an interrupt comes while Condition acquires its lock again, it raises "release
    unlocked lock" instead of the exception of the handler (Python 3.11)."""
    deadline = time.monotonic() + seconds
    while not lock.acquire(timeout=max(0.0, min(deadline - time.monotonic(), _ATTEMPT_S))):
        if time.monotonic() >= deadline:
            return False
    return True


def is_from_signal_handler(error: BaseException) -> bool:
    """Returns whether a Python signal handler raised this exception, for instance a handler that limits the time of
    the work. Such an exception belongs to the caller, whatever its class, and must be passed on."""
    handlers = {_code_of(signal.getsignal(number)) for number in signal.valid_signals()} - {None}
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code not in handlers:
        trace = trace.tb_next
    return trace is not None


def _code_of(handler: Any) -> Any:
    """Returns the code object that runs when the handler is called; None if it is not written in Python."""
    handler = getattr(handler, "func", handler)  # functools.partial
    for one in (handler, getattr(type(handler), "__call__", None)):
        code = getattr(one, "__code__", None)  # bound methods have it too
        if code is not None:
            return code
    return None
