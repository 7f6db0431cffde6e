"""GuardDuty's events: the result of a malware scan, as a verdict.

GuardDuty User Guide, "Monitoring S3 object scans with Amazon EventBridge" and "Monitoring S3 object scans in Malware
Protection for S3".
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.core.malware_scan import ScanResult, ScanVerdict

_RESULTS: Mapping[tuple[str | None, str | None], ScanResult] = {
    ("COMPLETED", "NO_THREATS_FOUND"): ScanResult.CLEAN,
    ("COMPLETED", "THREATS_FOUND"): ScanResult.INFECTED,
    ("SKIPPED", "UNSUPPORTED"): ScanResult.UNSUPPORTED,
    ("SKIPPED", "ACCESS_DENIED"): ScanResult.ACCESS_DENIED,
}


def verdict_in(detail: Mapping[str, Any]) -> ScanVerdict:
    """Read an event's `detail`. A result that is not documented counts as a failed scan, threats always as malware."""
    scanned = detail["s3ObjectDetails"]
    result = (detail.get("scanResultDetails") or {}).get("scanResultStatus")
    known = _RESULTS.get((detail.get("scanStatus"), result), ScanResult.FAILED)
    return ScanVerdict(
        file_key=scanned["objectKey"],
        version_id=scanned.get("versionId") or None,
        etag=scanned.get("eTag") or "",
        result=ScanResult.INFECTED if result == "THREATS_FOUND" else known,
    )
