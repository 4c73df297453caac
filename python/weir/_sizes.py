"""Parses sizes and durations. One rule holds everywhere in weir: a text has a unit, a number is bytes or seconds."""

from __future__ import annotations

import math

from . import _native
from ._errors import WeirError, to_weir_error


SIZE_FLAGS = frozenset({"min-memory", "need", "max-leak", "max-fragmentation", "ram", "vram"})
"""Flags whose values are sizes."""


def parse_size(size: str | int) -> int:
    """Returns the bytes of '100M', by the same rule as the command line, weir.toml and pytest's options: K, M, G, T
    and KiB ... TiB are powers of 1024, KB ... TB are powers of 1000, B is bytes; a text without a unit is refused. An
    int is bytes; 1 to 1023 is refused because the unit was probably forgotten. Raises WeirError."""
    if isinstance(size, str):
        try:
            return _native.parse_size(size)
        except RuntimeError as error:
            raise to_weir_error(error) from None
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < 1 << 62:
        raise WeirError(f"{size!r} is not a size; write '640M', '1.5G', or a whole number of bytes")
    if 0 < size < 1024:
        raise WeirError(f"{size} what? Numbers are bytes; write '{size}M' or '{size}G'")
    return size


def flag_text(flag: str, value: object) -> str:
    """Returns the value of a flag such as '--need' as a command-line argument. Raises WeirError."""
    if flag.lstrip("-") in SIZE_FLAGS and isinstance(value, (int, float)):
        return f"{parse_size(value)}B"  # type: ignore[arg-type]
    if flag == "--wait":
        return seconds_text(value)
    return str(value)


def seconds_text(value: object) -> str:
    """Returns a duration as a command-line argument. A text has a unit ('10m'), a number is seconds. Raises
    WeirError."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise WeirError(f"wait: {value!r} is not a duration; write '10m', or a number of seconds")
    text = f"{value:.3f}".rstrip("0").rstrip(".")  # milliseconds, without an exponent
    return text or "0"


def threshold_bytes(value: object) -> int:
    """Returns the bytes of a threshold_gb: a number is GiB, a text is a size with its unit. Raises WeirError."""
    if isinstance(value, str):
        return parse_size(value)
    if (isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value)
            or not 0 <= value < 1 << 32):
        raise WeirError(f"threshold_gb: {value!r} is no threshold; write a number of GiB, or a size with its unit "
                        "('1G')")
    return int(value * (1 << 30))
