"""Scopes that measure pieces of GPU work, and the verdicts on their memory."""

from __future__ import annotations

import datetime
import functools
import logging
import os
from typing import Any, Callable, TypeVar

from . import _device, _events, _guard, _native, _selection, _torch
from ._cleanup import clean_up, reset_peaks
from ._errors import LeakError, PlacementError
from ._interrupts import is_from_signal_handler
from ._scope_lock import scope_lock
from ._settings import settings
from ._sizes import parse_size, threshold_bytes

log = logging.getLogger("weir")
F = TypeVar("F", bound=Callable[..., Any])

_MB = 1 << 20


class gpu_context:
    """Measures the memory of the block, cleans up after it and checks it for leaks. Only one thread of the process is
    in a scope at a time:

        with weir.gpu_context("step 1") as device:
            ...

    ``device`` is 'cuda:0' if torch can use the (masked) GPU, else 'cpu'. With ``lease=True`` (or a policy) the scope
    leases the device; with None the profile of weir.toml decides, and without a profile there is no lease.
    PlacementError is raised if the process works on another card than the leased one, both at the start (a context
    from before the scope) and at the end.

    The clean-up always runs, an error of the block keeps its own traceback, and the lease is released in every case.
    Afterwards ``result`` holds the verdict. LeakError is raised if memory grew by more than ``max_leak`` (bytes, or
    '100M'). A scope waits for the scopes of other threads as long as for a lease (``wait`` in weir.toml), then raises
    LeaseTimeout. A child that is forked inside the scope leaves it without a verdict: the scope belongs to the
    parent.
    """

    def __init__(self, name: str, *, lease: Any = None, max_leak: int | str | None = None) -> None:
        self.name = name
        self.result: dict[str, Any] = {}
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}
        if lease is None:
            lease = settings()["lease"]
        self._lease = _device.lease(None if lease is True else lease) if lease else None
        self._max_leak = None if max_leak is None else parse_size(max_leak)
        self._scope: Any = None
        self._process = os.getpid()

    def __str__(self) -> str:
        return f"scope '{self.name}'"

    def __enter__(self) -> str:
        self._process = os.getpid()
        try:
            if self._lease is not None:
                self._lease.__enter__()  # before the scope lock, see scope_lock
            scope_lock.acquire(self, settings()["wait"])
            self.before = memory_stats()
            self._scope = _guard.start_scope(self.name)
            torch = _torch.loaded_torch()
            return "cuda:0" if torch is not None and torch.cuda.is_available() else "cpu"
        except BaseException:  # also an interrupt: __exit__ is not called after it
            self._release()
            raise

    def __exit__(self, kind: Any, error: BaseException | None, frames: Any) -> bool:
        placement = None
        try:
            if self._process != os.getpid():  # forked inside: the scope belongs to the parent
                return False
            if error is not None:
                log.error("weir: scope '%s' ended with %s: %s", self.name, kind.__name__, error)
            placement = self._placement_problem()
            clean_up(frames)
            why = f"{kind.__name__}: {error}" if error is not None else ""
            self.result = _guard.finish_scope(self.name, self._scope, error is not None, why)
            self.after = report_scope(self.name, self.result)
        except BaseException as problem:
            interrupt = not isinstance(problem, Exception) or is_from_signal_handler(problem)
            self._end_without_result(type(problem).__name__ if interrupt else str(problem))
            if interrupt:  # after Ctrl-C nothing waits for a driver
                raise
            # Another problem is only reported, so that an error of the block itself is raised.
        finally:
            try:
                self._release()
            except BaseException:  # an interrupt came during the release
                self._release()
                raise
        if self.result.get("verdict", "clean") != "clean":
            log.warning("weir: %s in scope '%s': %s", self.result["verdict"], self.name, self.result["evidence"])
        if placement is not None:
            if error is None:
                raise placement
            log.error("weir: scope '%s': %s", self.name, placement)
        growth = self.result.get("growth", 0)
        if error is None and self._max_leak is not None and growth > self._max_leak:
            raise LeakError(f"scope '{self.name}' kept {growth / _MB:.1f} MiB: {self.result['evidence']}", self.result)
        return False

    def _end_without_result(self, why: str) -> None:
        """Ends the scope of the guard without a reading and reports that its result is unknown."""
        self._scope.abandon()  # otherwise its destructor asks the drivers
        _events.report_unknown("the memory growth" if not self.result else "the memory that is left", f"{self}: {why}",
                               scope=self.name)

    def _placement_problem(self) -> PlacementError | None:
        """Returns the error if a leased scope worked on another card, as it does if its mask had no effect; else
        None."""
        try:
            if self._lease is not None:
                self._lease.check()
        except PlacementError as problem:
            return problem
        return None

    def _release(self) -> None:
        try:
            scope_lock.release(self)
        finally:
            if self._lease is not None:
                self._lease.release()


def report_scope(name: str, result: dict[str, Any]) -> dict[str, Any]:
    """Updates the metrics after a scope, warns of fragmentation, cleans up after a leak. Returns memory_stats()."""
    if result["verdict"] == "leak":  # the second growth, so its cause is no library that stays loaded
        emergency_gpu_reset()
    stats = memory_stats()
    if stats["device"] == "host":
        return stats
    _events.set_device_metrics(stats, result["growth"], _selection.selected_device_label())
    threshold = settings()["max_fragmentation"]
    if stats["fragmentation"] > threshold:
        log.warning("weir: fragmentation_warning: after scope '%s' %.2f GiB are held and not handed out", name,
                    stats["fragmentation"] / (1 << 30))
        _events.log_event("warning", "fragmentation_warning", scope=name, fragmentation_bytes=stats["fragmentation"],
                          fragmentation_pct=stats["fragmentation_pct"], threshold_bytes=threshold)
    return stats


def gpu_test_cleanup(name: Any = None) -> Any:
    """Runs a function in a gpu_context. The default name is that of the function. ``@gpu_test_cleanup`` works too."""
    if callable(name):
        return gpu_test_cleanup(None)(name)

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with gpu_context(name or function.__qualname__):
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    return decorate


def gpu_memory_monitor(threshold_gb: Any = 1.0) -> Any:
    """Warns if the memory peak of a function exceeds the memory before it by more than the threshold, a number of GiB
    or a size such as '500M'. Measures allocated GPU memory, or without a GPU the resident memory of the process.
    ``@gpu_memory_monitor`` works too. Raises WeirError for an invalid threshold."""
    if callable(threshold_gb):
        return gpu_memory_monitor()(threshold_gb)
    threshold = threshold_bytes(threshold_gb)

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            reset_peaks()
            before = memory_stats()
            kind = "allocated" if before["device"] == "cuda" else "reserved"  # malloc records no peak
            try:
                return function(*args, **kwargs)
            finally:
                growth = memory_stats()["max_" + kind] - before[kind]
                if growth > threshold:
                    _events.log_event("warning", "memory_threshold_exceeded", scope=function.__qualname__,
                                      took_bytes=growth, threshold_bytes=threshold)
                    log.warning("weir: memory_threshold_exceeded: %s took %.2f GiB (threshold %g GiB)",
                                function.__qualname__, growth / (1 << 30), threshold / (1 << 30))

        return wrapper  # type: ignore[return-value]

    return decorate


def memory_stats() -> dict[str, Any]:
    """Returns allocated, reserved, max_allocated, max_reserved, total, free and fragmentation in bytes, and
    utilization_pct and fragmentation_pct. The figures are those of the GPU if torch uses one (``device`` is 'cuda'),
    else those of the process ('host')."""
    stats = _torch.memory_statistics()
    if stats is None:
        return {"device": "host", **_guard.guard().statistics()}
    stats["utilization_pct"] = 100 * (stats["total"] - stats["free"]) / max(stats["total"], 1)
    stats["fragmentation"] = stats["reserved"] - stats["allocated"]
    stats["fragmentation_pct"] = 100 * stats["fragmentation"] / max(stats["reserved"], 1)
    return {"device": "cuda", **stats}


def get_memory_stats() -> dict[str, float]:
    """Returns memory_stats() in GiB (1024 ** 3 bytes), under the names that scripts use: allocated_gb, reserved_gb,
    max_allocated_gb, max_reserved_gb, total_gb, free_gb, potential_fragmentation_gb (reserved minus allocated);
    utilization_pct and fragmentation_pct, both in percent of the total; reserved_vs_allocated_ratio, 0 if nothing is
    allocated. ``free_gb`` and ``utilization_pct`` count the whole card, including other processes."""
    stats = memory_stats()
    total = max(stats["total"], 1)
    in_gb = {f"{name}_gb": stats[name] / (1 << 30)
             for name in ("allocated", "reserved", "max_allocated", "max_reserved", "total", "free")}
    return {
        **in_gb,
        "utilization_pct": stats["utilization_pct"],
        "potential_fragmentation_gb": stats["fragmentation"] / (1 << 30),
        "fragmentation_pct": 100 * stats["fragmentation"] / total,
        "reserved_vs_allocated_ratio": stats["reserved"] / stats["allocated"] if stats["allocated"] else 0.0,
    }


def leak_report() -> dict[str, Any]:
    """Returns the verdict over all scopes since the baseline: passed, drift, once, slope, scopes, first_leak, text;
    and what it applies to: ``device`` (name, uuid, pci of the card that select or lease selected; None without one),
    ``limits`` (scope_bytes, drift_bytes), ``version`` of weir and ``date`` (UTC, ISO 8601)."""
    clean_up()
    report = _torch.call_with_timeout(_guard.DRIVER_TIMEOUT_S * 3, _guard.guard().validate)
    _guard.warn_about_log()
    device = _selection.selected()
    report["device"] = None if device is None else {"name": device.name, "uuid": device.uuid, "pci": device.pci}
    report["limits"] = {"scope_bytes": _guard.SCOPE_BYTES, "drift_bytes": _guard.DRIFT_BYTES}
    report["version"] = _native.version
    report["date"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    card = "no card chosen" if device is None else f"{device.name}, {device.uuid}, {device.pci}"
    report["text"] += (f"\n{card}; limits {_guard.SCOPE_BYTES // _MB} MiB a scope, {_guard.DRIFT_BYTES // _MB} MiB in "
                       f"all; weir {report['version']}, {report['date']}")
    return report


def validate_no_memory_leak() -> bool:
    """Returns whether no scope leaked, memory does not grow steadily, and the total drift is at most 50 MiB. False
    also if a driver did not answer."""
    report = leak_report()
    if not report["passed"]:
        log.warning("weir: memory_leak_validation: %s", report["text"])
    return report["passed"]


def set_baseline() -> None:
    """Makes the present memory the baseline of all growth. Call it after libraries are loaded and warmed up."""
    clean_up()
    _torch.call_with_timeout(_guard.DRIVER_TIMEOUT_S * 3, _guard.guard().set_baseline)


def emergency_gpu_reset() -> dict[str, Any]:
    """Cleans up twice and reports the memory that is left and how it can be freed. Never resets a device: a reset
    needs root and ends the work of all users. Returns freed and reserved bytes, problems, advice and the vendor's
    reset command."""
    before = memory_stats()
    problems = clean_up() + clean_up()
    after = memory_stats()
    device = _selection.selected()
    vendor = device.info["vendor"] if device is not None else ""
    command = {"nvidia": "nvidia-smi --gpu-reset -i " + (device.uuid if device else ""),
               "amd": "amd-smi reset --gpureset --gpu all", "intel": "xpu-smi config --reset"}.get(vendor, "")
    report = {
        "freed": before["reserved"] - after["reserved"],
        "reserved": after["reserved"],
        "problems": problems,
        "advice": "memory that is still referenced comes back only with the process: restart it",
        "reset_command": command,
    }
    event = "emergency_reset_failed" if problems else "emergency_reset"
    log.warning("weir: %s: %s", event, report)
    _events.log_event("error" if problems else "warning", event, freed_bytes=report["freed"],
                      left_bytes=report["reserved"], problems="; ".join(problems), reset_command=command)
    return report
