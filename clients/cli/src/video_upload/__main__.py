"""`python -m video_upload` is the command `video-upload`."""

from video_upload.command_line import main

if __name__ == "__main__":
    main()
