"""The event log and the metrics, in the format of weir's own runs (docs/events.md of weir)."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from . import _guard, _native
from ._errors import to_weir_error


log = logging.getLogger("weir")


def log_to(path: str | os.PathLike[str]) -> None:
    """Opens a log: from now on each scope, verdict and emergency is appended to this file, one JSON object per line.
    Several processes may write to one file. ``log`` in weir.toml, WEIR_LOG or a profile does the same from the start.
    Raises WeirError."""
    try:
        _guard.log_to(os.fspath(path))
    except RuntimeError as error:
        raise to_weir_error(error) from None


def log_event(level: str, event: str, **fields: bool | int | float | str) -> None:
    """Writes an event to the log. Does nothing if there is no log."""
    _guard.guard().log_event(level, event, list(fields.items()))
    _guard.warn_about_log()


def report_unknown(what: str, why: str, **fields: str) -> None:
    """Reports, as a warning and as an event, that something is not known and why."""
    log.warning("weir: not known: %s: %s", what, why)
    log_event("warning", "unknown", what=f"{what}: {why}", **fields)


def set_device_metrics(stats: dict[str, Any], growth: int, device: str) -> None:
    """Sets the metrics of a device after a scope that used it."""
    _native.set_metrics(device, {
        "gpu_memory_allocated_bytes": stats["allocated"],
        "gpu_memory_leak_bytes": growth,
        "gpu_utilization_percent": stats["utilization_pct"],
        "gpu_fragmentation_percent": stats["fragmentation_pct"],
        "gpu_timestamp_seconds": time.time(),
    })


def metrics(path: str | os.PathLike[str] | None = None) -> str:
    """Returns the metrics of the GPU after the last scope, in Prometheus' text format; empty if no scope used a GPU.
    With a path it also replaces that file atomically, for the node exporter's textfile collector. Raises
    WeirError."""
    if path is not None:
        try:
            _native.write_metrics(os.fspath(path))
        except RuntimeError as error:
            raise to_weir_error(error) from None
    return _native.metrics_text()
