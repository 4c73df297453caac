"""weir.upscale with a network whose result is known: each pixel becomes a block of equal pixels."""

import pathlib
import struct
import subprocess
import sys

import pytest

import weir

numpy = pytest.importorskip("numpy")


def write_network(folder: pathlib.Path, scale: int) -> pathlib.Path:
    """Writes one 3x3 convolution whose middle tap copies a channel to all pixels of a block, then a pixel shuffle."""
    out = 3 * scale * scale
    (folder / "blocks.param").write_text(
        "7767517\n3 3\nInput data 0 1 data\n"
        f"Convolution conv 1 1 data blocks 0={out} 1=3 4=1 5=1 6={27 * out}\n"
        f"PixelShuffle shuffle 1 1 blocks output 0={scale}\n")
    weights = [1.0 if tap == 4 and channel == o // (scale * scale) else 0.0
               for o in range(out) for channel in range(3) for tap in range(9)]
    (folder / "blocks.bin").write_bytes(struct.pack(f"<{1 + len(weights) + out}f", 0.0, *weights, *([0.0] * out)))
    return folder / "blocks.param"


def picture(dtype: type = None, channels: int = 3) -> "numpy.ndarray":
    dtype = dtype or numpy.uint8
    top = numpy.iinfo(dtype).max
    values = (numpy.arange(24 * 20 * channels, dtype=numpy.int64) * 7919) % (top + 1)
    return values.astype(dtype).reshape((24, 20, channels) if channels > 1 else (24, 20))


def blocks(array: "numpy.ndarray", scale: int) -> "numpy.ndarray":
    return array.repeat(scale, axis=0).repeat(scale, axis=1)


@pytest.mark.parametrize("scale", [2, 3])
def test_an_array_is_enlarged(tmp_path, scale):
    network = write_network(tmp_path, scale)
    array = picture()
    enlarged = weir.upscale(array, model=network)
    assert enlarged.dtype == array.dtype and enlarged.shape == (24 * scale, 20 * scale, 3)
    assert numpy.abs(enlarged.astype(int) - blocks(array, scale)).max() <= 1


def test_grey_and_sixteen_bits(tmp_path):
    network = write_network(tmp_path, 2)
    grey = picture(channels=1)
    assert weir.upscale(grey, model=network).shape == (48, 40)
    deep = picture(numpy.uint16)
    enlarged = weir.upscale(deep, model=network, ram="2G")
    assert enlarged.dtype == numpy.uint16
    assert numpy.abs(enlarged.astype(int) - blocks(deep, 2)).max() <= 66  # one step of ten bits


def test_an_array_that_is_no_picture_is_refused(tmp_path):
    network = write_network(tmp_path, 2)
    for wrong in (numpy.zeros((4, 4), numpy.float32), numpy.zeros((4,), numpy.uint8)):
        with pytest.raises(weir.WeirError, match="is needed"):
            weir.upscale(wrong, model=network)
    with pytest.raises(weir.WeirError):
        weir.upscale(picture(), model=tmp_path / "none.param")
    with pytest.raises(weir.WeirError, match="is not a size"):
        weir.upscale(picture(), model=network, ram="much")


def test_views_are_read_as_they_look(tmp_path):
    network = write_network(tmp_path, 2)
    array = picture()
    assert (weir.upscale(array[:, ::-1], model=network) == weir.upscale(array[:, ::-1].copy(), model=network)).all()


def write_bmp(path: pathlib.Path, array: "numpy.ndarray") -> None:
    """Writes a BMP file: rows from bottom to top, padded to 4 bytes."""
    height, width, _ = array.shape
    rows = b"".join(row[:, ::-1].tobytes().ljust((3 * width + 3) // 4 * 4, b"\0") for row in array[::-1])
    path.write_bytes(struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 54 + len(rows), 0, 0, 54, 40, width, height, 1, 24, 0,
                                 len(rows), 2835, 2835, 0, 0) + rows)


def test_a_file_is_enlarged(tmp_path, capfd):
    network = write_network(tmp_path, 2)
    write_bmp(tmp_path / "in.bmp", picture())
    out = weir.upscale(tmp_path / "in.bmp", tmp_path / "out.png", model=network, ram="1G")
    assert out == tmp_path / "out.png" and out.read_bytes().startswith(b"\x89PNG")
    assert struct.unpack(">II", out.read_bytes()[16:24]) == (40, 48)
    with pytest.raises(weir.WeirError, match="is not as weir left it"):
        out.write_bytes(b"mine")
        weir.upscale(tmp_path / "in.bmp", out, model=network)
    assert "is not as weir left it" in capfd.readouterr().err
    weir.upscale(tmp_path / "in.bmp", out, model=network, overwrite=True)
    assert out.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(weir.WeirError, match="name the output"):
        weir.upscale(tmp_path / "in.bmp", model=network)
    capfd.readouterr()
    (tmp_path / "text.png").write_text("no picture")
    for wrong, why in (("none.bmp", "no such file"), ("text.png", "not a picture")):
        with pytest.raises(weir.WeirError) as caught:
            weir.upscale(tmp_path / wrong, tmp_path / "x.png", model=network)
        text = str(caught.value)
        assert wrong in text and why in text.lower() and "\n" not in text, text
        assert not (tmp_path / "x.png").exists()


def test_torch_is_not_imported(tmp_path):
    network = write_network(tmp_path, 2)
    code = ("import sys, numpy, weir; weir.upscale(numpy.zeros((8, 8, 3), numpy.uint8), model=sys.argv[1]); "
            "assert 'torch' not in sys.modules")
    subprocess.run([sys.executable, "-c", code, str(network)], check=True, timeout=120)
