"""A job tells when it began and how long its result is, as the platform reads it of MediaConvert."""

from chalicelib.adapters.mediaconvert_converter import MediaConvert
from chalicelib.core.conversions import Conversion, JobState
from chalicelib.core.video_id import VideoRef
from tests.stand_in.server_process import Server


def test_a_job_tells_when_it_began_and_how_long_its_result_is(server: Server) -> None:
    converter = MediaConvert(
        mediaconvert=server.client("mediaconvert"),
        bucket=server.bucket,
        data_key_arn="arn:aws:kms:eu-central-1:123456789012:key/mrk-" + "0" * 32,
        queue_arn="arn:aws:mediaconvert:eu-central-1:123456789012:queues/q",
        role_arn="arn:aws:iam::123456789012:role/r",
        tags={},
    )
    wanted = Conversion(token="t", ref=VideoRef("ada", "v"), width=64, height=36, has_sound=False, may_be_hdr=False)
    job_id = converter.begin(wanted)
    waiting = converter.look(job_id)
    assert (waiting.state, waiting.running_since, waiting.result_seconds) == (JobState.RUNNING, None, None)
    server.control("POST", "conversions", {"id": job_id, "status": "PROGRESSING"})
    running = converter.look(job_id)
    assert running.running_since
    assert running.result_seconds is None
    server.control("POST", "conversions", {"id": job_id, "status": "COMPLETE", "durationInMs": 61_500})
    ended = converter.look(job_id)
    assert (ended.state, ended.running_since, ended.result_seconds) == (JobState.COMPLETE, running.running_since, 61.5)
