"""Reader of the Chalice app: prints its description as one JSON object.

It runs in a separate process, because the app reads names from the environment when it is imported.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.api.document import CORS_ORIGIN, USER_POOL_ARN, api_document, functions_in
from components.app_description import VIDEO_BUCKET, AppDescription, BucketEvents

API_HANDLER = "app.app"


def described() -> AppDescription:
    """Describe the app that can be imported as `app`."""
    app: Any = importlib.import_module("app").app
    authorizers = {authorizer.name: authorizer.handler_string for authorizer in app.builtin_auth_handlers}
    events = {source.name: source for source in app.event_sources}
    document = api_document(app)
    return AppDescription(
        document=document,
        handlers={
            **dict.fromkeys(functions_in(document), API_HANDLER),
            **authorizers,
            **{name: source.handler_string for name, source in events.items()},
        },
        schedule=events["janitor"].schedule_expression.to_string(),
        uploads=_bucket_events(events["video_processing"]),
        messages=_bucket_events(events["message_sender"]),
        scan_events=events["scan_verdict"].event_pattern,
        conversion_events=importlib.import_module("app").CONVERSION_EVENTS,
        delivery_batch_size=events["notification_delivery"].batch_size,
        delivery_attempts=importlib.import_module("chalicelib.core.notification_delivery").MAX_RECEIVES,
    )


def _bucket_events(source: Any) -> BucketEvents:
    return {"events": source.events, "prefix": source.prefix}


def main(app_folder: Path) -> None:
    """Print the description of the app in this folder."""
    sys.path.insert(0, str(app_folder))
    os.environ.update(USER_POOL_ARN=USER_POOL_ARN, CORS_ORIGIN=CORS_ORIGIN, VIDEO_BUCKET=VIDEO_BUCKET)
    sys.stdout.write(json.dumps(asdict(described())))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
