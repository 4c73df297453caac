"""weir: the right GPU, proved; leased; metered; leaks found. And pictures enlarged inside a memory line.

    import weir
    weir.select()                       # before any GPU library: the policy of weir.toml decides
    import torch
    with weir.gpu_context("step"):      # leased, measured, cleaned up, judged
        ...
    weir.verify()                       # raises if the work is on another card
    assert weir.validate_no_memory_leak()

Nothing here imports torch; what torch knows is used when the program has it loaded.
"""

from . import _native

if not _native.in_main_interpreter():  # callbacks find their interpreter by PyGILState_Ensure, which knows that one alone
    raise ImportError("weir works in the main interpreter alone, not in a subinterpreter")

from ._chosen import Device, selected
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
from ._upscale import upscale

__all__ = [
    "Device", "LeakError", "LeaseTimeout", "Machine", "PlacementError", "PolicyError", "Proof", "TooLateError",
    "WeirError", "clean_up", "devices", "emergency_gpu_reset", "get_memory_stats", "gpu_context", "gpu_memory_monitor",
    "gpu_test_cleanup", "leak_report", "lease", "log_to", "memory_stats", "metrics", "select", "selected",
    "set_baseline", "upscale", "validate_no_memory_leak", "verify",
]
