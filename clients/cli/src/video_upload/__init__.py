"""Desktop client of the Video Upload Platform, as a command and as a library.

`video_upload.api` speaks to the API, `video_upload.engine` uploads files, `video_upload.command_line` is the terminal.
"""
