"""One platform for a whole test run, and people who use it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.platform import LocalPlatform, Ports
from local.sign_in.users import User
from tests.end_to_end.actors import (
    MAX_STORED_BYTES,
    PATIENCE_SECONDS,
    RETENTION_DAYS,
    Desktop,
    Operator,
    Person,
    StandIn,
    make_desktop,
    make_person,
)
from tests.end_to_end.log_search import PrintedLines
from tests.media.sample_videos import write_sample_video


@pytest.fixture(scope="session")
def printed() -> PrintedLines:
    """Lines printed by the processes of the test run's platform."""
    return PrintedLines()


@pytest.fixture(scope="session")
def platform(printed: PrintedLines) -> Iterator[LocalPlatform]:
    variables = {
        "COMPLETION_PATIENCE_SECONDS": str(PATIENCE_SECONDS),
        "MAX_OPEN_UPLOADS_PER_USER": "20",
        "MAX_STORED_BYTES_PER_USER": str(MAX_STORED_BYTES),
        "RETENTION_SECONDS": str(RETENTION_DAYS * 24 * 3600),
        "RENDITIONS": "true",
    }
    with LocalPlatform(data_dir=None, ports=Ports.free(), api_variables=variables, on_line=printed.add) as running:
        yield running


@pytest.fixture
def stand_in(platform: LocalPlatform) -> Iterator[StandIn]:
    controls = StandIn(platform.stand_in_url)
    yield controls
    controls.heal()
    controls.shift_clock(0)


@pytest.fixture
def person(platform: LocalPlatform) -> Person:
    return make_person(platform)


@pytest.fixture
def desktop(platform: LocalPlatform, person: Person, tmp_path: Path) -> Desktop:
    return make_desktop(platform, person, tmp_path / "home")


@pytest.fixture(scope="session")
def small_video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_sample_video(tmp_path_factory.mktemp("videos") / "small.mp4", duration_seconds=2.0).read_bytes()


@pytest.fixture(scope="session")
def video_12_mib(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three parts, the last one smaller."""
    return write_sample_video(
        tmp_path_factory.mktemp("videos") / "three parts.mp4", duration_seconds=2.0, pad_to_bytes=12 * 2**20
    )


@pytest.fixture(scope="session")
def pool_of_all_tests(platform: LocalPlatform) -> str:
    # moto takes an eighth of a second to make one.
    cognito = StandIn(platform.stand_in_url).client("cognito-idp")
    made = cognito.create_user_pool(PoolName="operations", UsernameAttributes=["email"])
    pool_id = made["UserPool"]["Id"]
    cognito.create_group(UserPoolId=pool_id, GroupName="administrators")
    return pool_id


@pytest.fixture
def user_pool_id(stand_in: StandIn, pool_of_all_tests: str) -> Iterator[str]:
    """A pool without users."""
    yield pool_of_all_tests
    cognito = stand_in.client("cognito-idp")
    for user in cognito.list_users(UserPoolId=pool_of_all_tests)["Users"]:
        cognito.admin_delete_user(UserPoolId=pool_of_all_tests, Username=user["Username"])


@pytest.fixture
def operator(
    platform: LocalPlatform,
    user_pool_id: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Operator:
    environment = platform.api_environment()
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, environment[name])
    outputs = tmp_path / "outputs.json"
    shared = (
        *("STAGE", "VIDEO_BUCKET", "METADATA_BUCKET", "DATA_KEY_ARN", "COMPLETION_TOPIC_ARN", "PROCESSING_FUNCTION"),
        *("ADMINISTRATORS_GROUP", "RENDITIONS", "CONVERSION_QUEUE_ARN", "CONVERSION_ROLE_ARN"),
    )
    outputs.write_text(
        json.dumps(
            {
                "functionEnvironment": {name: environment[name] for name in shared},
                "userPoolId": user_pool_id,
            }
        )
    )
    return Operator(outputs, capsys)


@pytest.fixture
def member(platform: LocalPlatform, stand_in: StandIn, user_pool_id: str, person: Person) -> Person:
    """Somebody whom the user pool and the local sign-in know under the same `sub`."""
    cognito = stand_in.client("cognito-idp")
    made = cognito.admin_create_user(
        UserPoolId=user_pool_id, Username=person.email, UserAttributes=[{"Name": "email", "Value": person.email}]
    )["User"]
    subject = next(attribute["Value"] for attribute in made["Attributes"] if attribute["Name"] == "sub")
    platform.sign_in.authority.users._store(User(subject=subject, email=person.email))
    tokens = platform.sign_in.issue_tokens(person.email, client_id="desktop")
    return Person(platform, person.email, tokens.access_token)
