"""What is asked of torch, if the process has it loaded. It is never imported here: that takes a second and more."""

from __future__ import annotations

import _thread
import sys
import threading
from typing import Any, Callable

from ._waits import acquired, is_of_a_handler


def loaded() -> Any | None:
    """The module torch if somebody imported it, else None."""
    return sys.modules.get("torch")


def cuda_in_use() -> Any | None:
    """``torch.cuda`` if torch has a CUDA context in this process, else None."""
    torch = loaded()
    cuda = getattr(torch, "cuda", None)
    try:
        return cuda if cuda is not None and cuda.is_initialized() else None
    except Exception as error:
        if is_of_a_handler(error):
            raise
        return None  # a half imported or broken torch is no torch


def reserved_bytes() -> int | None:
    """What torch's allocator handed out on all its devices; None without a context."""
    cuda = cuda_in_use()
    if cuda is None:
        return None
    return sum(cuda.memory_allocated(i) for i in range(cuda.device_count()))


def statistics() -> dict[str, int] | None:
    """allocated, reserved, their peaks, total and free of the current device, in bytes; None without a context."""
    cuda = cuda_in_use()
    if cuda is None:
        return None
    free, total = _memory(cuda)
    return {
        "allocated": cuda.memory_allocated(),
        "reserved": cuda.memory_reserved(),
        "max_allocated": cuda.max_memory_allocated(),
        "max_reserved": cuda.max_memory_reserved(),
        "total": total,
        "free": free,
    }


ANSWER_SECONDS = 10.0
"""How long a driver may take for one question."""


def _memory(cuda: Any) -> tuple[int, int]:
    """Free and total of the calling thread's current device. Raises TimeoutError: the driver is asked in another thread."""
    device = getattr(cuda, "current_device", lambda: 0)()
    return answer(ANSWER_SECONDS, lambda: cuda.mem_get_info(device) if device else cuda.mem_get_info())


def uuids() -> list[str]:
    """The UUIDs of the devices that torch sees, where it tells them (torch 2.4 and later)."""
    cuda = cuda_in_use()
    if cuda is None:
        return []
    found = (getattr(cuda.get_device_properties(i), "uuid", None) for i in range(cuda.device_count()))
    return [str(uuid) for uuid in found if uuid is not None]


def devices_in_sight() -> int:
    """How many devices torch sees once it has a context; 0 without one, or where it does not say."""
    count = getattr(cuda_in_use(), "device_count", None)
    try:
        return count() if count is not None else 0
    except RuntimeError as error:
        if is_of_a_handler(error):
            raise
        return 0


def within(seconds: float, work: Callable[[], Any]) -> bool:
    """Runs ``work`` in a thread of its own and waits at most that long: a hung driver must not hang the clean-up, and
    signals would work in the main thread alone. True if it ended in time. What it raises is raised here."""
    problem: list[BaseException] = []
    running = threading.Lock()
    running.acquire()

    def run() -> None:
        try:
            work()
        except BaseException as error:
            problem.append(error)
        running.release()

    _thread.start_new_thread(run, ())  # Thread.start would wait as _waits says that one must not
    ended = acquired(running, seconds)
    if problem:
        raise problem[0]
    return ended


def answer(seconds: float, work: Callable[[], Any]) -> Any:
    """What ``work`` returns, as ``within`` runs it. Raises TimeoutError if it does not end in time."""
    made: list[Any] = []
    if not within(seconds, lambda: made.append(work())):
        raise TimeoutError(f"the driver does not answer within {seconds:g} s")
    return made[0]
