"""A generated real video of two parts."""

import io
import random
from fractions import Fraction

import av
from av.video.frame import VideoFrame

WIDTH, HEIGHT, FRAME_RATE, SECONDS = 320, 180, 25, 2
MIN_SIZE_BYTES = 6 * 2**20
"""More than one part of 5 MiB."""


def make_smoke_video() -> bytes:
    """An MP4 of a moving gradient, padded with a box that players skip."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FRAME_RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, FRAME_RATE)
        for index in range(SECONDS * FRAME_RATE):
            container.mux(stream.encode(_frame(index)))
        container.mux(stream.encode(None))
    content = file.getvalue()
    filler_bytes = MIN_SIZE_BYTES - len(content)
    # Not zeros: a damaged part must differ from the original.
    filler = random.Random(FRAME_RATE).randbytes(filler_bytes - 8)  # noqa: S311
    return content + filler_bytes.to_bytes(4, "big") + b"free" + filler


def _frame(index: int) -> VideoFrame:
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane in frame.planes:
        rows = [
            bytes((index * 3 + row + column) % 220 + 16 for column in range(plane.line_size))
            for row in range(plane.height)
        ]
        plane.update(b"".join(rows))
    frame.pts = index
    return frame
