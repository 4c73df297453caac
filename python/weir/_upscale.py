"""Pictures through the engine."""

from __future__ import annotations

import os
from typing import Any

from . import _native
from ._errors import WeirError, translated
from ._sizes import flag_text, parse_size


def upscale(source: Any, output: Any = None, *, model: Any, scale: float = 0, ram: str | int | None = None, **flags: Any) -> Any:
    """Enlarges a file or an array.

    A path, with ``output``: as ``weir upscale source -o output --model model``; further flags by name
    (``overwrite=True``). Returns the path of the output. What failed is told on standard error, and raised with
    the same words.
    An array [h, w, channels] or [h, w] of uint8 or uint16 (numpy, or anything with the buffer protocol and a shape):
    returns an array of the same kind. ``model`` is then a .param file, and ``scale`` 0 the network's own.
    """
    if isinstance(source, (str, os.PathLike)):
        if output is None:
            raise WeirError("upscale: name the output")
        words = ["upscale", os.fspath(source), "-o", os.fspath(output), "--model", os.fspath(model), "--quiet"]
        given = {"scale": scale or None, "ram": ram, **flags}
        for name, value in given.items():
            if value is not None and value is not False:
                flag = "--" + name.replace("_", "-")
                words += [flag] + ([] if value is True else [flag_text(flag, value)])
        status, what, failures = _native.run(words)
        if status != 0:
            raise WeirError("; ".join(failures) or what or f"upscale: status {status}")
        return output
    return _upscale_array(source, os.fspath(model), scale, parse_size(ram or 0))


def _upscale_array(array: Any, model: str, scale: float, ram: int) -> Any:
    import numpy

    samples = numpy.ascontiguousarray(array)
    if samples.dtype not in (numpy.uint8, numpy.uint16) or samples.ndim not in (2, 3):
        raise WeirError(f"upscale: an array [h, w(, c)] of uint8 or uint16 is wanted, not {samples.dtype} {samples.shape}")
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    try:
        data, width, height = _native.upscale_samples(
            model, samples.reshape(-1), samples.shape[1], samples.shape[0], channels, 8 * samples.itemsize, scale, ram)
    except RuntimeError as error:
        raise translated(error) from None
    shape = (height, width) if samples.ndim == 2 else (height, width, channels)
    return numpy.frombuffer(data, dtype=samples.dtype).reshape(shape)
