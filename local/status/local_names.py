"""Names of the local platform's resources in its metrics: the stand-in's, and the site's name of the API."""

from components.observability.metrics import MonitoredResources
from local.stand_in import names

STAGE = "local"
API_NAME = "video-upload-local-api"
API_STAGE = "api"


def monitored_locally() -> MonitoredResources:
    """Names of local resources. Resources that exist only on AWS have none, so their figures are not computed."""
    return MonitoredResources(
        stage=STAGE,
        region=names.REGION,
        api_name=API_NAME,
        api_stage=API_STAGE,
        distribution_id="",
        video_bucket=names.VIDEO_BUCKET,
        function_names={},
        delivery_queue_names=[],
        queue_name=names.FAILED_EVENTS_QUEUE,
        data_key_arn=names.DATA_KEY_ALIAS,
        web_acl_name=None,
        scans=False,
        makes_renditions=False,
        deletes_old=False,
    )
