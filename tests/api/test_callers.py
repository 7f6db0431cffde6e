"""Callers: which claims the routes accept although the gateway has let them through."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from chalice.app import Request

from chalicelib.core.errors import ForbiddenError, PlatformError, UnauthorizedError
from chalicelib.routes import callers

GOOD: dict[str, str] = {
    "sub": "2b1f7c1e-user",
    "token_use": "access",
    "client_id": "web",
    "scope": f"openid {callers.READ_SCOPE} {callers.WRITE_SCOPE}",
}
CONTEXT: dict[str, str] = {
    "kid": "k1",
    "owner": "2b1f7c1e-user",
    "videoId": "0" * 28,
    "fileKey": f"videos/2b1f7c1e-user/{'0' * 28}",
    "uploadId": "upload-1",
    "expiry": "1800000000",
}


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Upload context that each call adds to its log lines."""
    told: list[dict[str, str]] = []
    environment = SimpleNamespace(client_ids=frozenset({"web", "desktop"}), administrators_group="administrators")
    monkeypatch.setattr(callers, "services", lambda: SimpleNamespace(environment=environment))
    monkeypatch.setattr(callers, "about_upload", lambda **names: told.append(names))
    return told


def request(authorizer: object) -> Request:
    return cast("Request", SimpleNamespace(context={"authorizer": authorizer}))


def of_user(**changed: str | None) -> Request:
    claims = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    return request({"claims": claims})


def test_a_caller_is_the_subject_of_the_token(logged: list[dict[str, str]]) -> None:
    for find in (callers.reader_of, callers.writer_of):
        assert find(of_user()) == GOOD["sub"]
    assert logged == [{"owner": GOOD["sub"]}] * 2


def test_the_scopes_are_those_that_the_user_pool_knows() -> None:
    assert (callers.READ_SCOPE, callers.WRITE_SCOPE) == ("video-upload/read", "video-upload/write")


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [
        (callers.READ_SCOPE, True, False),
        (callers.WRITE_SCOPE, True, True),
        (f"{callers.READ_SCOPE} {callers.WRITE_SCOPE}", True, True),
        ("openid", False, False),
        ("", False, False),
        (None, False, False),
        (f"{callers.WRITE_SCOPE}r", False, False),
        (f"x{callers.READ_SCOPE},{callers.WRITE_SCOPE}", False, False),
    ],
)
def test_a_scope_opens_what_it_names(scope: str | None, *, reads: bool, writes: bool) -> None:
    caller = of_user(scope=scope)
    for find, may in ((callers.reader_of, reads), (callers.writer_of, writes)):
        if may:
            assert find(caller) == GOOD["sub"]
        else:
            with pytest.raises(ForbiddenError) as refused:
                find(caller)
            reads_too = "video-upload/read or " if find is callers.reader_of else ""
            assert refused.value.reason == f"it needs the scope {reads_too}video-upload/write"
    assert callers.may_also_write(caller) is writes


@pytest.mark.parametrize(
    ("groups", "is_administrator"),
    [
        ("administrators", True),
        ("eu-central-1_x_acme,administrators", True),
        ("administrators,others", True),
        (None, False),
        ("", False),
        ("Administrators", False),
        ("administrator", False),
        ("administrators2", False),
        ("[administrators]", False),
        ("others, administrators", False),
        ("others administrators", False),
    ],
)
def test_an_administrator_is_a_member_of_exactly_the_group(groups: str | None, *, is_administrator: bool) -> None:
    caller = of_user(**{"cognito:groups": groups})
    for find in (callers.viewing_administrator_of, callers.deleting_administrator_of):
        if is_administrator:
            assert find(caller) == GOOD["sub"]
        else:
            with pytest.raises(ForbiddenError) as refused:
                find(caller)
            assert refused.value.reason == "it needs the group of administrators"


def test_an_administrator_needs_the_scopes_that_everybody_needs() -> None:
    reading = of_user(scope=callers.READ_SCOPE, **{"cognito:groups": "administrators"})
    assert callers.viewing_administrator_of(reading) == GOOD["sub"]
    with pytest.raises(ForbiddenError):
        callers.deleting_administrator_of(reading)
    with pytest.raises(ForbiddenError):
        callers.viewing_administrator_of(of_user(token_use="id", **{"cognito:groups": "administrators"}))


def test_nobody_is_an_administrator_where_no_group_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = SimpleNamespace(client_ids=frozenset({"web"}), administrators_group="")
    monkeypatch.setattr(callers, "services", lambda: SimpleNamespace(environment=environment))
    for groups in ("", None, "administrators", ","):
        with pytest.raises(ForbiddenError):
            callers.viewing_administrator_of(of_user(**{"cognito:groups": groups}))


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"token_use": "id"}, ForbiddenError),
        ({"token_use": None}, ForbiddenError),
        ({"client_id": "another"}, ForbiddenError),
        ({"client_id": None}, ForbiddenError),
        ({"sub": None}, UnauthorizedError),
        ({"sub": ""}, UnauthorizedError),
        ({"sub": "../2b1f7c1e"}, UnauthorizedError),
        ({"sub": "x" * 129}, UnauthorizedError),
    ],
    ids=str,
)
def test_a_token_that_is_not_an_access_token_of_our_clients_is_refused(
    changed: dict[str, str | None], refusal: type[PlatformError]
) -> None:
    for find in (callers.reader_of, callers.writer_of):
        with pytest.raises(refusal) as refused:
            find(of_user(**changed))
        if refusal is ForbiddenError:
            assert isinstance(refused.value, ForbiddenError)
            assert refused.value.reason == "it is not an access token of this platform's clients"


@pytest.mark.parametrize("authorizer", [None, {}, {"claims": None}, {"claims": {}}])
def test_a_request_without_claims_is_nobodys(authorizer: object) -> None:
    for find in (callers.reader_of, callers.writer_of, callers.upload_of):
        with pytest.raises(UnauthorizedError):
            find(request(authorizer))
    assert not callers.may_also_write(request(authorizer))


def test_an_upload_is_what_the_authorizer_has_verified(logged: list[dict[str, str]]) -> None:
    token = callers.upload_of(request(CONTEXT))
    assert (token.kid, token.owner, token.video_id) == (CONTEXT["kid"], CONTEXT["owner"], CONTEXT["videoId"])
    assert (token.file_key, token.upload_id) == (CONTEXT["fileKey"], CONTEXT["uploadId"])
    assert token.expiry == int(CONTEXT["expiry"])
    assert logged == [{"owner": token.owner, "video_id": token.video_id, "upload_id": token.upload_id}]


@pytest.mark.parametrize("missing", CONTEXT)
def test_an_upload_without_one_of_its_names_is_refused(missing: str) -> None:
    context: dict[str, Any] = {name: value for name, value in CONTEXT.items() if name != missing}
    for authorizer in (context, {**context, missing: "soon"} if missing == "expiry" else context):
        with pytest.raises(UnauthorizedError):
            callers.upload_of(request(authorizer))


@pytest.mark.parametrize("names", [("order-7", None), (None, "customer-3")])
def test_only_a_machine_client_names_whom_it_uploads_for(names: tuple[str | None, str | None]) -> None:
    callers.require_machine(of_user(sub="desktop", client_id="desktop"), *names)
    callers.require_machine(of_user(), None, None)
    for person in (of_user(), of_user(client_id=None), of_user(sub="desktop")):
        with pytest.raises(ForbiddenError):
            callers.require_machine(person, *names)


LINK: dict[str, str] = {"kid": "k1", "owner": "2b1f7c1e-user", "linkId": "1" * 28}


def test_a_bearer_of_a_link_is_who_the_authorizer_verified() -> None:
    assert callers.link_of(request(LINK)).link_id == LINK["linkId"]
    wrong = (CONTEXT, {}, None, {**LINK, "linkId": "../x"}, {**LINK, "owner": "a/b"}, {"linkId": LINK["linkId"]})
    for context in wrong:
        with pytest.raises(UnauthorizedError):
            callers.link_of(request(context))
    with pytest.raises(UnauthorizedError):
        callers.upload_of(request(LINK))
