"""Selects, leases and verifies a device."""

from __future__ import annotations

import atexit
import json
import logging
import os
import sys
import threading
import weakref
from dataclasses import dataclass
from typing import Any, Iterable, Sequence, Union

from . import _native, _placement, _selection, _torch
from ._errors import PlacementError, PolicyError, TooLateError, WeirError, to_weir_error
from ._interrupts import is_from_signal_handler
from ._scope_lock import scope_lock
from ._selection import Device
from ._settings import settings
from ._sizes import flag_text

log = logging.getLogger("weir")

Policy = Union[str, Sequence[str], dict, None]
"""A pattern, or a list of patterns, on the device's name, UUID or PCI address; or a dict with the keys of weir.toml
(allow, deny, prefer, min-memory, need, role, ...; sizes as texts, '20G'). None: only the policy of weir.toml and the
environment. That policy also applies if another one is given."""


@dataclass(frozen=True)
class Proof:
    """Result of ``verify``. ``outcome`` is 'proved' or 'unknown' ('refuted' is raised as PlacementError); ``text``
    contains the evidence or the reason."""

    outcome: str
    text: str
    device: Device


def policy_arguments(policy: Policy, **more: Any) -> list[str]:
    """Returns the policy as arguments of weir's command line, which checks them later. Raises PolicyError."""
    settings: dict[str, Any] = dict(policy) if isinstance(policy, dict) else {}
    if policy is not None and not isinstance(policy, dict):
        settings["device"] = policy
    settings.update({key: value for key, value in more.items() if value is not None})
    arguments = []
    for key, value in settings.items():
        flag = "--" + str(key).replace("_", "-")
        if value is None:
            continue
        if (flag in _native.switch_flags()) != isinstance(value, bool):
            raise PolicyError(f"{key}: {value!r} is not what it takes: " +
                              ("a value, not True or False" if isinstance(value, bool) else "True or False"))
        if isinstance(value, bool):
            arguments += [flag] if value else []
            continue
        if not isinstance(value, (str, int, float)):
            try:
                value = ",".join(value)
            except TypeError:
                raise PolicyError(f"{key}: {value!r} is neither a text nor a list of texts") from None
        arguments += [flag, flag_text(flag, value)]
    return arguments


INSPECTION_TIMEOUT_S = 120.0
"""Time limit for all drivers together; each of them has ten seconds."""


class Machine:
    """The GPUs of this machine and those that the policy allows, read from the drivers when the object is made. This
    takes a tenth of a second."""

    def __init__(self, policy: Policy = None, **more: Any) -> None:
        arguments = policy_arguments(policy, **more)
        results: list[Any] = []
        try:
            # A separate thread: a hanging driver is given up after some seconds, and an interrupt does not wait for it.
            if not _torch.run_with_timeout(INSPECTION_TIMEOUT_S, lambda: results.append(_native.Machine(arguments))):
                raise WeirError(f"the drivers do not answer within {INSPECTION_TIMEOUT_S:g} s")
        except WeirError:
            raise
        except RuntimeError as error:
            raise to_weir_error(error) from None
        self.native = results[0]
        self.devices = [Device(i, info) for i, info in enumerate(json.loads(self.native.devices()))]

    @property
    def allowed(self) -> list[Device]:
        """Devices that the policy allows, best first."""
        return [self.devices[i] for i in self.native.ranked()]

    def first(self) -> Device:
        """Returns the best allowed device. Raises PolicyError with the reasons if there is none."""
        if not self.allowed:
            raise PolicyError(self.native.no_device_error())
        return self.allowed[0]


def devices() -> list[Device]:
    """Returns all GPUs, in PCI order."""
    return Machine().devices


_lock = threading.Lock()


def _set_environment(environment: dict[str, str]) -> None:
    """Sets these variables in os.environ; an empty value removes the variable."""
    for name, value in environment.items():
        if value:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)


def select(policy: Policy = None, **more: Any) -> Device:
    """Selects the best device that the policy allows and sets the masks of every GPU library for this process and its
    children. Call it before the first use of a GPU library. After that it raises TooLateError if the masks would
    change, and PlacementError if they are already right but this process works on another device. Raises PolicyError
    if the policy allows no device."""
    machine = Machine(policy, **more)
    device = machine.first()
    try:
        mask, notes = machine.native.mask(device.index)
    except RuntimeError as error:
        raise to_weir_error(error) from None
    changes = {name: value for name, value in mask.items() if os.environ.get(name, "") != value}
    in_use = _placement.driver_in_use()
    if changes and in_use:
        raise TooLateError(
            f"{device.name} cannot be selected any more: {in_use}. Call weir.select() at the top of the script, "
            "before importing a GPU library"
        )
    if _placement.may_use_gpu(machine):
        _placement.require_placement(machine, device)
    for note in notes:
        log.warning("weir: %s", note)
    with _lock:
        _set_environment(changes)
        _selection.set_selected(device)
        if not in_use:
            _placement.record_early_mask(device)
    return device


_active_leases: "weakref.WeakSet[lease]" = weakref.WeakSet()


class lease:
    """Leases a device, exclusively or with ``slots=N`` as one of N holders: ``with weir.lease() as device``. Also
    sets the masks. Waits at most ``wait`` (seconds, or '10m'), then raises LeaseTimeout with the name of the holder.
    An interrupt (Ctrl-C) ends the wait at once. While a lease inside a gpu_context waits, the scopes of other threads
    can run.

    If this process has already used a GPU, new masks have no effect. The lease is then for the device in use, and
    PlacementError is raised if the policy does not allow this device or if it cannot be determined. PlacementError is
    also raised at the end of the block if this process worked on another device.

    A lease within a lease of the same thread, or of a parent process, joins it. A lease ends with its process in every
    case, and at once in a forked child.
    """

    def __init__(self, policy: Policy = None, *, wait: float | str | None = None, slots: int | None = None,
                 job: str | None = None, **more: Any) -> None:
        if job is None and not (isinstance(policy, dict) and "job" in policy):
            job = _script_name()
        # An invalid policy is refused now and not at the first use.
        policy_arguments(policy, wait=wait, slots=slots, job=job, **more)
        self._arguments = (policy, {"wait": wait, "slots": slots, "job": job, **more})
        self._native: Any = None
        self._entry = ""
        self._machine: Machine | None = None
        self.device: Device | None = None

    def __enter__(self) -> Device:
        policy, more = self._arguments
        try:
            return self._acquire(Machine(policy, **more))
        except BaseException:  # also an interrupt: __exit__ is not called after it
            self.release()
            raise

    def _acquire(self, machine: Machine) -> Device:
        """Acquires the lease and sets the masks of its device. Releases the scope lock while it waits."""
        usable_indices = [device.index for device in _placement.leasable_devices(machine)]
        released_holders: list[Any] = []
        problem = None

        def on_wait(holders: str) -> None:
            log.warning("weir: waiting: %s", holders)
            released_holders.append(scope_lock.release_all())

        try:
            self._native, index, mask, notes = machine.native.lease(
                usable_indices, on_wait, threading.current_thread() is threading.main_thread())
        except RuntimeError as error:
            if is_from_signal_handler(error):  # after an interrupt nothing waits, so the scope lock stays released
                raise
            problem = to_weir_error(error)
        for holders in released_holders:
            scope_lock.reacquire(holders, settings()["wait"])
        if problem is not None:
            raise problem
        for note in notes:
            log.warning("weir: %s", note)
        self._machine, self.device = machine, machine.devices[index]
        if _placement.may_use_gpu(machine):  # another thread may have used a GPU during the wait
            self.check()
        mask.pop("WEIR_LEASE", None)
        with _lock:
            if not self._native.joined:
                self._entry = self._native.environment
                present = os.environ.get("WEIR_LEASE")
                os.environ["WEIR_LEASE"] = f"{present},{self._entry}" if present else self._entry
            if _placement.driver_in_use() is None:
                _placement.record_early_mask(self.device)
            _set_environment(mask)  # after the first GPU call the masks affect only child processes
            _selection.set_selected(self.device)
        _active_leases.add(self)
        return self.device

    def check(self) -> None:
        """Asks the drivers again. Raises PlacementError if this process works on another device than the leased one."""
        if self._machine is not None and self.device is not None:
            _placement.require_placement(self._machine, self.device)

    def __exit__(self, kind: Any, error: BaseException | None, frames: Any) -> None:
        try:
            if self._native is not None:  # None: already released, or forked inside
                self.check()
        except PlacementError as problem:
            if error is None:
                raise
            log.error("weir: lease: %s", problem)  # the error of the block itself is raised
        finally:
            self.release()

    def release(self) -> None:
        """Releases the device. May be called again."""
        native = self._native
        if native is None:
            return
        with _lock:
            own = self._entry.split(",")  # for a MIG instance also the entry of its card
            entries = [one for one in os.environ.get("WEIR_LEASE", "").split(",") if one and one not in own]
            if entries:
                os.environ["WEIR_LEASE"] = ",".join(entries)
            else:
                os.environ.pop("WEIR_LEASE", None)
        native.release()
        self._native = None  # last: if an interrupt comes before this line, release() can be called again


def _script_name() -> str | None:
    """Returns the name of the running script or module, which is shown to other users that wait for the lease. It
    contains no arguments, because they may be secret."""
    main = sys.modules.get("__main__")
    module = getattr(getattr(main, "__spec__", None), "name", None)
    if module:  # python -m pytest
        return module[: -len(".__main__")] if module.endswith(".__main__") else module
    return os.path.basename(getattr(main, "__file__", None) or "") or None


def _release_all() -> None:
    """Releases the leases that are held when the interpreter exits."""
    for one in list(_active_leases):
        one.release()


atexit.register(_release_all)


def _close_copies_in_child() -> None:
    """Closes a forked child's copies of the parent's locks, so that these end with the parent."""
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held it, and it does not exist in the child
    for one in list(_active_leases):
        native, one._native = one._native, None
        if native is not None:
            native.release()  # in another process than the holder's this only closes the files


os.register_at_fork(before=_native.before_fork, after_in_parent=_native.after_fork_in_parent,
                    after_in_child=_native.after_fork_in_child)  # also for leases that another thread waits for
os.register_at_fork(after_in_child=_close_copies_in_child)


def verify(policy: Policy = None, *, strict: bool = False, pids: Iterable[int] | None = None, **more: Any) -> Proof:
    """Checks that this process, or the processes ``pids``, work on the device of the policy. Put this line at the top
    of each script. Raises PolicyError if the policy allows no device, and PlacementError if the masks do not name the
    device or a process works on another one. Otherwise returns the proof. Before the first GPU call nothing can be
    proved and the outcome is 'unknown'; with ``strict`` that is a PlacementError too."""
    machine = Machine(policy, **more)
    device = machine.first()
    problem = _placement.mask_problem(device, os.environ)
    if problem is not None:
        raise PlacementError(problem)
    outcome, text = _placement.placement_status(machine, device, list(pids) if pids is not None else None)
    if outcome == "refuted" or (strict and outcome != "proved"):
        raise PlacementError(f"{device.name}: {outcome}: {text}")
    return Proof(outcome, text, device)
