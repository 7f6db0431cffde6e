"""Foreign pages in the same browser: their attacks on the local platform fail."""

import pytest

from tests.stand_in.server_process import Server, send

KEY = "videos/someone/one.mp4"
BODY = b"x" * 1000


@pytest.mark.parametrize("path", ["/_stand-in/reset", "/moto-api/reset"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_page_of_another_origin_cannot_reset_what_is_kept(server: Server, path: str, origin: str) -> None:
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)
    # Sent like a form or a fetch without CORS: no preflight precedes it.
    plain = {"Content-Type": "text/plain"}
    assert send("POST", f"{server.url}{path}", headers={**plain, "Origin": origin}).status == 403
    assert server.s3.head_object(Bucket=server.bucket, Key=KEY)["ContentLength"] == len(BODY)
    assert server.client("kms").list_keys()["Keys"]
    assert send("POST", f"{server.url}/_stand-in/reset", headers={**plain, "Origin": server.url}).status == 204


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "[::1]"])
def test_a_foreign_name_that_resolves_to_loopback_gets_nothing(server: Server, name: str) -> None:
    """Else its page could read and write here, as one of our own origin."""
    url = f"{server.url}/_stand-in/requests"
    port = server.url.rpartition(":")[2]
    answer = send("GET", url, headers={"Host": f"{name}:{port}"})
    assert (answer.status, answer.headers["connection"]) == (421, "close")
    assert b"counters" not in answer.body
    for own in (f"localhost:{port}", "LOCALHOST", "127.0.0.1"):
        assert send("GET", url, headers={"Host": own}).status == 200


def test_services_that_ask_for_no_signature_answer_this_machines_pages_alone(server: Server) -> None:
    target = "AWSCognitoIdentityProviderService.ListUserPools"
    asked = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-amz-target"}
    body = b'{"MaxResults": 1}'
    for origin in ("https://evil.example", "http://127.0.0.1.evil.example:8000", "null"):
        for method, headers in (("POST", asked), ("OPTIONS", preflight)):
            reply = send(method, f"{server.url}/", body, {**headers, "Origin": origin})
            assert reply.status == 403
            assert "access-control-allow-origin" not in reply.headers
    reply = send("POST", f"{server.url}/", body, {**asked, "Origin": "http://localhost:8000"})
    assert reply.status == 200
    assert b"UserPools" in reply.body
    assert "access-control-allow-origin" in reply.headers


def test_a_service_that_asks_for_a_signature_answers_no_page_without_one(server: Server) -> None:
    asked = {"X-Amz-Target": "TrentService.ListKeys", "Content-Type": "application/x-amz-json-1.1"}
    reply = send("POST", f"{server.url}/", b"{}", {**asked, "Origin": "http://localhost:8000"})
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (403, "MissingAuthenticationToken")
    assert b"KeyArn" not in reply.body
    assert server.bucket.encode() not in reply.body
