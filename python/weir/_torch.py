"""Reads figures from torch if the process has loaded it. Never imports it, because that takes a second or more."""

from __future__ import annotations

import _thread
import sys
import threading
from typing import Any, Callable

from ._interrupts import acquire_within, is_from_signal_handler


def loaded_torch() -> Any | None:
    """Returns the module torch if the process imported it, else None."""
    return sys.modules.get("torch")


def cuda_in_use() -> Any | None:
    """Returns ``torch.cuda`` if torch has a CUDA context in this process, else None."""
    torch = loaded_torch()
    cuda = getattr(torch, "cuda", None)
    try:
        return cuda if cuda is not None and cuda.is_initialized() else None
    except Exception as error:
        if is_from_signal_handler(error):
            raise
        return None  # a partly imported or broken torch counts as not loaded


def allocated_bytes() -> int | None:
    """Returns the bytes that torch's allocator has handed out on all devices; None without a context."""
    cuda = cuda_in_use()
    if cuda is None:
        return None
    return sum(cuda.memory_allocated(i) for i in range(cuda.device_count()))


def memory_statistics() -> dict[str, int] | None:
    """Returns allocated, reserved, their peaks, total and free of the current device in bytes; None without a
    context. Raises TimeoutError if the driver hangs."""
    cuda = cuda_in_use()
    if cuda is None:
        return None
    free, total = _free_and_total_bytes(cuda)
    return {
        "allocated": cuda.memory_allocated(),
        "reserved": cuda.memory_reserved(),
        "max_allocated": cuda.max_memory_allocated(),
        "max_reserved": cuda.max_memory_reserved(),
        "total": total,
        "free": free,
    }


DRIVER_TIMEOUT_S = 10.0
"""Time limit for each answer of a driver."""


def _free_and_total_bytes(cuda: Any) -> tuple[int, int]:
    """Returns free and total memory of the calling thread's current device. Asks the driver in another thread. Raises
    TimeoutError."""
    device = getattr(cuda, "current_device", lambda: 0)()
    return call_with_timeout(DRIVER_TIMEOUT_S, lambda: cuda.mem_get_info(device) if device else cuda.mem_get_info())


def visible_uuids() -> list[str]:
    """Returns the UUIDs of the devices that are visible to torch. Versions of torch before 2.4 report none."""
    cuda = cuda_in_use()
    if cuda is None:
        return []
    found = (getattr(cuda.get_device_properties(i), "uuid", None) for i in range(cuda.device_count()))
    return [str(uuid) for uuid in found if uuid is not None]


def visible_device_count() -> int:
    """Returns the number of devices that are visible to torch; 0 without a context or if torch does not report it."""
    count = getattr(cuda_in_use(), "device_count", None)
    try:
        return count() if count is not None else 0
    except RuntimeError as error:
        if is_from_signal_handler(error):
            raise
        return 0


def run_with_timeout(seconds: float, work: Callable[[], Any]) -> bool:
    """Runs ``work`` in a separate thread and waits at most ``seconds`` for it. Returns True if it finished in time.
    Raises the exception that ``work`` raised. A hung driver thus does not block the caller. A thread is used and not
    a timer signal, because signal handlers run only in the main thread."""
    errors: list[BaseException] = []
    done_lock = threading.Lock()
    done_lock.acquire()

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        done_lock.release()

    _thread.start_new_thread(run, ())  # Thread.start uses a wait that interrupts break, see _interrupts
    finished = acquire_within(done_lock, seconds)
    if errors:
        raise errors[0]
    return finished


def call_with_timeout(seconds: float, work: Callable[[], Any]) -> Any:
    """Runs ``work`` as ``run_with_timeout`` does and returns its result. Raises TimeoutError after ``seconds``."""
    results: list[Any] = []
    if not run_with_timeout(seconds, lambda: results.append(work())):
        raise TimeoutError(f"the driver does not answer within {seconds:g} s")
    return results[0]
