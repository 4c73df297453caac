"""Frees memory, in the order in which the steps depend on each other."""

from __future__ import annotations

import gc
import logging
import traceback
from types import TracebackType
from typing import Callable

from . import _torch
from ._interrupts import is_from_signal_handler

log = logging.getLogger("weir")

SYNC_TIMEOUT_S = 30.0
"""Time limit for one step of the device. After it the clean-up continues without the device."""


def clean_up(frames: TracebackType | None = None) -> list[str]:
    """Clears the frames of an exception (they keep tensors alive), collects garbage, waits for the device, empties the
    caches and resets the peaks. Runs every step even if another one failed, and returns the error texts. An exception
    of a signal handler ends the clean-up and is raised."""
    steps: list[tuple[str, Callable[[], object]]] = []
    if frames is not None:
        steps.append(("clear the exception's frames", lambda: traceback.clear_frames(frames)))
    steps.append(("collect garbage", gc.collect))
    cuda = _torch.cuda_in_use()
    device_steps: list[Callable[[], object]] = []
    if cuda is not None:
        # Garbage is collected first; otherwise the memory that it holds stays in the cache.
        steps += [
            ("synchronise", lambda: _run_on_device(cuda.synchronize)),
            ("empty the cache", lambda: _run_on_device(cuda.empty_cache)),
        ]
        device_steps = [step for _, step in steps[-2:]]
    steps.append(("reset the peaks", reset_peaks))
    problems = []
    device_hangs = False
    for name, step in steps:
        if device_hangs and step in device_steps:
            continue  # it would also wait until the time limit
        try:
            step()
        except Exception as error:
            if is_from_signal_handler(error):
                raise
            device_hangs = device_hangs or isinstance(error, TimeoutError)
            problems.append(f"{name}: {error}")
            log.warning("weir: clean-up: %s: %s", name, error)
    return problems


def reset_peaks() -> None:
    """Resets max_allocated and max_reserved, both those of torch and those of the process."""
    cuda = _torch.cuda_in_use()
    if cuda is not None:
        cuda.reset_peak_memory_stats()
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # resets the peak of the resident size, see proc(5)
    except OSError as error:
        if is_from_signal_handler(error):
            raise
        # This kernel cannot reset it. The peak is then that of the whole life of the process.


def _run_on_device(step: Callable[[], object]) -> None:
    """Runs a step that waits for the device. Raises TimeoutError after SYNC_TIMEOUT_S."""
    if not _torch.run_with_timeout(SYNC_TIMEOUT_S, step):
        raise TimeoutError(f"the device is not done after {SYNC_TIMEOUT_S:g} s")
