"""Poster of a video. Imported by the inspecting process only."""

from collections.abc import Iterator
from fractions import Fraction

from av.codec import CodecContext
from av.filter import Graph
from av.video.frame import VideoFrame

from chalicelib.core.media.orientation import Orientation
from chalicelib.core.media.tone_mapping import is_hdr, tone_mapped

POSTER_EDGE_PX = 640
_QUANTIZER = 4  # of 1..31; about what others call quality 85
_THUMBNAIL_PX = 32
# Standard deviation of brightness, of 255: below it a picture is black, white or fog.
_MIN_CONTRAST = 6.0

_UNTOLD = 2  # AVCOL_SPC_UNSPECIFIED; players then take the matrix of BT.709 for high definition
_LEAST_HD_PX = 720

_TURNS = {90: ["transpose=clock"], 180: ["hflip", "vflip"], 270: ["transpose=cclock"]}


def best_picture(candidates: Iterator[VideoFrame]) -> VideoFrame:
    """The first picture that shows something, otherwise the one that shows most. candidates: at least one."""
    best = next(candidates)
    best_contrast = _contrast(best)
    while best_contrast < _MIN_CONTRAST and (picture := next(candidates, None)):
        contrast = _contrast(picture)
        if contrast > best_contrast:
            best, best_contrast = picture, contrast
    return best


def _contrast(picture: VideoFrame) -> float:
    plane = picture.reformat(width=_THUMBNAIL_PX, height=_THUMBNAIL_PX, format="gray", threads=1).planes[0]
    data = bytes(plane)
    rows = (data[y * plane.line_size : y * plane.line_size + _THUMBNAIL_PX] for y in range(_THUMBNAIL_PX))
    values = b"".join(rows)
    mean = sum(values) / len(values)
    return (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5


def encode_poster(picture: VideoFrame, pixel_aspect: Fraction, orientation: Orientation) -> bytes:
    """Baseline JPEG of the picture: square pixels, upright, its longer side at most POSTER_EDGE_PX."""
    return encode_jpeg(shrunk(picture, pixel_aspect, orientation, POSTER_EDGE_PX), _QUANTIZER)


def shrunk(picture: VideoFrame, pixel_aspect: Fraction, orientation: Orientation, edge_px: int) -> VideoFrame:
    """Return the picture in square pixels, upright, its longer side at most edge_px, in a JPEG's format."""
    width, height = square_pixels(picture, pixel_aspect)
    scale = min(Fraction(1), Fraction(edge_px) / max(width, height))
    # Scaled first, so that mapping, turning and encoding cost next to nothing.
    small = _scaled(picture, _even(width * scale), _even(height * scale))
    return _turned(small, orientation)


def _scaled(picture: VideoFrame, width: int, height: int) -> VideoFrame:
    """Scale the picture and convert it to the colours of a JPEG: full range, and the matrix of BT.601 (JFIF 1.02)."""
    if is_hdr(picture):
        picture = tone_mapped(picture.reformat(width, height, interpolation="AREA", threads=1))
    is_hd = min(picture.width, picture.height) >= _LEAST_HD_PX
    return picture.reformat(
        width,
        height,
        format="yuvj420p",
        interpolation="AREA",
        src_colorspace="ITU709" if is_hd and picture.colorspace == _UNTOLD else None,
        dst_colorspace="ITU601",
        dst_color_range="JPEG",
        threads=1,
    )


def square_pixels(picture: VideoFrame, pixel_aspect: Fraction) -> tuple[Fraction, Fraction]:
    """Width and height of the picture in square pixels. As in players, the shorter side of a pixel grows."""
    width, height = Fraction(picture.width), Fraction(picture.height)
    return (width * pixel_aspect, height) if pixel_aspect >= 1 else (width, height / pixel_aspect)


def _even(length_px: Fraction) -> int:
    return max(round(length_px / 2) * 2, 2)


def _turned(picture: VideoFrame, orientation: Orientation) -> VideoFrame:
    turns = ["hflip"] * orientation.is_mirrored + _TURNS.get(orientation.rotation_degrees, [])
    if not turns:
        return picture
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=Fraction(1, 25)
    )
    filters = [graph.add(*turn.split("=")) for turn in turns]
    graph.link_nodes(source, *filters, graph.add("buffersink")).configure()
    graph.vpush(picture)
    return graph.vpull()


def encode_jpeg(picture: VideoFrame, quantizer: int) -> bytes:
    """Encode a baseline JPEG. quantizer: 1 to 31, smaller is better."""
    encoder = CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.qmin = encoder.qmax = quantizer
    encoder.color_range = 2
    picture.pts, picture.time_base = 0, Fraction(1, 25)
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
