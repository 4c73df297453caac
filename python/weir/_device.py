"""Choosing, leasing and proving a device."""

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

from . import _chosen, _native, _placement, _torch, _turn
from ._chosen import Device
from ._errors import PlacementError, PolicyError, TooLateError, WeirError, translated
from ._settings import settings
from ._sizes import flag_text
from ._waits import is_of_a_handler

log = logging.getLogger("weir")

Policy = Union[str, Sequence[str], dict, None]
"""Patterns on the device's name, UUID or PCI address; or a dict with the keys of weir.toml (allow, deny, prefer,
min-memory, need, role, ...; sizes as texts, '20G'); None: weir.toml and the environment alone. The settings' own policy
always holds too."""


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
        flag = "--" + str(key).replace("_", "-")
        if value is None:
            continue
        if (flag in _native.switches()) != isinstance(value, bool):
            raise PolicyError(f"{key}: {value!r} is not what it takes: " +
                              ("a value, not True or False" if isinstance(value, bool) else "True or False"))
        if isinstance(value, bool):
            words += [flag] if value else []
            continue
        if not isinstance(value, (str, int, float)):
            try:
                value = ",".join(value)
            except TypeError:
                raise PolicyError(f"{key}: {value!r} is neither a text nor a list of texts") from None
        words += [flag, flag_text(flag, value)]
    return words


LOOK_SECONDS = 120.0
"""How long all drivers together may take; each of them has ten seconds."""


class Machine:
    """What is there and what the policy leaves, asked anew. Takes a tenth of a second."""

    def __init__(self, policy: Policy = None, **more: Any) -> None:
        words = words_of(policy, **more)
        made: list[Any] = []
        try:
            # In a thread: a driver that hangs is given up after seconds, and an interrupt need not wait for that.
            if not _torch.within(LOOK_SECONDS, lambda: made.append(_native.Machine(words))):
                raise WeirError(f"the drivers do not answer within {LOOK_SECONDS:g} s")
        except WeirError:
            raise
        except RuntimeError as error:
            raise translated(error) from None
        self.native = made[0]
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


_lock = threading.Lock()


def _apply(environment: dict[str, str]) -> None:
    for name, value in environment.items():
        if value:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)


def select(policy: Policy = None, **more: Any) -> Device:
    """Chooses a device by the policy and sets the masks of every GPU library for this process and its children. Call it
    before the first GPU library is used; later it raises TooLateError, or PlacementError where the masks are right by now and
    the work is on another device. PolicyError if the policy leaves nothing."""
    machine = Machine(policy, **more)
    device = machine.first()
    try:
        mask, notes = machine.native.mask(device.index)
    except RuntimeError as error:
        raise translated(error) from None
    changes = {name: value for name, value in mask.items() if os.environ.get(name, "") != value}
    in_use = _placement.driver_in_use()
    if changes and in_use:
        raise TooLateError(
            f"{device.name} cannot be selected any more: {in_use}. Call weir.select() at the top of the script, "
            "before importing a GPU library"
        )
    if _placement.may_work(machine):
        _placement.check(machine, device)
    for note in notes:
        log.warning("weir: %s", note)
    with _lock:
        _apply(changes)
        _chosen.choose(device)
        if not in_use:
            _placement.masked(device)
    return device


_held: "weakref.WeakSet[lease]" = weakref.WeakSet()


class lease:
    """Exclusive use of a device, or with ``slots=N`` as one of N: ``with weir.lease() as device``. Waits at most ``wait``
    (seconds, or '10m'), then raises LeaseTimeout that names the holder; an interrupt (Ctrl-C) ends the wait at once. Also sets the masks.
    Where a GPU has been used already they come too late: then the lease is of the device in use, and PlacementError is
    raised if the policy does not allow that one, or if it cannot be told; and at the end, if the work went elsewhere inside. Within a gpu_context the wait lets the scopes of
    other threads go on. A lease within a lease of the same thread, or of a parent process, joins it. Ends with the process,
    whatever ends that, and in a forked child at once.
    """

    def __init__(self, policy: Policy = None, *, wait: float | str | None = None, slots: int | None = None,
                 job: str | None = None, **more: Any) -> None:
        if job is None and not (isinstance(policy, dict) and "job" in policy):
            job = _name_of_script()
        words_of(policy, wait=wait, slots=slots, job=job, **more)  # what is no policy is refused here, not at the first use
        self._arguments = (policy, {"wait": wait, "slots": slots, "job": job, **more})
        self._native: Any = None
        self._entry = ""
        self._machine: Machine | None = None
        self.device: Device | None = None

    def __enter__(self) -> Device:
        policy, more = self._arguments
        try:
            return self._take(Machine(policy, **more))
        except BaseException:  # also an interrupt: no block follows that would give it back
            self.release()
            raise

    def _take(self, machine: Machine) -> Device:
        only = [device.index for device in _placement.fitting(machine)]
        laid_down: list[Any] = []
        problem = None

        def waits(holders: str) -> None:
            log.warning("weir: waiting: %s", holders)
            laid_down.append(_turn.gpu.lay_down())

        try:
            self._native, index, mask, notes = machine.native.lease(
                only, waits, threading.current_thread() is threading.main_thread())
        except RuntimeError as error:
            if is_of_a_handler(error):  # of an interrupt the turn stays laid down: nothing is waited for any more
                raise
            problem = translated(error)
        for holders in laid_down:
            _turn.gpu.take_up(holders, settings()["wait"])
        if problem is not None:
            raise problem
        for note in notes:
            log.warning("weir: %s", note)
        self._machine, self.device = machine, machine.devices[index]
        if _placement.may_work(machine):  # another thread may have used a GPU meanwhile
            self.check()
        mask.pop("WEIR_LEASE", None)
        with _lock:
            if not self._native.joined:
                self._entry = self._native.environment
                present = os.environ.get("WEIR_LEASE")
                os.environ["WEIR_LEASE"] = f"{present},{self._entry}" if present else self._entry
            if _placement.driver_in_use() is None:
                _placement.masked(self.device)
            _apply(mask)  # later they hold for children alone
            _chosen.choose(self.device)
        _held.add(self)
        return self.device

    def check(self) -> None:
        """Asks the drivers anew. Raises PlacementError if this process works on another device than the leased one."""
        if self._machine is not None and self.device is not None:
            _placement.check(self._machine, self.device)

    def __exit__(self, kind: Any, error: BaseException | None, frames: Any) -> None:
        try:
            if self._native is not None:  # given back already, or forked inside
                self.check()
        except PlacementError as problem:
            if error is None:
                raise
            log.error("weir: lease: %s", problem)  # the work's own error is the one to be seen
        finally:
            self.release()

    def release(self) -> None:
        """Gives the device back. May be called again."""
        native = self._native
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
        self._native = None  # at last: where an interrupt comes before, it can be called again


def _name_of_script() -> str | None:
    """What others are told while they wait. Never the words after it: they may hold what is not for everybody."""
    main = sys.modules.get("__main__")
    module = getattr(getattr(main, "__spec__", None), "name", None)
    if module:  # python -m pytest
        return module[: -len(".__main__")] if module.endswith(".__main__") else module
    return os.path.basename(getattr(main, "__file__", None) or "") or None


def _give_all_back() -> None:
    for one in list(_held):
        one.release()


atexit.register(_give_all_back)


def _drop_copies() -> None:
    """In a forked child: the copies of the parent's locks are closed, so that they end with the parent."""
    global _lock
    _lock = threading.Lock()  # a thread that does not live on may have held it
    for one in list(_held):
        native, one._native = one._native, None
        if native is not None:
            native.release()  # another process: closes only


os.register_at_fork(before=_native.before_fork, after_in_parent=_native.after_fork_in_parent,
                    after_in_child=_native.after_fork_in_child)  # also of leases that another thread waits for
os.register_at_fork(after_in_child=_drop_copies)


def verify(policy: Policy = None, *, strict: bool = False, pids: Iterable[int] | None = None, **more: Any) -> Proof:
    """The one line for the top of each script: raises PolicyError if the policy leaves no device, PlacementError if the
    masks do not name the device or the process works on another one; returns the proof otherwise. Before the first GPU
    call nothing can be proved, and the outcome is 'unknown'; ``strict`` makes that an error."""
    machine = Machine(policy, **more)
    device = machine.first()
    problem = _placement.mask_problem(device, os.environ)
    if problem is not None:
        raise PlacementError(problem)
    outcome, text = _placement.outcome(machine, device, list(pids) if pids is not None else None)
    if outcome == "refuted" or (strict and outcome != "proved"):
        raise PlacementError(f"{device.name}: {outcome}: {text}")
    return Proof(outcome, text, device)
