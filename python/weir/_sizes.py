"""Sizes as weir's command line writes them."""

from __future__ import annotations

from ._errors import WeirError


def parse_size(size: str | int | float) -> int:
    """'100M' -> bytes; K, M, G and T count by 1024, no unit is bytes. Raises WeirError for anything else."""
    text = str(size).strip()
    factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}.get(text[-1:].upper(), 1)
    try:
        number = float(text[:-1] if factor > 1 else text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1 << 62:
        raise WeirError(f"'{size}' is not a size; write 640M or 1.5G")
    return int(number * factor)
