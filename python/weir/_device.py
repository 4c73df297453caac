"""Choosing, leasing and proving a device."""

from __future__ import annotations

import json
import logging
import os
import threading
import weakref
from dataclasses import dataclass, field
from typing import Any, Iterable, Sequence, Union

from . import _native, _torch
from ._errors import PlacementError, PolicyError, TooLateError, translated

log = logging.getLogger("weir")

Policy = Union[str, Sequence[str], dict, None]
"""Patterns on the device's name, UUID or PCI address; or a dict with the keys of weir.toml (allow, deny, prefer,
min_memory, need, role, ...); None: weir.toml and the environment alone. The settings' own policy always holds too."""


@dataclass(frozen=True)
class Device:
    """One GPU. ``info`` is what ``weir devices --json`` says of it."""

    index: int
    info: dict[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        return f"Device({self.name!r}, uuid={self.uuid!r}, pci={self.pci!r})"

    @property
    def name(self) -> str:
        return self.info["name"]

    @property
    def uuid(self) -> str:
        return self.info["uuid"]

    @property
    def pci(self) -> str | None:
        return self.info["pci"]


@dataclass(frozen=True)
class Proof:
    """``outcome`` is 'proved' or 'unknown' ('refuted' is raised); ``text`` says by what."""

    outcome: str
    text: str
    device: Device


def words_of(policy: Policy, **more: Any) -> list[str]:
    """The policy as words of weir's command line, which checks them."""
    settings: dict[str, Any] = dict(policy) if isinstance(policy, dict) else {}
    if policy is not None and not isinstance(policy, dict):
        settings["device"] = policy
    settings.update({key: value for key, value in more.items() if value is not None})
    words = []
    for key, value in settings.items():
        flag = "--" + key.replace("_", "-")
        if isinstance(value, bool):
            words += [flag] if value else []
            continue
        if not isinstance(value, (str, int, float)):
            value = ",".join(value)
        words += [flag, str(value)]
    return words


class Machine:
    """What is there and what the policy leaves, asked anew. Takes a tenth of a second."""

    def __init__(self, policy: Policy = None, **more: Any) -> None:
        try:
            self.native = _native.Machine(words_of(policy, **more))
        except RuntimeError as error:
            raise translated(error) from None
        self.devices = [Device(i, info) for i, info in enumerate(json.loads(self.native.devices()))]

    @property
    def allowed(self) -> list[Device]:
        """The best first."""
        return [self.devices[i] for i in self.native.order()]

    def first(self) -> Device:
        if not self.allowed:
            raise PolicyError(self.native.refusal())
        return self.allowed[0]


def devices() -> list[Device]:
    """All GPUs, in PCI order."""
    return Machine().devices


_selected: Device | None = None
_lock = threading.Lock()


def selected() -> Device | None:
    """The device that ``select`` or ``lease`` chose in this process."""
    return _selected


def name_of_selected() -> str:
    """For metrics: the selected device, else what torch calls the one it sees first."""
    return f"{_selected.name} at {_selected.pci}" if _selected is not None else "cuda:0"


def _touched() -> str | None:
    """What shows that a driver has already been called in this process; masks come too late then."""
    if _torch.cuda_in_use() is not None:
        return "torch has a CUDA context"
    try:
        names = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_link(fd)]
    except OSError:
        return None
    for name in names:
        if name.startswith("/dev/nvidia") or name == "/dev/kfd":
            return f"{name} is open"
    return None


def _is_link(fd: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{fd}")


def _apply(environment: dict[str, str]) -> None:
    for name, value in environment.items():
        if value:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)


def select(policy: Policy = None, **more: Any) -> Device:
    """Chooses a device by the policy and sets the masks of every GPU library for this process and its children. Call it
    before the first GPU library is used; later it raises TooLateError. PolicyError if the policy leaves nothing."""
    global _selected
    machine = Machine(policy, **more)
    device = machine.first()
    try:
        mask, notes = machine.native.mask(device.index)
    except RuntimeError as error:
        raise translated(error) from None
    changes = {name: value for name, value in mask.items() if os.environ.get(name, "") != value}
    touched = _touched()
    if changes and touched:
        raise TooLateError(
            f"{device.name} cannot be selected any more: {touched}. Call weir.select() at the top of the script, "
            "before importing a GPU library"
        )
    for note in notes:
        log.warning("weir: %s", note)
    with _lock:
        _apply(changes)
        _selected = device
    return device


_held: "weakref.WeakSet[lease]" = weakref.WeakSet()


class lease:
    """Exclusive use of a device, or with ``slots=N`` as one of N: ``with weir.lease() as device``. Waits at most ``wait``
    seconds, then raises LeaseTimeout that names the holder. Also sets the masks, unless a GPU has been used already.
    A lease within a lease of the same thread, or of a parent process, joins it. Ends with the process, whatever ends that.
    """

    def __init__(self, policy: Policy = None, *, wait: float | None = None, slots: int | None = None,
                 job: str | None = None, **more: Any) -> None:
        self._arguments = (policy, {"wait": None if wait is None else f"{wait:g}", "slots": slots, "job": job, **more})
        self._native: Any = None
        self._entry = ""
        self.device: Device | None = None

    def __enter__(self) -> Device:
        global _selected
        policy, more = self._arguments
        machine = Machine(policy, **more)
        try:
            self._native, index, mask, notes = machine.native.lease()
        except RuntimeError as error:
            raise translated(error) from None
        for note in notes:
            log.warning("weir: %s", note)
        self.device = machine.devices[index]
        mask.pop("WEIR_LEASE", None)
        with _lock:
            if not self._native.joined:
                self._entry = self._native.environment
                present = os.environ.get("WEIR_LEASE")
                os.environ["WEIR_LEASE"] = f"{present},{self._entry}" if present else self._entry
            if _touched() is None:
                _apply(mask)
                _selected = self.device
        _held.add(self)
        return self.device

    def __exit__(self, *_: Any) -> None:
        self.release()

    def release(self) -> None:
        """Gives the device back. May be called again."""
        native, self._native = self._native, None
        if native is None:
            return
        with _lock:
            own = self._entry.split(",")  # of a slice also its card
            entries = [one for one in os.environ.get("WEIR_LEASE", "").split(",") if one and one not in own]
            if entries:
                os.environ["WEIR_LEASE"] = ",".join(entries)
            else:
                os.environ.pop("WEIR_LEASE", None)
        native.release()


def _drop_copies() -> None:
    """In a forked child: the copies of the parent's locks are closed, so that they end with the parent."""
    for one in list(_held):
        native, one._native = one._native, None
        if native is not None:
            native.release()  # another process: closes only


os.register_at_fork(after_in_child=_drop_copies)


def verify(policy: Policy = None, *, strict: bool = False, pids: Iterable[int] | None = None, **more: Any) -> Proof:
    """The one line for the top of each script: raises PolicyError if the policy leaves no device, PlacementError if the
    masks do not name the device or the process works on another one; returns the proof otherwise. Before the first GPU
    call nothing can be proved, and the outcome is 'unknown'; ``strict`` makes that an error."""
    machine = Machine(policy, **more)
    device = machine.first()
    _check_masks(device)
    try:
        outcome, text = machine.native.prove(device.index, list(pids or [os.getpid()]), _torch.uuids())
    except RuntimeError as error:
        raise translated(error) from None
    if outcome == "refuted" or (strict and outcome != "proved"):
        raise PlacementError(f"{device.name}: {outcome}: {text}")
    return Proof(outcome, text, device)


def _check_masks(device: Device) -> None:
    """CUDA_VISIBLE_DEVICES without an order names another card on another machine."""
    if device.info["vendor"] != "nvidia":
        return
    mask = os.environ.get("CUDA_VISIBLE_DEVICES")
    order = os.environ.get("CUDA_DEVICE_ORDER")
    if mask is None:
        raise PlacementError(f"CUDA_VISIBLE_DEVICES is not set; call weir.select(), or set it to {device.uuid}")
    if order != "PCI_BUS_ID":
        raise PlacementError(f"CUDA_DEVICE_ORDER is {order or 'not set'}; set it to PCI_BUS_ID beside CUDA_VISIBLE_DEVICES")
    names = [one for one in mask.split(",") if one]
    index = str(device.info["index"]["cuda"])
    if len(names) != 1 or not (names[0] == index or (len(names[0]) > 4 and device.uuid.startswith(names[0]))):
        raise PlacementError(f"CUDA_VISIBLE_DEVICES={mask} does not name {device.name} ({device.uuid}) alone")
