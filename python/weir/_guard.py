"""The guard of this process, which measures the memory of the process and the card scope by scope."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from . import _native, _selection, _torch
from ._errors import to_weir_error
from ._scope_lock import scope_lock
from ._settings import settings

log = logging.getLogger("weir")

SCOPE_BYTES = 100 << 20
DRIFT_BYTES = 50 << 20
"""Limits of the memory growth: in one scope, and over all scopes."""

DRIVER_TIMEOUT_S = 10.0
"""Time limit for each answer of a driver to the guard."""

_guard: Any = None
_guard_lock = threading.Lock()
_log_path: str | None = None


def guard() -> Any:
    """Returns the guard of this process; the first call makes it. Raises TimeoutError if a driver hangs."""
    global _guard
    with _guard_lock:
        if _guard is None:
            device = _selection.selected()
            pci = (device.pci or "") if device is not None and device.info["vendor"] == "nvidia" else ""
            _guard = _torch.call_with_timeout(DRIVER_TIMEOUT_S * 3, lambda: _make_guard(pci))
            path = _log_path or settings()["log"]
            if path:
                try:
                    _guard.log_to(path)
                except RuntimeError as error:
                    log.warning("weir: the log: %s", to_weir_error(error))
        return _guard


def _make_guard(pci: str) -> Any:
    """Makes a guard that measures the card at this PCI address (empty: none) and torch's allocator."""
    new_guard = _native.Guard(SCOPE_BYTES, DRIFT_BYTES, pci, int(DRIVER_TIMEOUT_S * 1000))
    new_guard.add_counter("torch", True, True, _torch.allocated_bytes)
    return new_guard


def start_scope(name: str) -> Any:
    """Starts a scope of the guard and returns it. Like every call that asks drivers it runs in a separate thread, so
    that an interrupt does not wait for them. Raises TimeoutError."""
    process_guard = guard()
    return _torch.call_with_timeout(DRIVER_TIMEOUT_S * 3, lambda: _native.GuardScope(name, process_guard))


def finish_scope(name: str, scope: Any, failed: bool, why: str = "") -> dict[str, Any]:
    """Ends the scope and returns its result. Logs a warning if a source gave no reading. Raises TimeoutError if the
    drivers do not answer in time."""
    try:
        result = _torch.call_with_timeout(DRIVER_TIMEOUT_S * 3, lambda: scope.finish(failed, why))
    except BaseException:
        scope.abandon()
        raise
    if result["unknown"]:  # the guard has already written the event
        log.warning("weir: not known: in scope '%s' %s", name, result["unknown"])
    warn_about_log()
    return result


_warned_guard: Any = None


def warn_about_log() -> None:
    """Warns once if the log of this process's guard cannot be written. The work continues without the log."""
    global _warned_guard
    process_guard = guard()
    problem = process_guard.log_problem()
    if problem is not None and _warned_guard is not process_guard:
        _warned_guard = process_guard
        log.warning("weir: the log: %s", problem)


def log_to(path: str) -> None:
    """Opens the log of the guard, as weir.log_to does. Raises RuntimeError."""
    global _log_path
    guard().log_to(path)
    _log_path = path


def _after_fork_in_child() -> None:
    """Gives a forked child its own guard and locks. A thread of the parent that does not exist in the child may have
    held the parent's locks, also those inside its guard, so the copy of that guard is kept and never used or
    freed."""
    global _guard, _guard_lock
    scope_lock.after_fork_in_child()
    _guard_lock = threading.Lock()
    if _guard is not None:
        _parent_guards.append(_guard)
    _guard = None


_parent_guards: list[Any] = []
os.register_at_fork(after_in_child=_after_fork_in_child)
