"""Settings of scopes, from weir.toml, WEIR_* variables and the profile."""

from __future__ import annotations

import functools
from typing import Any

from . import _native
from ._errors import to_weir_error


@functools.lru_cache(maxsize=None)
def settings() -> dict[str, Any]:
    """Returns ``log`` (a file; empty: none), ``lease`` (True, False, or None if each scope decides),
    ``max_fragmentation`` in bytes and ``wait`` in seconds. They are read once. Raises PolicyError if they are
    wrong."""
    try:
        return _native.scope_settings()
    except RuntimeError as error:
        raise to_weir_error(error) from None
