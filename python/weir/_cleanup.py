"""Giving memory back, in the order in which it can work."""

from __future__ import annotations

import gc
import logging
import traceback
from types import TracebackType
from typing import Callable

from . import _torch
from ._waits import is_of_a_handler

log = logging.getLogger("weir")

SYNC_SECONDS = 30.0
"""How long the device may take to finish its work before the clean-up goes on without it."""


def clean_up(frames: TracebackType | None = None) -> list[str]:
    """Clears the frames of an exception (they keep tensors alive), collects garbage, waits for the device, empties the
    caches, resets the peaks. Every step is tried whatever the others did. Returns what went wrong. What a signal's handler
    raises ends it."""
    steps: list[tuple[str, Callable[[], object]]] = []
    if frames is not None:
        steps.append(("clear the exception's frames", lambda: traceback.clear_frames(frames)))
    steps.append(("collect garbage", gc.collect))
    cuda = _torch.cuda_in_use()
    asking: list[Callable[[], object]] = []
    if cuda is not None:
        # Garbage goes before the cache is emptied, or what it held stays cached.
        steps += [
            ("synchronise", lambda: _answered(cuda.synchronize)),
            ("empty the cache", lambda: _answered(cuda.empty_cache)),
        ]
        asking = [step for _, step in steps[-2:]]
    steps.append(("reset the peaks", reset_peaks))
    problems = []
    hung = False
    for name, step in steps:
        if hung and step in asking:
            continue  # it would wait as long again
        try:
            step()
        except Exception as error:
            if is_of_a_handler(error):
                raise
            hung = hung or isinstance(error, TimeoutError)
            problems.append(f"{name}: {error}")
            log.warning("weir: clean-up: %s: %s", name, error)
    return problems


def reset_peaks() -> None:
    """Starts max_allocated and max_reserved anew, of torch and of the process."""
    cuda = _torch.cuda_in_use()
    if cuda is not None:
        cuda.reset_peak_memory_stats()
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak of the resident size: proc(5)
    except OSError as error:
        if is_of_a_handler(error):
            raise  # else a kernel without it: the peak is that of the process's life


def _answered(ask: Callable[[], object]) -> None:
    if not _torch.within(SYNC_SECONDS, ask):
        raise TimeoutError(f"the device is not done after {SYNC_SECONDS:g} s")
