"""Desktop client of the Video Upload Platform, as a command and as a library.

    from video_upload import Client

    video = Client().upload("holiday.mp4")   # as signed in with `video-upload login`
    print(video.state, video.playback_url)

`video_upload.errors` holds the errors, `video_upload.events` the events that a running upload reports,
`video_upload.schemas` the types that come back, `video_upload.webhooks` the verification of webhooks. The names in the
`__all__` of these modules and of this one are public; all other modules are private.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from video_upload.api import Credentials
    from video_upload.client import Client
    from video_upload.link_api import link_address
    from video_upload.rate_limit import RateLimit

__all__ = ["Client", "Credentials", "RateLimit", "link_address"]

_MODULES = {
    "Client": "video_upload.client",
    "Credentials": "video_upload.api",
    "RateLimit": "video_upload.rate_limit",
    "link_address": "video_upload.link_api",
}


def __getattr__(name: str) -> object:
    """Import what is asked for: a program that verifies webhooks, or the command, needs no client."""
    if name not in _MODULES:
        problem = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(problem)
    return getattr(import_module(_MODULES[name]), name)
