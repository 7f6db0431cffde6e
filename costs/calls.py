"""Requests to S3, KMS and SNS per event: counted from the app's code, and compared with it by a test."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Calls:
    """s3_writes: billed as PUT, COPY, POST or LIST; s3_reads: as GET and all other; s3_deletes: free, but audited."""

    s3_writes: float = 0
    s3_reads: float = 0
    s3_deletes: float = 0
    kms_requests: float = 0
    kms_signatures: float = 0
    publishes: float = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(**{kind: count + vars(other)[kind] for kind, count in vars(self).items()})

    def times(self, count: float) -> Self:
        return type(self)(**{kind: each * count for kind, each in vars(self).items()})


INSPECTION_READS = 4  # ranges that the media inspector reads beyond the file's head
POLLS_UNTIL_READY = 3  # requests of a client for a video that it has just completed
VIDEOS_A_PAGE = 24  # `limit` that a client leaves out

# POST /multipart/init: a look for room (LIST), the idempotency key, the marker, its count (LIST), the upload, the
# record; the token's MAC.
STARTING = Calls(s3_writes=6, kms_requests=1)
# POST /multipart/init at a cap: the look for room (LIST), and whether the call repeats one that was let in.
REFUSING = Calls(s3_writes=1, s3_reads=1)
# POST /multipart/parts: the record.
SIGNING = Calls(s3_reads=1)
# A token's MAC; the gateway keeps the answer for 300 s.
AUTHORIZING = Calls(kms_requests=1)
# POST /multipart/complete: the record is leased, the parts joined, the object looked at, the record settled.
COMPLETING = Calls(s3_writes=3, s3_reads=3)
# The record three times, the object's head and ranges; poster, verdict, record twice; the marker goes.
PROCESSING = Calls(s3_writes=4, s3_reads=5 + INSPECTION_READS, s3_deletes=1, publishes=1)
# The janitor's list of markers.
SWEEPING = Calls(s3_writes=1)
# The record of each. One that is an hour old also costs, once, a list of its parts and a write of its record.
SWEEPING_ONE = Calls(s3_reads=1)
# The object is looked for, the record moved, the parts listed and dropped; objects and marker are deleted whether they
# are there or not.
EXPIRING = Calls(s3_writes=2, s3_reads=2, s3_deletes=4)
# GET /videos/{videoId}: the record.
ASKING = Calls(s3_reads=1)
# GET /videos: the list, the records, one signature each for the folders of posters and videos. The record of a video
# deleted within `tombstoneDays` is one read more; few deletions add little.
BROWSING = Calls(s3_writes=1, s3_reads=VIDEOS_A_PAGE, kms_signatures=2)
# GET /uploads, when nothing is open.
RESUMING = Calls(s3_writes=1)
