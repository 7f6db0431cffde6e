"""Description of the Chalice app: the API's document, the functions' handlers, and the events that trigger them.

Run as a program in a process of its own: it imports the app, which reads names from the environment at import, and
prints the description as one JSON object.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components.api.document import CORS_ORIGIN, USER_POOL_ARN, VIDEO_BUCKET, api_document
from components.function_table import API_FUNCTIONS

API_HANDLER = "app.app"
PROJECT = Path(__file__).resolve().parents[1]


class AppNotReadableError(Exception):
    """The app cannot be imported. folder: of the app; reason: the interpreter's words."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder, self.reason = folder, reason
        super().__init__(f"cannot read the app in {folder}: {reason}")


@dataclass(frozen=True, kw_only=True)
class AppDescription:
    """The app as the infrastructure sees it.

    document: the API's document with tokens for what only AWS knows (see components/api/document.py).
    handlers: entry point by function.
    schedule: of the janitor, as EventBridge writes it.
    bucket_events, bucket_prefix: the events that start processing.
    """

    document: dict[str, Any]
    handlers: dict[str, str]
    schedule: str
    bucket_events: list[str]
    bucket_prefix: str


@functools.cache
def describe_app(folder: Path) -> AppDescription:
    """Import the app of this folder in a process of its own. Raises AppNotReadableError."""
    program = [sys.executable, "-m", "components.app_description", str(folder.resolve())]
    asked = subprocess.run(program, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if asked.returncode != 0:
        raise AppNotReadableError(folder, asked.stderr.strip())
    return AppDescription(**json.loads(asked.stdout))


def described() -> AppDescription:
    """Describe the app that can be imported as `app`."""
    app: Any = importlib.import_module("app").app
    authorizers = {authorizer.name: authorizer.handler_string for authorizer in app.builtin_auth_handlers}
    events = {source.name: source for source in app.event_sources}
    uploads, sweep = events["video_processing"], events["janitor"]
    return AppDescription(
        document=api_document(app),
        handlers={
            **dict.fromkeys(API_FUNCTIONS, API_HANDLER),
            **authorizers,
            **{name: source.handler_string for name, source in events.items()},
        },
        schedule=sweep.schedule_expression.to_string(),
        bucket_events=uploads.events,
        bucket_prefix=uploads.prefix,
    )


def main(app_folder: Path) -> None:
    """Print the description of the app in this folder."""
    sys.path.insert(0, str(app_folder))
    os.environ.update(USER_POOL_ARN=USER_POOL_ARN, CORS_ORIGIN=CORS_ORIGIN, VIDEO_BUCKET=VIDEO_BUCKET)
    sys.stdout.write(json.dumps(asdict(described())))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
