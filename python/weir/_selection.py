"""The device that this process has selected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Device:
    """One GPU. ``info`` holds the fields that ``weir devices --json`` prints for it."""

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


def set_selected(device: Device) -> None:
    """Makes this the selected device of the process."""
    global _selected
    _selected = device


def selected() -> Device | None:
    """Returns the device that ``select`` or ``lease`` selected in this process; None if neither was called."""
    return _selected


def selected_device_label() -> str:
    """Returns the device label for metrics: the selected device, else torch's name of the first visible device."""
    return f"{_selected.name} at {_selected.pci}" if _selected is not None else "cuda:0"
