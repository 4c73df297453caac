"""Exceptions that the package raises. All are RuntimeErrors, since scripts that check their GPU catch that type."""

from __future__ import annotations

from ._interrupts import is_from_signal_handler


class WeirError(RuntimeError):
    """An operation of weir failed; the text contains the operation, the place and the reason."""


class PolicyError(WeirError):
    """The policy allows no device, or a mask hides the requested one, or a setting is wrong."""


class PlacementError(WeirError):
    """The process works on another device than it should; the text contains the requested device, the actual one and
    the reason."""


class LeaseTimeout(WeirError):
    """The device, or the scope lock, was not free within the time limit; the text names the holder."""


class TooLateError(WeirError):
    """A device was selected after a GPU was used. Masks are read only once, at the first call of the driver."""


class LeakError(WeirError):
    """Memory was not freed. ``report`` holds the figures."""

    def __init__(self, text: str, report: dict | None = None) -> None:
        super().__init__(text)
        self.report = report or {}


_ERROR_CLASSES = {"timeout": LeaseTimeout, "policy": PolicyError, "argument": PolicyError}


def to_weir_error(error: RuntimeError) -> RuntimeError:
    """Returns the error of the compiled part as one of these classes. An error that a signal handler raised is
    returned as it is."""
    if is_from_signal_handler(error):
        return error
    kind, _, text = str(error).partition(": ")
    return _ERROR_CLASSES.get(kind, WeirError)(text or kind)
