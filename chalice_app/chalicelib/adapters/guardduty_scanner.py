"""GuardDuty Malware Protection for S3: requests the scan of one version."""

from dataclasses import dataclass
from typing import Any

SCANNER = "aws.guardduty"
SCAN_RESULT = "GuardDuty Malware Protection Object Scan Result"
"""Source and type of its events; GuardDuty User Guide, "Monitoring S3 object scans with Amazon EventBridge"."""


@dataclass(frozen=True)
class GuardDutyScanner:
    guardduty: Any
    bucket: str

    def request_scan(self, file_key: str, version_id: str) -> None:
        """The bucket needs a Malware Protection plan; its role reads the object."""
        self.guardduty.send_object_malware_scan(
            S3Object={"Bucket": self.bucket, "Key": file_key, "VersionId": version_id}
        )
