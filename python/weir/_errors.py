"""The errors that the package raises. All are RuntimeError, as scripts that check their GPU expect."""

from __future__ import annotations

from ._waits import is_of_a_handler


class WeirError(RuntimeError):
    """Something of weir's could not be done; the text says what, where and why."""


class PolicyError(WeirError):
    """The policy leaves no device, or a mask hides the one that is wanted."""


class PlacementError(WeirError):
    """The process does not work where it should: asked, got, why."""


class LeaseTimeout(WeirError):
    """The device was not to be had in time; the text names the holder."""


class TooLateError(WeirError):
    """A device was selected after a GPU had been touched: masks are read once, at the first call of the driver."""


class LeakError(WeirError):
    """Memory did not come back. ``report`` holds the figures."""

    def __init__(self, text: str, report: dict | None = None) -> None:
        super().__init__(text)
        self.report = report or {}


_KINDS = {"timeout": LeaseTimeout, "policy": PolicyError, "argument": PolicyError}


def translated(error: RuntimeError) -> RuntimeError:
    """The error of the compiled part as one of these classes; what a signal's handler raised meanwhile stays what it is."""
    if is_of_a_handler(error):
        return error
    kind, _, text = str(error).partition(": ")
    return _KINDS.get(kind, WeirError)(text or kind)
