"""Finds the device on which this process already works. A mask is read only once, at the first call of a driver.
After that call a lease must be for the card in use; a lease for another card is refused."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Mapping

from . import _events, _torch
from ._errors import PlacementError, to_weir_error
from ._interrupts import is_from_signal_handler

if TYPE_CHECKING:
    from ._selection import Device
    from ._device import Machine

CHECK_TIMEOUT_S = 10.0
"""Time limit for the drivers to report the devices on which a process works."""

NO_ANSWER = "the driver does not answer"

log = logging.getLogger("weir")

ADVICE = ("Masks are read once, at the first GPU call, and set later they do nothing: call weir.select() or take the "
          "lease before it, or start the program with 'weir run'")

_early_masked_card: tuple[str | None, str] | None = None
"""The card whose masks were set before any driver was called, as _card_key returns it."""


def record_early_mask(device: Device) -> None:
    """Records that the masks of this device were set before any driver was called."""
    global _early_masked_card
    _early_masked_card = _card_key(device)


def driver_in_use() -> str | None:
    """Returns the evidence that a driver has been called in this process, so that new masks have no effect; None
    without evidence. NVML also opens NVIDIA's device files, but it reads no mask, so these files count only if CUDA's
    library is loaded."""
    if _torch.cuda_in_use() is not None:
        return "torch has a CUDA context"
    names = _open_file_names()
    nvidia = next((name for name in names if name.startswith("/dev/nvidia") or name == "/dev/dxg"), None)
    if nvidia is not None and _is_cuda_loaded():
        return f"{nvidia} is open"
    return "/dev/kfd is open" if "/dev/kfd" in names else None


def may_use_gpu(machine: Machine) -> bool:
    """Returns whether this process may have memory or a context on a card. If not, no driver has to be asked."""
    if driver_in_use() is not None or any(name.startswith("/dev/dri/renderD") for name in _open_file_names()):
        return True
    return any(process["pid"] == os.getpid() for device in machine.devices for process in device.info["processes"])


def placement_status(machine: Machine, device: Device, pids: list[int] | None = None) -> tuple[str, str]:
    """Checks whether these processes (default: this one) work on this device. Returns 'proved', 'refuted' or
    'unknown', and the reason. The result is also 'unknown' if the driver does not answer in time."""
    includes_self = pids is None or os.getpid() in pids
    result = [("unknown", f"{NO_ANSWER} within {CHECK_TIMEOUT_S:g} s")]

    def check() -> None:
        result[0] = machine.native.check_placement(device.index, pids or [os.getpid()],
                                                   _torch.visible_uuids() if includes_self else [])

    try:
        _torch.run_with_timeout(CHECK_TIMEOUT_S, check)
    except RuntimeError as error:
        raise to_weir_error(error) from None
    visible_count = _torch.visible_device_count() if includes_self else 0
    if result[0][0] != "refuted" and visible_count > 1:
        return "refuted", (f"torch has a context and sees {visible_count} devices, so that 'cuda:0' need not be "
                           f"{device.name}: its mask is not in force")
    return result[0][0], _add_device_names(machine, result[0][1])


def _add_device_names(machine: Machine, text: str) -> str:
    """Returns the text with the names of the cards that it mentions only by UUID."""
    for device in machine.devices:
        uuid = device.uuid.split("-", 1)[-1]
        if uuid and uuid in text and device.name not in text:
            text += f" ({uuid} is {device.name})"
    return text


def leasable_devices(machine: Machine) -> list[Device]:
    """Returns the allowed devices that this process can lease, best first: before the first GPU call all of them,
    after it those in use. Raises PlacementError if the device in use is not allowed or cannot be determined."""
    allowed = machine.allowed
    if not allowed or not may_use_gpu(machine):
        return allowed
    checked = [(device, *placement_status(machine, device)) for device in allowed]
    proved = [device for device, status, _ in checked
              if status == "proved" or (status == "unknown" and _is_masked_early(device))]
    if proved:
        return proved
    unknown = [device for device, status, _ in checked if status == "unknown"]
    if unknown and _torch.cuda_in_use() is None:
        return unknown  # a driver was called, but it reports no memory or engine time for this process
    reason = next((text for _, status, text in checked if status == ("unknown" if unknown else "refuted")), "")
    if unknown:
        reason = f"torch has a CUDA context, and on which card cannot be told: {reason}"
    raise PlacementError(f"no lease: this process has used a GPU already. {reason}. {ADVICE}")


def require_placement(machine: Machine, device: Device) -> None:
    """Raises PlacementError if this process works on another device. Asks the drivers again, because the process list
    of ``machine`` is as old as ``machine``. Reports an unknown placement if they do not answer."""
    status, text = placement_status(machine, device)
    if status == "unknown" and text.startswith(NO_ANSWER):
        _events.report_unknown(f"whether the work is on {device.name}", text)
    if status == "refuted":
        raise PlacementError(f"{device.name} at {device.pci} is chosen, but the work is elsewhere: {text}. {ADVICE}")


def mask_problem(device: Device, environment: Mapping[str, str]) -> str | None:
    """Returns why the masks of this environment do not select exactly this device; None if they do, or if its vendor
    is not NVIDIA. CUDA_DEVICE_ORDER must be set too, because CUDA_VISIBLE_DEVICES alone selects different cards on
    different machines."""
    if device.info["vendor"] != "nvidia":
        return None
    mask = environment.get("CUDA_VISIBLE_DEVICES")
    order = environment.get("CUDA_DEVICE_ORDER")
    if mask is None:
        return f"CUDA_VISIBLE_DEVICES is not set; call weir.select(), or set it to {device.uuid}"
    if order != "PCI_BUS_ID":
        return f"CUDA_DEVICE_ORDER is {order or 'not set'}; set it to PCI_BUS_ID beside CUDA_VISIBLE_DEVICES"
    names = [one for one in mask.split(",") if one]
    index = str(device.info["index"]["cuda"])
    if len(names) != 1 or not (names[0] == index or (len(names[0]) > 4 and device.uuid.startswith(names[0]))):
        return f"CUDA_VISIBLE_DEVICES={mask} does not name {device.name} ({device.uuid}) alone"
    return None


def _is_masked_early(device: Device) -> bool:
    """Returns whether the masks selected exactly this device before any driver was called: weir set them, or they
    were in the environment at the start of the process."""
    if _early_masked_card == _card_key(device):
        return True
    return device.info["vendor"] == "nvidia" and mask_problem(device, _environment_at_start()) is None


def _card_key(device: Device) -> tuple[str | None, str]:
    """Returns what identifies a card in every Machine."""
    return device.pci, device.uuid


def _environment_at_start() -> dict[str, str]:
    """Returns the environment that exec passed to this process, without later changes (proc(5))."""
    try:
        with open("/proc/self/environ", "rb") as file:
            entries = [os.fsdecode(entry).partition("=") for entry in file.read().split(b"\0")]
    except OSError as error:
        if is_from_signal_handler(error):
            raise
        return {}
    return {name: value for name, _, value in entries if name}


def _open_file_names() -> list[str]:
    """Returns the paths of the files that this process has open."""
    names = []
    try:
        for number in os.listdir("/proc/self/fd"):
            try:
                names.append(os.readlink(f"/proc/self/fd/{number}"))
            except OSError as error:  # closed after listdir
                if is_from_signal_handler(error):
                    raise
    except OSError as error:
        if is_from_signal_handler(error):
            raise
    return names


def _is_cuda_loaded() -> bool:
    """Returns whether CUDA's library is loaded; also True if that cannot be determined."""
    try:
        with open("/proc/self/maps") as file:
            return any("/libcuda.so" in line for line in file)
    except OSError as error:
        if is_from_signal_handler(error):
            raise
        return True
