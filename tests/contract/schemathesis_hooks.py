"""Facts about the API for schemathesis: the callers, and the upload that each call is about."""

import os
from typing import Any

import schemathesis
from schemathesis import GenerationMode, HookContext, Response

from chalicelib.core.video_types import VIDEO_TYPES

ACCESS_TOKENS = os.environ["CONTRACT_ACCESS_TOKENS"].split(",")
UPLOADS_OF_A_PERSON = 20
"""Then the next person's token is used: each init reads the open uploads of its person, and hundreds take long."""
MAX_SIZE_BYTES = 12 * 2**20
"""Size of the uploads that really begin."""

LINK_SECONDS = 3600

upload_tokens: dict[str, str] = {}
"""By uploadId, the latest last."""
link_tokens: list[str] = []


@schemathesis.auth(refresh_interval=None)
class Bearers:
    """The person's access token, the token of the latest link, or that of the upload that the body names, else of the
    latest."""

    def get(self, case: Any, context: Any) -> str:
        if case.path.partition("/multipart")[0] == "/link" and link_tokens:
            return link_tokens[-1]
        if case.path != "/multipart/init" and case.path.startswith("/multipart/") and upload_tokens:
            named = case.body.get("uploadId") if isinstance(case.body, dict) else None
            return upload_tokens.get(str(named)) or next(reversed(upload_tokens.values()))
        return ACCESS_TOKENS[len(upload_tokens) // UPLOADS_OF_A_PERSON % len(ACCESS_TOKENS)]

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context: HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """Let a good body begin an upload: its name fits its type, and its size what the platform takes."""
    if case.path not in {"/multipart/init", "/link/multipart/init", "/upload", "/links"} or not isinstance(
        case.body, dict
    ):
        return
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    for machines_name in ("reference", "onBehalfOf"):
        case.body.pop(machines_name, None)
    if case.path == "/links":
        case.body["validSeconds"] = min(case.body["validSeconds"], LINK_SECONDS)
        return
    extension = VIDEO_TYPES[case.body["contentType"]].extensions[0]
    case.body["fileName"] = case.body["fileName"][: 255 - len(extension)] + extension
    case.body["sizeBytes"] = min(case.body["sizeBytes"], MAX_SIZE_BYTES)


@schemathesis.hook
def after_call(context: HookContext, case: Any, response: Response) -> None:
    if case.path == "/links" and response.status_code == 201:
        link_tokens.append(response.json()["linkToken"])
    if case.path in {"/multipart/init", "/link/multipart/init"} and response.status_code == 201:
        started = response.json()
        upload_tokens[started["uploadId"]] = started["uploadToken"]
