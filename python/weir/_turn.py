"""The lock that lets one piece of GPU work at a time run in this process."""

from __future__ import annotations

import threading
import time
from typing import Any, FrozenSet, Tuple

from ._errors import LeaseTimeout

_NOBODY: Tuple[int, FrozenSet[Any]] = (0, frozenset())


class Turn:
    """A lock that a thread may hold several times, each time for a *holder* (any hashable object). It can be laid down
    while its thread waits for something else. Giving back what is not held does nothing, so every exit path may call
    give_back; any thread may. A forked child keeps it only where the forking thread had it. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._taken = _NOBODY  # the thread and its holders; replaced whole, so that an interrupt finds no half of it

    def take(self, holder: Any, wait: float) -> None:
        """Waits at most ``wait`` seconds, then raises LeaseTimeout that says whose turn it is."""
        deadline = time.monotonic() + wait
        with self._changed:
            while not self._mine_or_free():
                left = deadline - time.monotonic()
                if left <= 0:
                    names = " and ".join(str(one) for one in self._taken[1])
                    raise LeaseTimeout(f"{holder}: not its turn within {wait:g} s: another thread is in {names}")
                self._changed.wait(min(left, threading.TIMEOUT_MAX))
            self._taken = (threading.get_ident(), self._taken[1] | {holder})

    def give_back(self, holder: Any) -> None:
        with self._changed:
            thread, holders = self._taken
            left = holders - {holder}
            self._taken = (thread, left) if left else _NOBODY
            self._changed.notify_all()

    def lay_down(self) -> FrozenSet[Any]:
        """Gives back all that the calling thread holds, and returns that for take_up."""
        with self._changed:
            thread, holders = self._taken
            if thread != threading.get_ident():
                return frozenset()
            self._taken = _NOBODY
            self._changed.notify_all()
            return holders

    def take_up(self, holders: FrozenSet[Any], wait: float) -> None:
        """Takes it again for each of them, as ``take`` does."""
        for holder in holders:
            self.take(holder, wait)

    def after_fork_in_child(self) -> None:
        """Only the forking thread lives on: what another one held is free, and so is the lock of the lock."""
        self._changed = threading.Condition(threading.Lock())
        if self._taken[0] != threading.get_ident():
            self._taken = _NOBODY

    def _mine_or_free(self) -> bool:
        return not self._taken[1] or self._taken[0] == threading.get_ident()


gpu = Turn()
"""That of this process. Whoever holds it never waits for a lease: a lease that is not to be had at once is waited for with
the turn laid down. So leases come before the turn whatever the nesting, and no two threads wait for each other."""
