"""Waiting for a lock so that an interrupt is heard, and telling what an interrupt raised from what went wrong."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

_ONCE_SECONDS = 0.1


def acquired(lock: threading.Lock, seconds: float) -> bool:
    """Takes the lock within that time, or says False; at once for no time. Any thread may release it. A handler that
    raises ends the wait within a tenth of a second.

    One wait of the interpreter would not do: a signal that arrives just before it begins, with the interpreter's own lock
    given up already, does not end it. Nor would Condition, nor Event, Thread.start and Thread.join, which use it: where an
    interrupt comes while it takes its lock again, it raises "release unlocked lock" in the place of what the handler raised
    (Python 3.11)."""
    deadline = time.monotonic() + seconds
    while not lock.acquire(timeout=max(0.0, min(deadline - time.monotonic(), _ONCE_SECONDS))):
        if time.monotonic() >= deadline:
            return False
    return True


def is_of_a_handler(error: BaseException) -> bool:
    """Whether a signal's handler raised it, as one does that ends the work after a time: it is the caller's own, whatever its
    class, and must reach him."""
    handlers = {_code(signal.getsignal(number)) for number in signal.valid_signals()} - {None}
    place = error.__traceback__
    while place is not None and place.tb_frame.f_code not in handlers:
        place = place.tb_next
    return place is not None


def _code(handler: Any) -> Any:
    """What runs when it is called; None for what is not written in Python."""
    handler = getattr(handler, "func", handler)  # functools.partial
    for one in (handler, getattr(type(handler), "__call__", None)):
        code = getattr(one, "__code__", None)  # of a bound method, too
        if code is not None:
            return code
    return None
