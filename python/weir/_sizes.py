"""Sizes, by the one rule of weir: a text has a unit, a number is bytes."""

from __future__ import annotations

from . import _native
from ._errors import WeirError, translated


NAMES = frozenset({"min-memory", "need", "max-leak", "max-fragmentation", "ram", "vram"})
"""The flags that are sizes."""


def parse_size(size: str | int) -> int:
    """'100M' -> bytes, as the command line, weir.toml and pytest's options read it: K, M, G, T and KiB ... TiB count by 1024,
    KB ... TB by 1000, B is bytes, and a text without a unit is refused. A whole number is bytes; one from 1 to 1023 is taken
    for a forgotten unit and refused. Raises WeirError."""
    if isinstance(size, str):
        try:
            return _native.parse_size(size)
        except RuntimeError as error:
            raise translated(error) from None
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < 1 << 62:
        raise WeirError(f"{size!r} is not a size; write '640M', '1.5G', or a whole number of bytes")
    if 0 < size < 1024:
        raise WeirError(f"{size} what? Numbers are bytes; write '{size}M' or '{size}G'")
    return size


def flag_text(flag: str, value: object) -> str:
    """The value of a flag ('--need') as a word of the command line. Raises WeirError."""
    if flag.lstrip("-") in NAMES and isinstance(value, (int, float)):
        return f"{parse_size(value)}B"  # type: ignore[arg-type]
    return str(value)
