"""Orientation of a video's pictures, from its display matrix. Imported by the inspecting process only."""

import math
import struct
from dataclasses import dataclass
from typing import Self

from av.buffer import Buffer
from av.video.frame import VideoFrame

_MATRIX = struct.Struct("=9i")


@dataclass(frozen=True)
class Orientation:
    """Orientation in which a player shows a stored picture: mirrored left to right, then turned clockwise by 0, 90, 180
    or 270.

    Front cameras write mirrored matrices.
    """

    rotation_degrees: int = 0
    is_mirrored: bool = False

    @classmethod
    def of(cls, picture: VideoFrame) -> Self:
        matrix = picture.side_data.get("DISPLAYMATRIX")
        if not isinstance(matrix, Buffer):
            return cls()
        # ISO/IEC 14496-12, 6.2.2: a point (x, y) goes to (ax + cy, bx + dy).
        a, b, _, c, d, *_ = _MATRIX.unpack(bytes(matrix))
        is_mirrored = a * d - b * c < 0
        if is_mirrored:
            a, b = -a, -b
        return cls(round(math.degrees(math.atan2(b, a)) / 90) * 90 % 360, is_mirrored)
