"""The lock that keeps all but one thread of this process out of GPU scopes."""

from __future__ import annotations

import threading
import time
from typing import Any, FrozenSet, Tuple

from ._errors import LeaseTimeout
from ._interrupts import acquire_within

_RECHECK_S = 1.0
"""Interval at which a waiting thread checks the lock again. An interrupt can end the releasing thread before it has
woken all waiting threads."""

_FREE: Tuple[int, FrozenSet[Any]] = (0, frozenset())
"""The owner of a free lock: no thread and no holders."""


class ScopeLock:
    """A lock that one thread can hold several times, each time for a *holder* (any hashable object). A thread that
    waits for something else can release it and acquire it again later. Any thread may call release, and releasing a
    holder that does not hold the lock does nothing, so every exit path may call it. A forked child holds the lock
    only if the forking thread held it. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # protects the two fields below; held only briefly
        self._owner = _FREE  # thread id and holders; one assignment replaces both, so an interrupt cannot separate them
        self._waiter_locks: list[threading.Lock] = []  # one per waiting thread, locked until a holder releases

    def acquire(self, holder: Any, wait_s: float) -> None:
        """Waits at most ``wait_s`` seconds, then raises LeaseTimeout with the names of the holders."""
        deadline = time.monotonic() + wait_s
        wake_lock = threading.Lock()
        while others := self._try_acquire(holder, wake_lock):
            remaining_s = deadline - time.monotonic()
            try:
                if remaining_s <= 0:
                    names = " and ".join(str(one) for one in others)
                    raise LeaseTimeout(f"{holder}: not its turn within {wait_s:g} s: another thread is in {names}")
                acquire_within(wake_lock, min(remaining_s, _RECHECK_S))
            finally:
                with self._lock:
                    self._waiter_locks = [one for one in self._waiter_locks if one is not wake_lock]

    def release(self, holder: Any) -> None:
        """Releases the lock for this holder. Does nothing if the holder does not hold it."""
        with self._lock:
            thread, holders = self._owner
            remaining = holders - {holder}
            self._set_owner((thread, remaining) if remaining else _FREE)

    def release_all(self) -> FrozenSet[Any]:
        """Releases the lock for all holders of the calling thread, and returns them for reacquire."""
        with self._lock:
            thread, holders = self._owner
            if thread != threading.get_ident():
                return frozenset()
            self._set_owner(_FREE)
            return holders

    def reacquire(self, holders: FrozenSet[Any], wait_s: float) -> None:
        """Acquires the lock again for each of the holders, as ``acquire`` does."""
        for holder in holders:
            self.acquire(holder, wait_s)

    def after_fork_in_child(self) -> None:
        """Frees what other threads of the parent held, since only the forking thread exists in the child."""
        self._lock = threading.Lock()
        self._waiter_locks = []
        if self._owner[0] != threading.get_ident():
            self._owner = _FREE

    def _try_acquire(self, holder: Any, wake_lock: threading.Lock) -> FrozenSet[Any]:
        """Acquires the lock and returns an empty set; or returns the holders of the other thread, and ``wake_lock``
        stays locked until one of them releases."""
        with self._lock:
            thread, holders = self._owner
            if not holders or thread == threading.get_ident():
                self._owner = (threading.get_ident(), holders | {holder})
                return frozenset()
            wake_lock.acquire(blocking=False)
            self._waiter_locks.append(wake_lock)
            return holders

    def _set_owner(self, owner: Tuple[int, FrozenSet[Any]]) -> None:
        """Changes the owner and wakes all waiting threads."""
        self._owner = owner
        while self._waiter_locks:
            self._waiter_locks.pop().release()  # popped first, so that no interrupt causes a second release


scope_lock = ScopeLock()
"""The lock of this process. A thread that holds it never waits for a lease: it releases the lock before the wait and
acquires it again afterwards. So leases always come before this lock, also in nested scopes, and two threads never
wait for each other."""
