"""GuardDuty's events as verdicts."""

from typing import Any

import pytest

from chalicelib.adapters.guardduty_scanner import GuardDutyScanner
from chalicelib.adapters.scan_events import verdict_in
from chalicelib.core.malware_scan import ScanResult

SCANNED = {
    "bucketName": "videos",
    "objectKey": "videos/somebody/f00",
    "eTag": "ASIAI44QH8DHBEXAMPLE",
    "versionId": "d41d8cd98f00b204e9800998eEXAMPLE",
    "s3Throttled": False,
}


def detail(status: str, result: str | None, **changes: Any) -> dict[str, Any]:
    """A result's `detail`, in the form of GuardDuty's samples."""
    return {
        "schemaVersion": "1.0",
        "scanStatus": status,
        "resourceType": "S3_OBJECT",
        "s3ObjectDetails": SCANNED,
        "scanResultDetails": {"scanResultStatus": result, "threats": None},
        **changes,
    }


@pytest.mark.parametrize(
    ("status", "result", "expected"),
    [
        ("COMPLETED", "NO_THREATS_FOUND", ScanResult.CLEAN),
        ("COMPLETED", "THREATS_FOUND", ScanResult.INFECTED),
        ("SKIPPED", "UNSUPPORTED", ScanResult.UNSUPPORTED),
        ("SKIPPED", "ACCESS_DENIED", ScanResult.ACCESS_DENIED),
        ("FAILED", "FAILED", ScanResult.FAILED),
    ],
)
def test_each_documented_result_is_a_verdict_on_its_version(status: str, result: str, expected: ScanResult) -> None:
    verdict = verdict_in(detail(status, result))
    assert verdict.result is expected
    assert verdict.file_key == SCANNED["objectKey"]
    assert verdict.version_id == SCANNED["versionId"]
    assert verdict.etag == SCANNED["eTag"]


@pytest.mark.parametrize(
    ("status", "result"),
    [("COMPLETED", "SOMETHING_NEW"), ("SKIPPED", "NO_THREATS_FOUND"), ("NEW", "UNSUPPORTED"), ("COMPLETED", None)],
)
def test_an_undocumented_result_is_never_clean(status: str, result: str | None) -> None:
    assert verdict_in(detail(status, result)).result is ScanResult.FAILED


def test_threats_are_malware_whatever_else_the_event_says() -> None:
    assert verdict_in(detail("COMPLETED_WITH_ISSUES", "THREATS_FOUND")).result is ScanResult.INFECTED


def test_an_event_without_a_version_or_details_is_still_read() -> None:
    scanned = {name: value for name, value in SCANNED.items() if name != "versionId"}
    verdict = verdict_in(detail("FAILED", None, s3ObjectDetails=scanned, scanResultDetails=None))
    assert (verdict.version_id, verdict.etag, verdict.result) == (None, SCANNED["eTag"], ScanResult.FAILED)


def test_a_scan_is_requested_for_one_version() -> None:
    asked: list[dict[str, Any]] = []

    class GuardDuty:
        def send_object_malware_scan(self, **request: Any) -> None:
            asked.append(request)

    GuardDutyScanner(GuardDuty(), "videos").request_scan("videos/somebody/f00", "v1")
    assert asked == [{"S3Object": {"Bucket": "videos", "Key": "videos/somebody/f00", "VersionId": "v1"}}]
