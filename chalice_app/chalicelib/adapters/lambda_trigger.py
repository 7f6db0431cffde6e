"""Calling the processing function as S3's event would have."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the stubs are not in the Lambda bundle
    from types_boto3_lambda.client import LambdaClient


@dataclass(frozen=True)
class LambdaTrigger:
    lambdas: "LambdaClient"
    function: str
    bucket: str

    def trigger(self, file_key: str, version_id: str, size_bytes: int) -> None:
        stored = {"key": file_key, "versionId": version_id, "size": size_bytes}
        record = {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Repeated",
            "s3": {"bucket": {"name": self.bucket}, "object": stored},
        }
        self.lambdas.invoke(
            FunctionName=self.function, InvocationType="Event", Payload=json.dumps({"Records": [record]}).encode()
        )
