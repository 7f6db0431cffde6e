"""Pictures of a high dynamic range, mapped to what a JPEG shows. Imported by the inspecting process, and by the local
platform's encoding process.

libswscale maps them, too, but takes seconds to compute its table. Ours is coarser and takes a tenth of a second.
"""

import struct
from fractions import Fraction
from functools import cache
from itertools import product

from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorTrc

_LEVEL = 4
_STEPS = _LEVEL**2
"""Steps per colour in the table, which the filter `haldclut` takes as a picture of _LEVEL³ by _LEVEL³ pixels."""
TABLE_FORMAT, _MOST = "rgb48le", 65_535

_SOURCE_NITS = 1000.0
"""Peak brightness of usual recordings; few files state theirs."""
_WHITE_NITS = 203.0  # ITU-R BT.2408-7, 2.1: of graphics, which a JPEG shows as white
_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128  # SMPTE ST 2084
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073  # ITU-R BT.2100-2, table 5: HLG
_HLG_GAMMA = 1.2  # same table, at 1,000 nits
_LUMA = 0.2627, 0.678, 0.0593  # ITU-R BT.2020
_TO_BT709 = (1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)  # ITU-R BT.2087-0


def is_hdr(picture: VideoFrame) -> bool:
    return picture.color_trc in {ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67}


def tone_mapped(picture: VideoFrame) -> VideoFrame:
    """Map the picture to sRGB. It should be small already."""
    rgb = picture.reformat(format=TABLE_FORMAT, src_colorspace="BT2020", dst_color_range="JPEG", threads=1)
    table = colour_table(picture)
    graph = Graph()
    graph.threads = 1
    sources = [
        graph.add_buffer(width=one.width, height=one.height, format=one.format, time_base=Fraction(1, 25))
        for one in (rgb, table)
    ]
    mapping = graph.add("haldclut", "shortest=1")
    for number, (source, one) in enumerate(zip(sources, (rgb, table), strict=True)):
        source.link_to(mapping, 0, number)
        one.pts = 0
    mapping.link_to(graph.add("buffersink"))
    graph.configure()
    for source, one in zip(sources, (rgb, table), strict=True):
        source.push(one)
        source.push(None)
    mapped = graph.vpull()
    mapped.color_trc, mapped.color_primaries = ColorTrc.IEC61966_2_1, ColorPrimaries.BT709
    return mapped


def colour_table(picture: VideoFrame) -> VideoFrame:
    """Return the table for `haldclut`, by which pictures like this one are mapped to sRGB."""
    return _table(is_hlg=picture.color_trc == ColorTrc.ARIB_STD_B67)


@cache
def _table(*, is_hlg: bool) -> VideoFrame:
    """Colours of the table, red first, as a picture."""
    table = VideoFrame(_LEVEL**3, _LEVEL**3, TABLE_FORMAT)
    steps = [number / (_STEPS - 1) for number in range(_STEPS)]
    levels = [_hlg_scene(step) for step in steps] if is_hlg else [_compressed(_nits(step)) for step in steps]
    colours: list[int] = []
    for blue, green, red in product(levels, repeat=3):
        light = _hlg_display(red, green, blue) if is_hlg else (red, green, blue)
        mapped = (sum(weight * one for weight, one in zip(row, light, strict=True)) for row in _TO_BT709)
        colours += (round(_srgb(one) * _MOST) for one in mapped)
    (plane,) = table.planes
    line = 3 * table.width
    rows = (colours[start : start + line] for start in range(0, len(colours), line))
    plane.update(b"".join(struct.pack(f"<{line}H", *row).ljust(plane.line_size, b"\0") for row in rows))
    return table


def _compressed(nits: float) -> float:
    """Brightness, of which 1 is white: as it is up to a knee, bright parts compressed (ITU-R BT.2390-11, 5.4.1)."""
    source, white = _pq(_SOURCE_NITS), _pq(_WHITE_NITS)
    value, most = min(_pq(nits) / source, 1.0), white / source
    knee = 1.5 * most - 0.5
    if value > knee:
        part = (value - knee) / (1 - knee)
        value = (
            (2 * part**3 - 3 * part**2 + 1) * knee
            + (part**3 - 2 * part**2 + part) * (1 - knee)
            + (3 * part**2 - 2 * part**3) * most
        )
    return _nits(value * source) / _WHITE_NITS


def _pq(nits: float) -> float:
    power = (nits / 10_000) ** _M1
    return float(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)


def _nits(code: float) -> float:
    power = code ** (1 / _M2)
    return float(10_000 * (max(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1))


def _hlg_scene(code: float) -> float:
    return code**2 / 3 if code <= 0.5 else float((2.718281828459045 ** ((code - _C) / _A) + _B) / 12)


def _hlg_display(red: float, green: float, blue: float) -> tuple[float, ...]:
    luma = sum(weight * one for weight, one in zip(_LUMA, (red, green, blue), strict=True))
    gain = _SOURCE_NITS * luma ** (_HLG_GAMMA - 1)
    return tuple(_compressed(one * gain) for one in (red, green, blue))


def _srgb(light: float) -> float:
    """IEC 61966-2-1."""
    light = min(max(light, 0.0), 1.0)
    return 12.92 * light if light <= 0.0031308 else float(1.055 * light ** (1 / 2.4) - 0.055)
