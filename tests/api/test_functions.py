"""One bundle, several functions: what each of them loads and serves."""

import pytest

from components.compute.function_table import FUNCTIONS, Trigger
from tests.api.function_process import run_in_function
from tests.matrix.rules import RULES_BY_FUNCTION

LOADED = "import json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"


def test_importing_the_app_makes_no_client_and_loads_no_aws_library() -> None:
    loaded = run_in_function("multipart_init", f"import app; {LOADED}")
    assert not {"boto3", "botocore", "av", "jwt", "moto", "aws_lambda_powertools"} & set(loaded)


OF_OTHER_FUNCTIONS = tuple(
    f"chalicelib.core.{module}"
    for module in ("media", "processing", "malware_scan", "notification_delivery", "janitor", "retention", "deletion")
)
OF_THE_LIBRARY = tuple(
    f"chalicelib.core.{module}" for module in ("library", "index.view", "index.packs", "index.reading")
)


def test_no_function_of_the_api_loads_the_work_of_other_functions() -> None:
    loaded = run_in_function("multipart_init", "import app, json, sys; print(json.dumps(sorted(sys.modules)))")
    assert "chalicelib.routes.multipart_init" in loaded
    assert [name for name in loaded if name.startswith((*OF_OTHER_FUNCTIONS, *OF_THE_LIBRARY))] == []


def test_the_upload_authorizer_checks_a_token_without_boto3_and_the_services_of_other_functions() -> None:
    script = (
        "from chalicelib.routes.upload_tokens import upload_token_authorizer as check\n"
        "from chalicelib.wiring import services\n"
        "try:\n"
        "    method = 'arn:aws:execute-api:a:b:c/d/e'\n"
        "    check({'type': 'TOKEN', 'authorizationToken': 'Bearer a.b', 'methodArn': method}, None)\n"
        "except Exception as error:\n"
        "    assert str(error) == 'Unauthorized', error\n"
        "import json, sys; services().tokens; print(json.dumps(sorted(sys.modules)))"
    )
    loaded = run_in_function("upload_token_authorizer", script)
    assert not {"boto3", "botocore", "aws_lambda_powertools"} & set(loaded)
    core = {name for name in loaded if name.startswith("chalicelib.core.")}
    assert "chalicelib.core.upload_token" in core
    assert not {f"chalicelib.core.{name}" for name in ("multipart_upload", "records", "video_record")} & core


def test_the_library_makes_no_client_but_that_of_its_buckets_before_a_message_is_due() -> None:
    script = (
        "from chalicelib.wiring import Services, services\n"
        "import json; made, make = [], Services._client\n"
        "Services._client = lambda self, service, **options: made.append(service) or make(self, service, **options)\n"
        "services().library; print(json.dumps(made))"
    )
    assert run_in_function("video_upload", script) == ["s3"]


CALL = """
import json
from app import app
VIDEO = {"videoId": "f" * 28}
LINK = {"/links/{linkId}": {"linkId": "f" * 28}}
PARAMETERS = {**LINK, "/videos/{videoId}": VIDEO, "/admin/videos/{owner}/{videoId}": {"owner": "o", **VIDEO}}
def call(method, path):
    context = {"httpMethod": method, "resourcePath": path, "requestId": "r"}
    event = {"requestContext": context, "headers": {}, "pathParameters": PARAMETERS.get(path), "body": None,
             "multiValueQueryStringParameters": None, "stageVariables": None, "isBase64Encoded": False}
    answer = app(event, type("Context", (), {"aws_request_id": "r"}))
    return json.loads(answer["body"]).get("error", {}).get("code", "served")
print(json.dumps({f"{method} {path}": call(method, path) for path in app.routes for method in app.routes[path]}))
"""


def test_every_function_behind_the_api_has_a_row_of_routes() -> None:
    behind_the_api = {name for name, function in FUNCTIONS.items() if function.trigger is Trigger.ROUTES}
    assert behind_the_api == set(RULES_BY_FUNCTION)


@pytest.mark.parametrize("function", RULES_BY_FUNCTION)
def test_a_function_refuses_the_routes_that_are_not_its_own(function: str) -> None:
    codes: dict[str, str] = run_in_function(function, CALL)
    assert codes.pop("GET /health") == "served"
    served = {route for route, code in codes.items() if code != "route_not_found"}
    assert served == set(RULES_BY_FUNCTION[function]) - {"GET /health"}
    # Nobody is signed in here: the routes that are the function's own say so.
    assert {codes[route] for route in served} == {"unauthorized"}
