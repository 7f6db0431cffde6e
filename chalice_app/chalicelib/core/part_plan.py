"""Part plan: the division of a file into parts."""

from typing import NamedTuple

from chalicelib.core.errors import EmptyFileError, FileTooLargeError

MIB = 2**20
GIB = 2**30

# S3 User Guide, "Amazon S3 multipart upload limits"
MIN_PART_BYTES = 5 * MIB
MAX_PART_BYTES = 5 * GIB
MAX_PARTS = 10_000
MAX_OBJECT_BYTES = MAX_PARTS * MAX_PART_BYTES  # 48.8 TiB


class PartPlan(NamedTuple):
    """Equal parts, numbered from 1; the last one may be smaller."""

    size_bytes: int
    part_size_bytes: int

    @property
    def part_count(self) -> int:
        return -(-self.size_bytes // self.part_size_bytes)

    def part_bytes(self, part_number: int) -> int:
        """The length of one part; part_number is 1 to part_count."""
        start = (part_number - 1) * self.part_size_bytes
        return min(self.part_size_bytes, self.size_bytes - start)


def plan_parts(size_bytes: int, preferred_part_bytes: int = MIN_PART_BYTES) -> PartPlan:
    """Cut a file so that at most MAX_PARTS parts hold it, growing the parts in whole MiB and only when needed.

    Raises EmptyFileError at 0 bytes, FileTooLargeError above 48.8 TiB.
    """
    if size_bytes < 1:
        raise EmptyFileError
    if size_bytes > MAX_OBJECT_BYTES:
        raise FileTooLargeError(size_bytes=size_bytes, max_bytes=MAX_OBJECT_BYTES)
    smallest_that_fits = -(-size_bytes // MAX_PARTS)
    in_whole_mib = -(-smallest_that_fits // MIB) * MIB
    return PartPlan(size_bytes, min(max(preferred_part_bytes, MIN_PART_BYTES, in_whole_mib), MAX_PART_BYTES))
