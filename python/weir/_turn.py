"""The lock that lets one piece of GPU work at a time run in this process."""

from __future__ import annotations

import threading
import time
from typing import Any, FrozenSet, Tuple

from ._errors import LeaseTimeout
from ._waits import acquired

_LOOK_SECONDS = 1.0
"""Whoever waits looks again so often: an interrupt may end a thread that leaves before it has told all who wait."""

_NOBODY: Tuple[int, FrozenSet[Any]] = (0, frozenset())


class Turn:
    """A lock that a thread may hold several times, each time for a *holder* (any hashable object). It can be laid down
    while its thread waits for something else. Giving back what is not held does nothing, so every exit path may call
    give_back; any thread may. A forked child keeps it only where the forking thread had it. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the two below, for moments
        self._taken = _NOBODY  # the thread and its holders; replaced whole, so that an interrupt finds no half of it
        self._waiting: list[threading.Lock] = []  # one a thread that waits, locked until a holder leaves

    def take(self, holder: Any, wait: float) -> None:
        """Waits at most ``wait`` seconds, then raises LeaseTimeout that says whose turn it is."""
        deadline = time.monotonic() + wait
        changed = threading.Lock()
        while others := self._take_or_find(holder, changed):
            left = deadline - time.monotonic()
            try:
                if left <= 0:
                    names = " and ".join(str(one) for one in others)
                    raise LeaseTimeout(f"{holder}: not its turn within {wait:g} s: another thread is in {names}")
                acquired(changed, min(left, _LOOK_SECONDS))
            finally:
                with self._lock:
                    self._waiting = [one for one in self._waiting if one is not changed]

    def give_back(self, holder: Any) -> None:
        with self._lock:
            thread, holders = self._taken
            left = holders - {holder}
            self._leave((thread, left) if left else _NOBODY)

    def lay_down(self) -> FrozenSet[Any]:
        """Gives back all that the calling thread holds, and returns that for take_up."""
        with self._lock:
            thread, holders = self._taken
            if thread != threading.get_ident():
                return frozenset()
            self._leave(_NOBODY)
            return holders

    def take_up(self, holders: FrozenSet[Any], wait: float) -> None:
        """Takes it again for each of them, as ``take`` does."""
        for holder in holders:
            self.take(holder, wait)

    def after_fork_in_child(self) -> None:
        """Only the forking thread lives on: what another one held is free, and so is the lock of the lock."""
        self._lock = threading.Lock()
        self._waiting = []
        if self._taken[0] != threading.get_ident():
            self._taken = _NOBODY

    def _take_or_find(self, holder: Any, changed: threading.Lock) -> FrozenSet[Any]:
        """Takes the turn and returns nothing; or returns those whose turn it is, and ``changed`` stays locked until
        one of them leaves."""
        with self._lock:
            thread, holders = self._taken
            if not holders or thread == threading.get_ident():
                self._taken = (threading.get_ident(), holders | {holder})
                return frozenset()
            changed.acquire(blocking=False)
            self._waiting.append(changed)
            return holders

    def _leave(self, taken: Tuple[int, FrozenSet[Any]]) -> None:
        self._taken = taken
        while self._waiting:
            self._waiting.pop().release()  # none twice, wherever an interrupt ends this


gpu = Turn()
"""That of this process. Whoever holds it never waits for a lease: a lease that is not to be had at once is waited for with
the turn laid down. So leases come before the turn whatever the nesting, and no two threads wait for each other."""
