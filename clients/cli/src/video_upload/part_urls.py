"""Presigned URLs of the parts that are still to be sent, signed again before or when they run out."""

from __future__ import annotations

import bisect
import threading
import time
from collections.abc import Callable, Sequence

from video_upload.checksums import encode_crc64nvme
from video_upload.schemas import PartToSign, PresignedPart, SignedParts

PARTS_PER_PAGE = 100  # the API allows 500, but on a slow line most of those would expire unused
EXPIRY_MARGIN_SECONDS = 5.0

SignParts = Callable[[Sequence[PartToSign]], SignedParts]


class PartUrls:
    """Hands out URLs to all workers.

    sign: asks the API.
    seconds_until: seconds from now to a time of the API's.
    wanted: numbers of the parts to be sent, ascending.
    checksums: by part number. They are signed into the parts' URLs, and S3 verifies them.
    """

    def __init__(
        self,
        sign: SignParts,
        seconds_until: Callable[[str], float],
        wanted: Sequence[int],
        checksums: dict[int, int] | None = None,
    ) -> None:
        self._sign = sign
        self._seconds_until = seconds_until
        self._wanted = wanted
        self._checksums = dict(checksums or {})
        self._urls: dict[int, tuple[PresignedPart, float]] = {}
        self._are_sent = bytearray(wanted[-1] + 1 if wanted else 0)  # by number: a flag for each of 10,000 parts
        self._signing = threading.Lock()

    def add(self, parts: Sequence[PresignedPart], urls_expire_at: str) -> None:
        good_until = time.monotonic() + self._seconds_until(urls_expire_at) - EXPIRY_MARGIN_SECONDS
        self._urls.update({part.part_number: (part, good_until) for part in parts})

    def forget(self, part_number: int) -> None:
        """Drop the URL of a part that is stored: 10,000 of them, each with a session's token, are 17 MB."""
        self._are_sent[part_number] = True
        self._urls.pop(part_number, None)

    def get(self, part_number: int) -> PresignedPart:
        """A URL that is fresh as far as this side can know; signs a page ahead when there is none."""
        if not self._is_fresh(part_number):
            with self._signing:
                if not self._is_fresh(part_number):
                    start = bisect.bisect_left(self._wanted, part_number)
                    ahead = (number for number in self._wanted[start:] if self._lacks_url(number))
                    self._sign_now([number for number, _ in zip(ahead, range(PARTS_PER_PAGE), strict=False)])
        return self._urls[part_number][0]

    def renew(self, part_number: int) -> None:
        """Sign this part again, even if its URL is still fresh."""
        with self._signing:
            self._sign_now([part_number])

    def renew_with_checksum(self, part_number: int, checksum: int) -> None:
        """Sign this part again, with its checksum from now on."""
        with self._signing:
            self._checksums[part_number] = checksum
            self._sign_now([part_number])

    def has_checksum(self, part_number: int) -> bool:
        """Return whether the part's URL has its checksum signed in."""
        return part_number in self._checksums

    def _lacks_url(self, part_number: int) -> bool:
        return not self._are_sent[part_number] and not self._is_fresh(part_number)

    def _is_fresh(self, part_number: int) -> bool:
        known = self._urls.get(part_number)
        return known is not None and time.monotonic() < known[1]

    def _sign_now(self, part_numbers: Sequence[int]) -> None:
        signed = self._sign([self._to_sign(number) for number in part_numbers])
        self.add(signed.presigned_urls, signed.urls_expire_at)

    def _to_sign(self, part_number: int) -> PartToSign:
        checksum = self._checksums.get(part_number)
        return PartToSign(
            part_number=part_number, checksum_crc64nvme=None if checksum is None else encode_crc64nvme(checksum)
        )
