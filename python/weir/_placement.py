"""Where this process works already. A mask is read once, at the first call of a driver: from then on a lease must be of the
card that is in use, and one of any other card is refused."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Mapping

from . import _events, _torch
from ._errors import PlacementError, translated
from ._waits import is_of_a_handler

if TYPE_CHECKING:
    from ._chosen import Device
    from ._device import Machine

PROVE_SECONDS = 10.0
"""How long a driver may take to say where this process works."""

NO_ANSWER = "the driver does not answer"

log = logging.getLogger("weir")

ADVICE = ("Masks are read once, at the first GPU call, and set later they do nothing: call weir.select() or take the lease "
          "before it, or start the program with 'weir run'")

_masked: tuple[str | None, str] | None = None


def masked(device: Device) -> None:
    """Remembers that the masks of this device were set before any driver was called."""
    global _masked
    _masked = _card(device)


def driver_in_use() -> str | None:
    """What shows that a driver has been called in this process, so that masks come too late; None if nothing does. Also
    NVML opens NVIDIA's device files, and reads no mask: they count only beside the library of CUDA."""
    if _torch.cuda_in_use() is not None:
        return "torch has a CUDA context"
    names = _open_files()
    nvidia = next((name for name in names if name.startswith("/dev/nvidia") or name == "/dev/dxg"), None)
    if nvidia is not None and _maps_cuda():
        return f"{nvidia} is open"
    return "/dev/kfd is open" if "/dev/kfd" in names else None


def may_work(machine: Machine) -> bool:
    """Whether this process may have memory or a context on a card; if not, nothing need be asked."""
    if driver_in_use() is not None or any(name.startswith("/dev/dri/renderD") for name in _open_files()):
        return True
    return any(process["pid"] == os.getpid() for device in machine.devices for process in device.info["processes"])


def outcome(machine: Machine, device: Device, pids: list[int] | None = None) -> tuple[str, str]:
    """'proved', 'refuted' or 'unknown' of the work of these processes (this one) on this device, and why. 'unknown' also
    where the driver does not answer in time."""
    own = pids is None or os.getpid() in pids
    answer = [("unknown", f"{NO_ANSWER} within {PROVE_SECONDS:g} s")]

    def ask() -> None:
        answer[0] = machine.native.prove(device.index, pids or [os.getpid()], _torch.uuids() if own else [])

    try:
        _torch.within(PROVE_SECONDS, ask)
    except RuntimeError as error:
        raise translated(error) from None
    seen = _torch.devices_in_sight() if own else 0
    if answer[0][0] != "refuted" and seen > 1:
        return "refuted", (f"torch has a context and sees {seen} devices, so that 'cuda:0' need not be {device.name}: its mask "
                           "is not in force")
    return answer[0][0], _with_names(machine, answer[0][1])


def _with_names(machine: Machine, text: str) -> str:
    """A card that is named by its UUID alone gets its name."""
    for device in machine.devices:
        uuid = device.uuid.split("-", 1)[-1]
        if uuid and uuid in text and device.name not in text:
            text += f" ({uuid} is {device.name})"
    return text


def fitting(machine: Machine) -> list[Device]:
    """The allowed devices that a lease of this process may be of, the best first: all of them before the first GPU call, the
    one in use afterwards. Raises PlacementError where that is none of them, or cannot be told."""
    allowed = machine.allowed
    if not allowed or not may_work(machine):
        return allowed
    found = [(device, *outcome(machine, device)) for device in allowed]
    proved = [device for device, how, _ in found if how == "proved" or (how == "unknown" and _was_masked(device))]
    if proved:
        return proved
    unknown = [device for device, how, _ in found if how == "unknown"]
    if unknown and _torch.cuda_in_use() is None:
        return unknown  # a driver was called, but nothing is booked anywhere
    reason = next((text for _, how, text in found if how == ("unknown" if unknown else "refuted")), "")
    if unknown:
        reason = f"torch has a CUDA context, and on which card cannot be told: {reason}"
    raise PlacementError(f"no lease: this process has used a GPU already. {reason}. {ADVICE}")


def check(machine: Machine, device: Device) -> None:
    """Raises PlacementError if this process works on another device. The drivers are asked anew: what ``machine`` says of
    processes was so when it was made. Where they do not answer, that is told."""
    how, text = outcome(machine, device)
    if how == "unknown" and text.startswith(NO_ANSWER):
        _events.not_known(f"whether the work is on {device.name}", text)
    if how == "refuted":
        raise PlacementError(f"{device.name} at {device.pci} is chosen, but the work is elsewhere: {text}. {ADVICE}")


def mask_problem(device: Device, environment: Mapping[str, str]) -> str | None:
    """Why the masks of this environment do not name this device alone; None if they do, or no mask is known for it.
    CUDA_VISIBLE_DEVICES without an order names another card on another machine."""
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


def _was_masked(device: Device) -> bool:
    """Whether the masks named this device alone before any driver was called: set here, or from the start of the process."""
    if _masked == _card(device):
        return True
    return device.info["vendor"] == "nvidia" and mask_problem(device, _environment_at_start()) is None


def _card(device: Device) -> tuple[str | None, str]:
    return device.pci, device.uuid


def _environment_at_start() -> dict[str, str]:
    """proc(5): what exec gave; later changes by this process do not show there."""
    try:
        with open("/proc/self/environ", "rb") as file:
            entries = [os.fsdecode(entry).partition("=") for entry in file.read().split(b"\0")]
    except OSError as error:
        if is_of_a_handler(error):
            raise
        return {}
    return {name: value for name, _, value in entries if name}


def _open_files() -> list[str]:
    names = []
    try:
        for number in os.listdir("/proc/self/fd"):
            try:
                names.append(os.readlink(f"/proc/self/fd/{number}"))
            except OSError as error:  # closed meanwhile
                if is_of_a_handler(error):
                    raise
    except OSError as error:
        if is_of_a_handler(error):
            raise
    return names


def _maps_cuda() -> bool:
    try:
        with open("/proc/self/maps") as file:
            return any("/libcuda.so" in line for line in file)
    except OSError as error:
        if is_of_a_handler(error):
            raise
        return True
