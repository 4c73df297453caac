"""Scopes around pieces of GPU work, and their verdicts."""

from __future__ import annotations

import datetime
import functools
import logging
import os
from typing import Any, Callable, TypeVar

from . import _chosen, _device, _events, _guard, _native, _torch, _turn
from ._cleanup import clean_up, reset_peaks
from ._errors import LeakError, PlacementError
from ._settings import settings
from ._sizes import parse_size, threshold_bytes
from ._waits import is_of_a_handler

log = logging.getLogger("weir")
F = TypeVar("F", bound=Callable[..., Any])

_MB = 1 << 20


class gpu_context:
    """Measures, cleans up and judges what happens inside, and keeps other threads of the process out meanwhile:

        with weir.gpu_context("step 1") as device:
            ...

    ``device`` is 'cuda:0' where torch can use the (masked) GPU, else 'cpu'. With ``lease=True`` (or a policy) the device
    is leased for the time of the scope; None: as the profile of weir.toml says, without one it is not. PlacementError is
    raised where the process works on another card than the leased one, at the start (a context that was there before) and at
    the end. The clean-up always runs, an error is re-raised with its own traceback, and the lease is given back whatever
    fails. Afterwards ``result`` holds the verdict; more growth than ``max_leak`` (bytes, or '100M') raises LeakError.
    Scopes of other threads are waited for as long as for a lease (``wait`` in weir.toml), then LeaseTimeout is raised. In a
    child forked inside, the scope is the parent's and is not judged.
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
                self._lease.__enter__()  # before the turn: see _turn.gpu
            _turn.gpu.take(self, settings()["wait"])
            self.before = memory_stats()
            self._scope = _guard.start(self.name)
            torch = _torch.loaded()
            return "cuda:0" if torch is not None and torch.cuda.is_available() else "cpu"
        except BaseException:  # also an interrupt: no block follows that would give it back
            self._give_back()
            raise

    def __exit__(self, kind: Any, error: BaseException | None, frames: Any) -> bool:
        placement = None
        try:
            if self._process != os.getpid():  # forked inside: the scope is the parent's
                return False
            if error is not None:
                log.error("weir: scope '%s' ended with %s: %s", self.name, kind.__name__, error)
            placement = self._placement_problem()
            clean_up(frames)
            why = f"{kind.__name__}: {error}" if error is not None else ""
            self.result = _guard.finish(self.name, self._scope, error is not None, why)
            self.after = after_scope(self.name, self.result)
        except BaseException as problem:
            interrupt = not isinstance(problem, Exception) or is_of_a_handler(problem)
            self._not_judged(type(problem).__name__ if interrupt else str(problem))
            if interrupt:  # Ctrl-C: no driver is waited for any more
                raise
            # Else the work's own error is the one to be seen.
        finally:
            try:
                self._give_back()
            except BaseException:  # an interrupt came meanwhile
                self._give_back()
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

    def _not_judged(self, why: str) -> None:
        self._scope.abandon()  # else it would ask the drivers when it is freed
        _events.not_known("what became of the memory" if not self.result else "what is left", f"{self}: {why}", scope=self.name)

    def _placement_problem(self) -> PlacementError | None:
        """Whether the work of a leased scope went to another card, as it does where the mask was not in force."""
        try:
            if self._lease is not None:
                self._lease.check()
        except PlacementError as problem:
            return problem
        return None

    def _give_back(self) -> None:
        try:
            _turn.gpu.give_back(self)
        finally:
            if self._lease is not None:
                self._lease.release()


def after_scope(name: str, result: dict[str, Any]) -> dict[str, Any]:
    """Tells what a scope that was judged left behind, and does what can be done about a leak. Returns memory_stats()."""
    if result["verdict"] == "leak":  # the second time: no library that stays loaded
        emergency_gpu_reset()
    stats = memory_stats()
    if stats["device"] == "host":
        return stats
    _events.count(stats, result["growth"], _chosen.name_of_selected())
    threshold = settings()["max_fragmentation"]
    if stats["fragmentation"] > threshold:
        log.warning("weir: fragmentation_warning: after scope '%s' %.2f GiB are held and not handed out", name,
                    stats["fragmentation"] / (1 << 30))
        _events.tell("warning", "fragmentation_warning", scope=name, fragmentation_bytes=stats["fragmentation"],
                     fragmentation_pct=stats["fragmentation_pct"], threshold_bytes=threshold)
    return stats


def gpu_test_cleanup(name: Any = None) -> Any:
    """Puts gpu_context around a function; the name is the function's unless given. ``@gpu_test_cleanup`` works too."""
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
    """Warns when a function's peak (of allocated GPU memory, else of the process's resident memory) is that many GiB, or a
    size as '500M', above what was there before. ``@gpu_memory_monitor`` works too. Raises WeirError for what is no threshold."""
    if callable(threshold_gb):
        return gpu_memory_monitor()(threshold_gb)
    threshold = threshold_bytes(threshold_gb)

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            reset_peaks()
            before = memory_stats()
            kind = "allocated" if before["device"] == "cuda" else "reserved"  # malloc keeps no peak
            try:
                return function(*args, **kwargs)
            finally:
                took = memory_stats()["max_" + kind] - before[kind]
                if took > threshold:
                    _events.tell("warning", "memory_threshold_exceeded", scope=function.__qualname__, took_bytes=took,
                                 threshold_bytes=threshold)
                    log.warning("weir: memory_threshold_exceeded: %s took %.2f GiB (threshold %g GiB)",
                                function.__qualname__, took / (1 << 30), threshold / (1 << 30))

        return wrapper  # type: ignore[return-value]

    return decorate


def memory_stats() -> dict[str, Any]:
    """Bytes: allocated, reserved, max_allocated, max_reserved, total, free, fragmentation; utilization_pct and
    fragmentation_pct. Of the GPU where torch uses one (``device`` is 'cuda'), else of the process ('host')."""
    stats = _torch.statistics()
    if stats is None:
        return {"device": "host", **_guard.guard().statistics()}
    stats["utilization_pct"] = 100 * (stats["total"] - stats["free"]) / max(stats["total"], 1)
    stats["fragmentation"] = stats["reserved"] - stats["allocated"]
    stats["fragmentation_pct"] = 100 * stats["fragmentation"] / max(stats["reserved"], 1)
    return {"device": "cuda", **stats}


def get_memory_stats() -> dict[str, float]:
    """memory_stats() in GiB (1024 ** 3 bytes), under the names that scripts use: allocated_gb, reserved_gb, max_allocated_gb,
    max_reserved_gb, total_gb, free_gb, potential_fragmentation_gb (reserved less allocated); utilization_pct and
    fragmentation_pct of the total; reserved_vs_allocated_ratio, 0 where nothing is allocated. ``free_gb`` and
    ``utilization_pct`` are of the whole card, other processes included."""
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
    """The verdict over all scopes since the baseline: passed, drift, once, slope, scopes, first_leak, text; and what it is of:
    ``device`` (name, uuid, pci of the card that select or lease chose; None without one), ``limits`` (scope_bytes,
    drift_bytes), ``version`` of weir and ``date`` (UTC, ISO 8601)."""
    clean_up()
    one = _guard.guard()
    report = _torch.answer(_guard.ANSWER_SECONDS * 3, one.validate)
    _guard.warn_of_log()
    device = _chosen.selected()
    report["device"] = None if device is None else {"name": device.name, "uuid": device.uuid, "pci": device.pci}
    report["limits"] = {"scope_bytes": _guard.SCOPE_BYTES, "drift_bytes": _guard.DRIFT_BYTES}
    report["version"] = _native.version
    report["date"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    card = "no card chosen" if device is None else f"{device.name}, {device.uuid}, {device.pci}"
    report["text"] += (f"\n{card}; limits {_guard.SCOPE_BYTES // _MB} MiB a scope, {_guard.DRIFT_BYTES // _MB} MiB in all; "
                       f"weir {report['version']}, {report['date']}")
    return report


def validate_no_memory_leak() -> bool:
    """Whether no scope leaked, memory does not creep, and the total drift is at most 50 MiB."""
    report = leak_report()
    if not report["passed"]:
        log.warning("weir: memory_leak_validation: %s", report["text"])
    return report["passed"]


def set_baseline() -> None:
    """Counts from now: call it when libraries are loaded and warm."""
    clean_up()
    _torch.answer(_guard.ANSWER_SECONDS * 3, _guard.guard().set_baseline)


def emergency_gpu_reset() -> dict[str, Any]:
    """What can be done from inside: clean up twice, then say what is left and how it could be freed. No device is ever
    reset: that needs root and ends the work of everybody. Returns what was freed and the advice."""
    before = memory_stats()
    problems = clean_up() + clean_up()
    after = memory_stats()
    device = _chosen.selected()
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
    _events.tell("error" if problems else "warning", event, freed_bytes=report["freed"], left_bytes=report["reserved"],
                 problems="; ".join(problems), reset_command=command)
    return report
