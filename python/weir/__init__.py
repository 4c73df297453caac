"""weir selects, leases and checks the GPU of a program, measures its memory and finds leaks. It also enlarges pictures
within a memory limit.

    import weir
    weir.select()                       # before any GPU library; the policy is that of weir.toml
    import torch
    with weir.gpu_context("step"):      # leased, measured, cleaned up, checked for leaks
        ...
    weir.verify()                       # raises if this process works on another card
    assert weir.validate_no_memory_leak()

The package never imports torch. It reads figures from torch if the program has loaded it.
"""

from . import _native

# Callbacks find their interpreter with PyGILState_Ensure, which supports only the main interpreter.
if not _native.in_main_interpreter():
    raise ImportError("weir works in the main interpreter alone, not in a subinterpreter")

from ._cleanup import clean_up
from ._device import Machine, Proof, devices, lease, select, verify
from ._errors import LeakError, LeaseTimeout, PlacementError, PolicyError, TooLateError, WeirError
from ._events import log_to, metrics
from ._native import version as __version__
from ._scopes import (
    emergency_gpu_reset,
    get_memory_stats,
    gpu_context,
    gpu_memory_monitor,
    gpu_test_cleanup,
    leak_report,
    memory_stats,
    set_baseline,
    validate_no_memory_leak,
)
from ._selection import Device, selected
from ._upscale import upscale

__all__ = [
    "Device", "LeakError", "LeaseTimeout", "Machine", "PlacementError", "PolicyError", "Proof", "TooLateError",
    "WeirError", "clean_up", "devices", "emergency_gpu_reset", "get_memory_stats", "gpu_context", "gpu_memory_monitor",
    "gpu_test_cleanup", "leak_report", "lease", "log_to", "memory_stats", "metrics", "select", "selected",
    "set_baseline", "upscale", "validate_no_memory_leak", "verify",
]
