"""What scopes are set by: weir.toml, WEIR_* variables and their profile."""

from __future__ import annotations

import functools
from typing import Any

from . import _native
from ._errors import translated


@functools.lru_cache(maxsize=None)
def settings() -> dict[str, Any]:
    """``log`` (a file; empty: none), ``lease`` (True, False, or None where the profile leaves it to each scope) and
    ``max_fragmentation`` in bytes. Read once; wrong settings raise PolicyError."""
    try:
        return _native.scope_settings()
    except RuntimeError as error:
        raise translated(error) from None
