"""Desktop client of the Video Upload Platform, as a command and as a library.

    from video_upload import Client

    video = Client().upload("holiday.mp4")   # whoever has done `video-upload login`
    print(video.state, video.playback_url)

`video_upload.errors` is what can go wrong, `video_upload.events` what an upload reports meanwhile,
`video_upload.answers` the shapes that come back.
"""

from video_upload.client import Client

__all__ = ["Client"]
