"""The only reader of the environment: typed, and every wrong value named at once.

The infrastructure sets these variables; a test compares its names with the ones here.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from chalicelib.core.part_plan import GIB, MAX_OBJECT_BYTES, MIB, MIN_PART_BYTES
from chalicelib.core.sigv4 import Credentials
from chalicelib.core.video_types import EVERY_CONTAINER, Container

FUNCTIONS = (
    "video_upload",
    "multipart_init",
    "multipart_complete",
    "video_processing",
    "upload_token_authorizer",
    "janitor",
    "scan_verdict",
    "notification_delivery",
    "message_sender",
)
ALL_FUNCTIONS = "all"
"""One process serves every route: on a developer's machine only."""


class InvalidEnvironmentError(Exception):
    """problems: one line for each variable that is missing or wrong."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def _variable(default: str | None = None, *, least: int | None = None, most: int | None = None) -> Any:
    return field(metadata={"default": default, "least": least, "most": most})


# Methods that nobody calls cost each cold start the time in which they are compiled.
@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Environment:
    """Field names are the variables' names in lower case.

    data_key_arn: KMS key of the video bucket. upload_token_keys: `kid=key` pairs, comma separated; the first signs,
    all verify. processing_function: name or ARN, for the janitor's retries. aws_endpoint_url: empty on AWS.
    scaled_functions: resource ids of Application Auto Scaling, comma separated; empty where nothing is provisioned.
    cost_tag: `key=value` that the stage's resources carry on the bill; empty when nobody asks for it.
    conversion_queue_arn, conversion_role_arn: of MediaConvert; empty where nothing is converted. stage_tag: `key=value`
    of its jobs.
    webhooks: `name=url` of each destination, comma separated. event_bus_name: of EventBridge; empty for none.
    message_outbox: true where functions do not reach the topic, and put their messages into the outbox.
    site_url, media_key_arn, media_key_pair_id: for media URLs through CloudFront; without them S3's own are given out.
    administrators_group: of the user pool; empty where nobody is an administrator.
    accepted_containers: names of Container, comma separated; empty for all.
    max_video_bytes, max_reserved_bytes_per_user: bytes; max_stored_bytes_per_user, max_stored_videos_per_user,
    max_stored_bytes_per_stage: 0 for no limit.
    max_converted_seconds_per_user, max_converted_seconds_per_stage: of video in 24 hours, 0 for no limit.
    upload_ttl_seconds: an upload's and its token's life; max_link_seconds: how long an upload link may be valid, 0 for
    no links; url_ttl_seconds: at most 900, as the bucket policy enforces; retention_seconds: how long a ready video
    stays, 0 for ever; retention_warning_seconds: how long before its deletion that is announced.
    malware_unscanned: `reject` or `accept`, for a video that cannot be scanned.
    """

    stage: str = _variable()
    version: str = _variable("development")
    function: str = _variable(ALL_FUNCTIONS)
    aws_region: str = _variable()
    aws_endpoint_url: str = _variable("")
    video_bucket: str = _variable()
    metadata_bucket: str = _variable()
    data_key_arn: str = _variable()
    upload_token_keys: str = _variable()
    user_pool_client_ids: str = _variable()
    administrators_group: str = _variable("")
    completion_topic_arn: str = _variable()
    processing_function: str = _variable("")
    scaled_functions: str = _variable("")
    cost_tag: str = _variable("")
    webhooks: str = _variable("")
    event_bus_name: str = _variable("")
    site_url: str = _variable("")
    media_key_arn: str = _variable("")
    media_key_pair_id: str = _variable("")
    transfer_acceleration: str = _variable("false")
    message_outbox: str = _variable("false")
    malware_scan: str = _variable("false")
    malware_unscanned: str = _variable("reject")
    renditions: str = _variable("false")
    conversion_queue_arn: str = _variable("")
    conversion_role_arn: str = _variable("")
    stage_tag: str = _variable("")
    thumbnails: str = _variable("true")
    accepted_containers: str = _variable("")
    max_video_bytes: int = _variable(str(MAX_OBJECT_BYTES), least=1, most=MAX_OBJECT_BYTES)
    max_simple_upload_bytes: int = _variable(str(100 * MIB), least=1, most=5 * GIB)
    part_size_bytes: int = _variable(str(MIN_PART_BYTES), least=MIN_PART_BYTES, most=5 * GIB)
    max_open_uploads_per_user: int = _variable("100", least=1, most=1000)
    max_reserved_bytes_per_user: int = _variable(str(MAX_OBJECT_BYTES), least=1)
    max_stored_bytes_per_user: int = _variable("0", least=0)
    max_stored_videos_per_user: int = _variable("0", least=0)
    max_stored_bytes_per_stage: int = _variable("0", least=0)
    max_converted_seconds_per_user: int = _variable("0", least=0)
    max_converted_seconds_per_stage: int = _variable("0", least=0)
    retention_seconds: int = _variable("0", least=0)
    retention_warning_seconds: int = _variable(str(14 * 24 * 3600), least=1)
    upload_ttl_seconds: int = _variable(str(7 * 24 * 3600), least=3600, most=30 * 24 * 3600)
    max_link_seconds: int = _variable(str(30 * 24 * 3600), least=0, most=365 * 24 * 3600)
    url_ttl_seconds: int = _variable("900", least=60, most=900)
    completion_patience_seconds: int = _variable("25", least=1, most=27)

    @staticmethod
    def credentials() -> Credentials | None:
        """Read from the environment each time; None when the environment holds none."""
        access_key, secret_key = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        if not access_key or not secret_key:
            return None
        return Credentials(access_key, secret_key, os.environ.get("AWS_SESSION_TOKEN"))

    @property
    def token_keys(self) -> dict[str, str]:
        """kid → KMS key, the signing one first."""
        return dict(pair.split("=", 1) for pair in self.upload_token_keys.split(","))

    @property
    def containers(self) -> frozenset[Container]:
        names = self.accepted_containers
        return frozenset(map(Container, names.split(","))) if names else EVERY_CONTAINER

    @property
    def makes_renditions(self) -> bool:
        return self.renditions == "true"

    @property
    def converts(self) -> bool:
        """True if a service outside converts what cannot be copied."""
        return self.makes_renditions and bool(self.conversion_queue_arn)

    @property
    def client_ids(self) -> frozenset[str]:
        return frozenset(self.user_pool_client_ids.split(","))

    @property
    def webhook_urls(self) -> dict[str, str]:
        """URL by the destination's name."""
        return dict(pair.split("=", 1) for pair in self.webhooks.split(",")) if self.webhooks else {}

    @property
    def is_local(self) -> bool:
        """True on a developer's machine alone: never in Lambda, whatever its variables say."""
        return bool(self.aws_endpoint_url) and not os.environ.get("AWS_LAMBDA_FUNCTION_NAME")

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> Self:
        """Raises InvalidEnvironmentError with all problems."""
        variables = _variables() if variables is None else variables
        problems: list[str] = []
        values: dict[str, Any] = {}
        for variable in fields(cls):
            name = variable.name.upper()
            text = variables.get(name) or variable.metadata["default"]
            if text is None:
                problems.append(f"{name} is not set")
                continue
            try:
                values[variable.name] = _number(text, **variable.metadata) if variable.type in {int, "int"} else text
            except ValueError as error:
                problems.append(f"{name}={text!r}: {error}")
        problems.extend(_shape_problems(values))
        if problems:
            raise InvalidEnvironmentError(problems)
        return cls(**values)


def _number(text: str, least: int | None, most: int | None, **_: Any) -> int:
    number = int(text)
    if (least is not None and number < least) or (most is not None and number > most):
        raise ValueError(f"must be {least} to {most}")
    return number


_CHOICES = {
    "transfer_acceleration": ("true", "false"),
    "message_outbox": ("true", "false"),
    "malware_scan": ("true", "false"),
    "thumbnails": ("true", "false"),
    "malware_unscanned": ("reject", "accept"),
    "renditions": ("true", "false"),
}


def _shape_problems(values: Mapping[str, Any]) -> list[str]:
    problems: list[str] = []
    keys = values.get("upload_token_keys")
    if keys and not all("=" in pair for pair in keys.split(",")):
        problems.append(f"UPLOAD_TOKEN_KEYS={keys!r}: must be kid=key pairs, comma separated")
    function = values.get("function")
    if function and function not in {*FUNCTIONS, ALL_FUNCTIONS}:
        problems.append(f"FUNCTION={function!r}: must be one of {', '.join(FUNCTIONS)} or {ALL_FUNCTIONS}")
    if len({bool(values.get(name)) for name in ("site_url", "media_key_arn", "media_key_pair_id")}) > 1:
        problems.append("SITE_URL, MEDIA_KEY_ARN, MEDIA_KEY_PAIR_ID: must be set together")
    containers = values.get("accepted_containers")
    if containers and not EVERY_CONTAINER.issuperset(containers.split(",")):
        problems.append(f"ACCEPTED_CONTAINERS={containers!r}: must be of {', '.join(Container)}, comma separated")
    webhooks = values.get("webhooks")
    if webhooks and not all("=" in pair for pair in webhooks.split(",")):
        problems.append("WEBHOOKS: must be name=url pairs, comma separated")
    problems.extend(
        f"{name.upper()}={values[name]!r}: must be key=value"
        for name in ("cost_tag", "stage_tag")
        if values.get(name) and "=" not in values[name]
    )
    if len({bool(values.get(name)) for name in ("conversion_queue_arn", "conversion_role_arn", "stage_tag")}) > 1:
        problems.append("CONVERSION_QUEUE_ARN, CONVERSION_ROLE_ARN, STAGE_TAG: must be set together")
    problems.extend(
        f"{name.upper()}: must be {' or '.join(choices)}"
        for name, choices in _CHOICES.items()
        if name in values and values[name] not in choices
    )
    return problems


@dataclass(frozen=True)
class ImportTimeSettings:
    """Settings that Chalice's decorators need while `app.py` is imported, before any request: names, not secrets."""

    user_pool_arn: str
    cors_origin: str
    video_bucket: str
    metadata_bucket: str

    @classmethod
    def read(cls) -> Self:
        variables = _variables()
        return cls(
            user_pool_arn=variables.get("USER_POOL_ARN", ""),
            cors_origin=variables.get("CORS_ORIGIN", "*"),
            video_bucket=variables.get("VIDEO_BUCKET", ""),
            metadata_bucket=variables.get("METADATA_BUCKET", ""),
        )


@dataclass(frozen=True)
class LocalSignIn:
    """Issuer of tokens when the Chalice CLI plays API Gateway. stand_in_url: of AWS; empty for a deployed stage."""

    issuer: str
    jwks_url: str
    stand_in_url: str

    @classmethod
    def read(cls) -> Self | None:
        """None outside the Chalice CLI and the local platform."""
        variables = _variables()
        if not variables.get("AWS_CHALICE_CLI_MODE"):
            return None
        issuer = variables.get("TOKEN_ISSUER", "")
        jwks_url = variables.get("TOKEN_JWKS_URL") or f"{issuer}/.well-known/jwks.json"
        return cls(issuer, jwks_url, variables.get("AWS_ENDPOINT_URL", ""))


STAND_IN_ADDRESSES = ("AWS_ENDPOINT_URL", "TOKEN_ISSUER", "CORS_ORIGIN")


def stand_in_environment() -> dict[str, str]:
    """The variables of `chalice local --stage local`."""
    config = json.loads((Path(__file__).parents[1] / ".chalice" / "config.json").read_text())
    return config["stages"]["local"]["environment_variables"]


def _variables() -> Mapping[str, str]:
    """The process's environment. Under `chalice local` without a stage in it, config.json's stage `local` is added.

    Its variables replace those exported in the terminal, such as a developer's AWS credentials, except for addresses of
    the stand-in.
    """
    if os.environ.get("AWS_CHALICE_CLI_MODE") and not os.environ.get("STAGE"):
        given = {name: os.environ[name] for name in STAND_IN_ADDRESSES if os.environ.get(name)}
        os.environ.update({**stand_in_environment(), **given})
    return os.environ


@dataclass(frozen=True)
class RunningFunction:
    """Function that writes a log line. Read without any check: a wrong environment has to be logged as well.

    starts_cold: this process was started while a caller waits, and not ahead of time or outside Lambda.
    """

    name: str
    stage: str
    version: str
    xray_trace_id: str
    starts_cold: bool

    @classmethod
    def read(cls) -> Self:
        # Lambda Developer Guide, "Defined runtime environment variables"; `Root=1-…;Parent=…;Sampled=1`
        trace = dict(pair.split("=", 1) for pair in os.environ.get("_X_AMZN_TRACE_ID", "").split(";") if "=" in pair)
        started = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE")
        return cls(
            name=os.environ.get("FUNCTION") or ALL_FUNCTIONS,
            stage=os.environ.get("STAGE", ""),
            version=os.environ.get("VERSION") or "development",
            xray_trace_id=trace.get("Root", ""),
            starts_cold=bool(os.environ.get("AWS_LAMBDA_FUNCTION_NAME")) and started != "provisioned-concurrency",
        )
