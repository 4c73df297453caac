"""Enlarges pictures with weir's engine."""

from __future__ import annotations

import os
from typing import Any

from . import _native
from ._errors import WeirError, to_weir_error
from ._sizes import flag_text, parse_size


def upscale(source: Any, output: Any = None, *, model: Any, scale: float = 0, ram: str | int | None = None,
            **flags: Any) -> Any:
    """Enlarges a picture file or an array. Raises WeirError.

    For a path, ``output`` is required: the call does the same as ``weir upscale source -o output --model model``,
    with further flags by name (``overwrite=True``), and returns the path of the output. Failures are printed on
    standard error, and the raised WeirError has the same text. An array has the shape [h, w, channels] or [h, w] and
    the type uint8 or uint16 (numpy, or any object with the buffer protocol and a shape). The result is an array of
    the same type and number of dimensions. ``model`` is then a .param file, and ``scale`` 0 means the scale of the
    network.
    """
    if isinstance(source, (str, os.PathLike)):
        if output is None:
            raise WeirError("upscale: name the output")
        arguments = ["upscale", os.fspath(source), "-o", os.fspath(output), "--model", os.fspath(model), "--quiet"]
        named_flags = {"scale": scale or None, "ram": ram, **flags}
        for name, value in named_flags.items():
            if value is not None and value is not False:
                flag = "--" + name.replace("_", "-")
                arguments += [flag] + ([] if value is True else [flag_text(flag, value)])
        status, what, failures = _native.run_command_line(arguments)
        if status != 0:
            raise WeirError("; ".join(failures) or what or f"upscale: status {status}")
        return output
    return _upscale_array(source, os.fspath(model), scale, parse_size(ram or 0))


def _upscale_array(array: Any, model: str, scale: float, ram: int) -> Any:
    import numpy

    samples = numpy.ascontiguousarray(array)
    if samples.dtype not in (numpy.uint8, numpy.uint16) or samples.ndim not in (2, 3):
        raise WeirError("upscale: an array [h, w(, c)] of uint8 or uint16 is needed, not "
                        f"{samples.dtype} {samples.shape}")
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    try:
        data, width, height = _native.upscale_samples(
            model, samples.reshape(-1), samples.shape[1], samples.shape[0], channels, 8 * samples.itemsize, scale, ram)
    except RuntimeError as error:
        raise to_weir_error(error) from None
    shape = (height, width) if samples.ndim == 2 else (height, width, channels)
    return numpy.frombuffer(data, dtype=samples.dtype).reshape(shape)
