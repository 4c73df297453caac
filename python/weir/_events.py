"""What happens, for machines: the log and the metrics that weir's own runs write too (docs/events.md of weir)."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from . import _guard, _native
from ._errors import translated


log = logging.getLogger("weir")


def log_to(path: str | os.PathLike[str]) -> None:
    """Appends from now on every scope, verdict and emergency to this file, one JSON object a line. Several processes may
    write to one file. ``log`` in weir.toml, WEIR_LOG or a profile does the same from the start. Raises WeirError."""
    try:
        _guard.log_to(os.fspath(path))
    except RuntimeError as error:
        raise translated(error) from None


def tell(level: str, event: str, **fields: bool | int | float | str) -> None:
    """Writes an event there; nowhere if there is no log."""
    _guard.guard().tell(level, event, list(fields.items()))
    _guard.warn_of_log()


def not_known(what: str, why: str, **fields: str) -> None:
    """Tells people and machines what could not be found out."""
    log.warning("weir: not known: %s: %s", what, why)
    tell("warning", "unknown", what=f"{what}: {why}", **fields)


def count(stats: dict[str, Any], growth: int, device: str) -> None:
    """Sets the metrics of a device after a scope there."""
    _native.set_metrics(device, {
        "gpu_memory_allocated_bytes": stats["allocated"],
        "gpu_memory_leak_bytes": growth,
        "gpu_utilization_percent": stats["utilization_pct"],
        "gpu_fragmentation_percent": stats["fragmentation_pct"],
        "gpu_timestamp_seconds": time.time(),
    })


def metrics(path: str | os.PathLike[str] | None = None) -> str:
    """The metrics of the GPU after the last scope, in Prometheus' text format; empty where no scope used a GPU. With a path
    they are written to that file too, whole, for the node exporter's textfile collector. Raises WeirError."""
    if path is not None:
        try:
            _native.write_metrics(os.fspath(path))
        except RuntimeError as error:
            raise translated(error) from None
    return _native.metrics_text()
