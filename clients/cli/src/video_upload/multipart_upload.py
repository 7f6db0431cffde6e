"""One upload of one file: send what is missing, complete, repair what differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from video_upload.api import VideoApi
from video_upload.checksums import decode_crc64nvme, encode_crc64nvme, whole_file_crc64nvme
from video_upload.errors import ConflictError, InvalidRequestError, NotFoundError, UnauthorizedError, UploadLostError
from video_upload.events import Completing, PartsDiffered, PartStored, UploadBegan
from video_upload.part_transfer import PartTransfer, TransferOptions
from video_upload.part_urls import PartUrls
from video_upload.schemas import CompletedPart, PartToSign, PresignedPart, SignedParts, StoredPart, StoredUpload
from video_upload.upload_journal import JournaledUpload, SentPart, UploadJournal
from video_upload.video_file import PartReader, VideoFile

REPAIRABLE = frozenset({"checksum_mismatch", "size_mismatch", "part_mismatch", "parts_incomplete", "part_too_small"})

Result = TypeVar("Result")


class MultipartUpload:
    """The upload of one file, whose journal must be held and started with `entry`.

    Raises UploadLostError from every method once the platform no longer knows the upload.

    sent: parts known to be at S3, by number.
    """

    def __init__(
        self,
        *,
        api: VideoApi,
        file: VideoFile,
        entry: JournaledUpload,
        journal: UploadJournal,
        sent: dict[int, SentPart],
        options: TransferOptions,
    ) -> None:
        self._api = api
        self._file = file
        self._entry = entry
        self._layout = entry.layout
        self._journal = journal
        self._sent = sent
        self._options = options
        self._interruption = options.interruption
        self._report = options.report
        self._token = entry.upload_token

    # what is there

    def stored(self) -> StoredUpload:
        """Return what S3 holds. Raises UploadLostError, also when that does not belong to this file's upload."""
        stored = self._ask(self._api.list_parts)
        if (stored.size_bytes, stored.part_size_bytes) != (self._layout.size_bytes, self._layout.part_size_bytes):
            raise UploadLostError(self._entry.video_id, "its parts have another size")
        return stored

    def recognize(self, stored_parts: Sequence[StoredPart]) -> bool:
        """Return whether S3 holds at least one part, and each that it holds is this file's by length and checksum.

        Where S3 shows no checksums nothing is recognized. Reads the parts that are there.
        """
        reader = PartReader(self._file, self._layout)
        try:
            for stored in stored_parts:
                self._interruption.check()
                number = stored.part_number
                if number not in self._layout.part_numbers or stored.size_bytes != self._layout.length_bytes(number):
                    return False
                checksum = reader.crc64nvme(number)
                if not stored.checksum_crc64nvme or decode_crc64nvme(stored.checksum_crc64nvme) != checksum:
                    return False
                self._sent[number] = SentPart(part_number=number, etag=stored.etag, crc64nvme=checksum)
        finally:
            reader.close()
        return bool(stored_parts)

    def adopt(self, stored_parts: Sequence[StoredPart]) -> None:
        """Adopt S3's list: keep its parts of this file, and send all others again.

        Parts that the journal does not know (taken by S3 while this client died) are read for their checksums.
        """
        reader = PartReader(self._file, self._layout)
        try:
            known = self._sent
            self._sent = {}
            for stored in stored_parts:
                number = stored.part_number
                if number not in self._layout.part_numbers or stored.size_bytes != self._layout.length_bytes(number):
                    continue
                self._interruption.check()
                own = known.get(number)
                is_known = own is not None and own.etag.strip('"') == stored.etag.strip('"')
                checksum = own.crc64nvme if own and is_known else reader.crc64nvme(number)
                if stored.checksum_crc64nvme and decode_crc64nvme(stored.checksum_crc64nvme) != checksum:
                    continue
                self._sent[number] = SentPart(part_number=number, etag=stored.etag, crc64nvme=checksum)
        finally:
            reader.close()
        self._journal.start(self._entry, self._sent.values())

    @property
    def stored_bytes(self) -> int:
        return sum(self._layout.length_bytes(number) for number in self._sent)

    @property
    def is_whole(self) -> bool:
        return len(self._sent) == self._layout.part_count

    # sending

    def send_missing(self, first_urls: Sequence[PresignedPart] = (), urls_expire_at: str = "") -> None:
        """Send the parts that S3 does not hold. Raises what PartTransfer.send raises."""
        self._report(
            UploadBegan(
                path=self._file.path,
                video_id=self._entry.video_id,
                correlation_id=self._api.correlation_id,
                size_bytes=self._layout.size_bytes,
                part_count=self._layout.part_count,
                stored_bytes=self.stored_bytes,
            )
        )
        missing = [number for number in self._layout.part_numbers if number not in self._sent]
        urls = PartUrls(self._sign, self._api.seconds_until, missing)
        if first_urls:
            urls.add(first_urls, urls_expire_at)
        self._transfer(missing, urls)
        self._file.check_unchanged()

    def _transfer(self, part_numbers: Sequence[int], urls: PartUrls) -> None:
        transfer = PartTransfer(
            video_id=self._entry.video_id,
            file=self._file,
            layout=self._layout,
            urls=urls,
            options=self._options,
        )
        transfer.send(part_numbers, self._note_stored)

    def _note_stored(self, part: SentPart) -> None:
        self._journal.add(part)
        self._sent[part.part_number] = part
        self._report(PartStored(part_number=part.part_number))

    def _sign(self, parts: Sequence[PartToSign]) -> SignedParts:
        return self._ask(lambda token: self._api.sign_parts(token, parts))

    # completing

    def complete(self) -> None:
        """Have S3 verify and put together the parts; parts found to differ are sent again, once.

        Raises InvalidRequestError if S3 still refuses.
        """
        self._journal.make_durable()
        try:
            self._complete_until_settled()
        except InvalidRequestError as error:
            if error.code not in REPAIRABLE or not self._repair():
                raise
            self._complete_until_settled()

    def _complete_until_settled(self) -> None:
        parts = [self._sent[number] for number in self._layout.part_numbers]
        body = [CompletedPart(part_number=part.part_number, etag=part.etag) for part in parts]
        checksum = encode_crc64nvme(
            whole_file_crc64nvme((part.crc64nvme, self._layout.length_bytes(part.part_number)) for part in parts)
        )
        while True:
            completion, wait_seconds = self._ask(lambda token: self._api.complete(token, body, checksum))
            if completion.status == "completed":
                return
            self._report(Completing())
            self._interruption.pause(wait_seconds)

    def _repair(self) -> bool:
        """Resend the parts that differ between S3 and the file. Return False if none does.

        Where S3 shows no checksums nothing can be compared, and every part is sent again.
        """
        at_s3 = {part.part_number: part for part in self.stored().parts}
        differing = [number for number in self._layout.part_numbers if not self._is_intact(number, at_s3.get(number))]
        renamed = [
            part
            for part in at_s3.values()
            if part.part_number in self._sent
            and part.part_number not in differing
            and part.etag != self._sent[part.part_number].etag
        ]
        for part in renamed:
            own = self._sent[part.part_number]
            self._note_stored(SentPart(part_number=own.part_number, etag=part.etag, crc64nvme=own.crc64nvme))
        if differing:
            self._report(PartsDiffered(part_numbers=tuple(differing)))
            reader = PartReader(self._file, self._layout)
            try:
                checksums = {number: reader.crc64nvme(number) for number in differing}
            finally:
                reader.close()
            self._transfer(differing, PartUrls(self._sign, self._api.seconds_until, differing, checksums))
            self._file.check_unchanged()
        return bool(differing or renamed)

    def _is_intact(self, number: int, stored: StoredPart | None) -> bool:
        return (
            stored is not None
            and stored.size_bytes == self._layout.length_bytes(number)
            and stored.checksum_crc64nvme is not None
            and decode_crc64nvme(stored.checksum_crc64nvme) == self._sent[number].crc64nvme
        )

    # asking with the upload token

    def _ask(self, call: Callable[[str], Result]) -> Result:
        try:
            try:
                return call(self._token)
            except UnauthorizedError:
                self._token = self._fresh_token()
                return call(self._token)
        except NotFoundError as error:
            raise UploadLostError(self._entry.video_id, error.message) from error
        except ConflictError as error:
            if error.code in {"upload_aborted", "upload_expired"}:
                raise UploadLostError(self._entry.video_id, error.message) from error
            raise

    def _fresh_token(self) -> str:
        for upload in self._api.list_open_uploads():
            if upload.video_id == self._entry.video_id:
                return upload.upload_token
        raise UploadLostError(self._entry.video_id, "its token has expired")
