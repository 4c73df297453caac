"""The guard of this process: what it and the card hold, scope by scope."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from . import _chosen, _native, _torch, _turn
from ._errors import translated
from ._settings import settings

log = logging.getLogger("weir")

SCOPE_BYTES = 100 << 20
DRIFT_BYTES = 50 << 20
"""The limits of the verdict: of one scope, and of all together."""

ANSWER_SECONDS = 10.0
"""How long a driver may take for one question of the guard."""

_guard: Any = None
_guard_lock = threading.Lock()
_log_path: str | None = None


def guard() -> Any:
    """The guard of this process, made at the first use."""
    global _guard
    with _guard_lock:
        if _guard is None:
            device = _chosen.selected()
            pci = (device.pci or "") if device is not None and device.info["vendor"] == "nvidia" else ""
            _guard = _torch.answer(ANSWER_SECONDS * 3, lambda: _made(pci))
            path = _log_path or settings()["log"]
            if path:
                try:
                    _guard.log_to(path)
                except RuntimeError as error:
                    log.warning("weir: the log: %s", translated(error))
        return _guard


def _made(pci: str) -> Any:
    one = _native.Guard(SCOPE_BYTES, DRIFT_BYTES, pci, int(ANSWER_SECONDS * 1000))
    one.add_counter("torch", True, True, _torch.reserved_bytes)
    return one


def start(name: str) -> Any:
    """A scope of the guard, from now. As all that asks drivers: in a thread, so that an interrupt need not wait for them."""
    one = guard()
    return _torch.answer(ANSWER_SECONDS * 3, lambda: _native.GuardScope(name, one))


def finish(name: str, scope: Any, failed: bool, why: str = "") -> dict[str, Any]:
    """Its verdict. What no driver answered is told. Raises TimeoutError where nothing answers."""
    try:
        result = _torch.answer(ANSWER_SECONDS * 3, lambda: scope.finish(failed, why))
    except BaseException:
        scope.abandon()
        raise
    if result["unknown"]:  # the event is written already
        log.warning("weir: not known: in scope '%s' %s", name, result["unknown"])
    warn_of_log()
    return result


_warned_of: Any = None


def warn_of_log() -> None:
    """Warns once if the log of this process's guard cannot be written; the work goes on without it."""
    global _warned_of
    one = guard()
    problem = one.log_problem()
    if problem is not None and _warned_of is not one:
        _warned_of = one
        log.warning("weir: the log: %s", problem)


def log_to(path: str) -> None:
    """As weir.log_to. Errors: RuntimeError."""
    global _log_path
    guard().log_to(path)
    _log_path = path


def _after_fork_in_child() -> None:
    """A child has its own memory to judge and its own locks: those of the parent may have been held by a thread that does not
    live on. The parent's guard is left as it is, since its own locks are among them."""
    global _guard, _guard_lock
    _turn.gpu.after_fork_in_child()
    _guard_lock = threading.Lock()
    if _guard is not None:
        _of_parents.append(_guard)
    _guard = None


_of_parents: list[Any] = []
os.register_at_fork(after_in_child=_after_fork_in_child)
