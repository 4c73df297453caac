"""The device that this process has chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


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


_selected: Device | None = None


def choose(device: Device) -> None:
    """It is the device of this process from now on."""
    global _selected
    _selected = device


def selected() -> Device | None:
    """The device that ``select`` or ``lease`` chose in this process."""
    return _selected


def name_of_selected() -> str:
    """For metrics: the selected device, else what torch calls the one it sees first."""
    return f"{_selected.name} at {_selected.pci}" if _selected is not None else "cuda:0"
