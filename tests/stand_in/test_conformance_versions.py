"""Versions and delete markers as S3 keeps them, and what is deleted one by one or by the thousand."""

from typing import Any

import pytest

from tests.stand_in.s3_answers import keys, refusal
from tests.stand_in.server_process import Server, send

KEY = "k"


def _put(server: Server, *bodies: bytes, key: str = KEY) -> list[str]:
    return [server.s3.put_object(Bucket=server.bucket, Key=key, Body=body)["VersionId"] for body in bodies]


def _ids(listing: Any, element: str = "Versions") -> list[str]:
    return [entry["VersionId"] for entry in listing.get(element, [])]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_bucket_is_emptied_page_by_page_behind_versions_that_are_gone(size: int, server: Server) -> None:
    for key in ("a", "b"):
        _put(server, b"1", b"2", key=key)
        server.s3.delete_object(Bucket=server.bucket, Key=key)
    marker: dict[str, str] = {}
    rounds = 0
    while True:
        page = server.s3.list_object_versions(Bucket=server.bucket, MaxKeys=size, **marker)
        for entry in page.get("Versions", []) + page.get("DeleteMarkers", []):
            server.s3.delete_object(Bucket=server.bucket, Key=entry["Key"], VersionId=entry["VersionId"])
        rounds += 1
        if not page["IsTruncated"]:
            break
        marker = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
    assert rounds == -(-6 // size)
    left = server.s3.list_object_versions(Bucket=server.bucket)
    assert not _ids(left) + _ids(left, "DeleteMarkers")


def test_a_listing_goes_on_behind_a_delete_marker_that_was_deleted(server: Server) -> None:
    ids = _put(server, b"1", b"2")
    marker = server.s3.delete_object(Bucket=server.bucket, Key=KEY)["VersionId"]
    server.s3.delete_object(Bucket=server.bucket, Key=KEY, VersionId=marker)
    rest = server.s3.list_object_versions(Bucket=server.bucket, KeyMarker=KEY, VersionIdMarker=marker)
    assert (_ids(rest), rest["VersionIdMarker"]) == (ids[::-1], marker)


def test_a_key_marker_alone_skips_all_versions_of_its_key(server: Server) -> None:
    _put(server, b"1", b"2", key="a")
    _put(server, b"1", key="b")
    rest = server.s3.list_object_versions(Bucket=server.bucket, KeyMarker="a")
    assert keys(rest, "Versions") == ["b"]


def test_exactly_one_version_of_a_key_is_its_latest(server: Server) -> None:
    first, second = _put(server, b"1", b"2")
    listed = server.s3.list_object_versions(Bucket=server.bucket)["Versions"]
    assert [(entry["VersionId"], entry["IsLatest"]) for entry in listed] == [(second, True), (first, False)]
    marker = server.s3.delete_object(Bucket=server.bucket, Key=KEY)["VersionId"]
    hidden = server.s3.list_object_versions(Bucket=server.bucket)
    assert [entry["IsLatest"] for entry in hidden["Versions"]] == [False, False]
    assert [(entry["VersionId"], entry["IsLatest"]) for entry in hidden["DeleteMarkers"]] == [(marker, True)]
    server.s3.delete_object(Bucket=server.bucket, Key=KEY, VersionId=marker)
    server.s3.delete_object(Bucket=server.bucket, Key=KEY, VersionId=second)
    (left,) = server.s3.list_object_versions(Bucket=server.bucket)["Versions"]
    assert (left["VersionId"], left["IsLatest"]) == (first, True)


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_a_key_behind_a_delete_marker_is_not_found_and_the_answer_says_why(operation: str, server: Server) -> None:
    _put(server, b"1")
    marker = server.s3.delete_object(Bucket=server.bucket, Key=KEY)["VersionId"]
    method = "GET" if operation == "get_object" else "HEAD"
    reply = send(method, server.presign(operation, Key=KEY))
    assert (reply.status, reply.headers["x-amz-delete-marker"]) == (404, "true")
    assert reply.headers["x-amz-version-id"] == marker
    never = send(method, server.presign(operation, Key="never"))
    assert (never.status, "x-amz-delete-marker" in never.headers) == (404, False)


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_a_delete_marker_asked_for_by_its_id_allows_nothing_but_deleting(operation: str, server: Server) -> None:
    _put(server, b"1")
    marker = server.s3.delete_object(Bucket=server.bucket, Key=KEY)["VersionId"]
    method = "GET" if operation == "get_object" else "HEAD"
    reply = send(method, server.presign(operation, Key=KEY, VersionId=marker))
    assert (reply.status, reply.headers["x-amz-delete-marker"], reply.headers["allow"]) == (405, "true", "DELETE")
    assert reply.headers["last-modified"].endswith("GMT")


def test_deleting_tells_whether_a_marker_was_put_or_removed(server: Server) -> None:
    (version,) = _put(server, b"1")
    put = server.s3.delete_object(Bucket=server.bucket, Key=KEY)
    assert put["DeleteMarker"]
    again = server.s3.delete_object(Bucket=server.bucket, Key=KEY)
    assert again["VersionId"] != put["VersionId"]
    removed = server.s3.delete_object(Bucket=server.bucket, Key=KEY, VersionId=again["VersionId"])
    assert (removed["DeleteMarker"], removed["VersionId"]) == (True, again["VersionId"])
    server.s3.delete_object(Bucket=server.bucket, Key=KEY, VersionId=put["VersionId"])
    last = server.s3.delete_object(Bucket=server.bucket, Key=KEY, VersionId=version)
    assert ("DeleteMarker" in last, last["VersionId"]) == (False, version)


def test_deleting_what_never_was_succeeds(server: Server) -> None:
    answer = server.s3.delete_object(Bucket=server.bucket, Key="never")
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["DeleteMarker"]) == (204, True)
    (version,) = _put(server, b"1")
    for _ in range(2):
        gone = server.s3.delete_object(Bucket=server.bucket, Key=KEY, VersionId=version)
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.mark.parametrize("operation", ["get_object", "head_object", "get_object_tagging"])
def test_a_version_that_is_gone_is_not_found(operation: str, server: Server) -> None:
    (version,) = _put(server, b"1")
    server.s3.delete_object(Bucket=server.bucket, Key=KEY, VersionId=version)
    found = refusal(lambda: getattr(server.s3, operation)(Bucket=server.bucket, Key=KEY, VersionId=version))
    assert found == (404, "404" if operation == "head_object" else "NoSuchVersion")


def test_many_are_deleted_in_one_request_and_each_is_told(server: Server) -> None:
    (version,) = _put(server, b"1", key="a")
    _put(server, b"1", key="b")
    asked = [{"Key": "a", "VersionId": version}, {"Key": "b"}, {"Key": "never"}]
    answer = server.s3.delete_objects(Bucket=server.bucket, Delete={"Objects": asked})
    told = {entry["Key"]: entry for entry in answer["Deleted"]}
    assert told["a"] == {"Key": "a", "VersionId": version}
    assert told["b"]["DeleteMarker"]
    assert told["never"]["DeleteMarkerVersionId"]
    assert "Errors" not in answer
    marker = told["b"]["DeleteMarkerVersionId"]
    removed = server.s3.delete_objects(Bucket=server.bucket, Delete={"Objects": [{"Key": "b", "VersionId": marker}]})
    assert removed["Deleted"] == [
        {"Key": "b", "VersionId": marker, "DeleteMarker": True, "DeleteMarkerVersionId": marker}
    ]
    assert server.s3.get_object(Bucket=server.bucket, Key="b")["Body"].read() == b"1"


def test_a_quiet_delete_of_many_tells_nothing(server: Server) -> None:
    _put(server, b"1")
    answer = server.s3.delete_objects(Bucket=server.bucket, Delete={"Objects": [{"Key": KEY}], "Quiet": True})
    assert "Deleted" not in answer
    assert refusal(lambda: server.s3.get_object(Bucket=server.bucket, Key=KEY)) == (404, "NoSuchKey")


@pytest.mark.parametrize(("count", "is_refused"), [(1000, False), (1001, True)])
def test_at_most_a_thousand_are_deleted_in_one_request(count: int, is_refused: bool, server: Server) -> None:
    asked = {"Objects": [{"Key": str(number)} for number in range(count)], "Quiet": True}
    if is_refused:
        assert refusal(lambda: server.s3.delete_objects(Bucket=server.bucket, Delete=asked)) == (400, "MalformedXML")
    else:
        server.s3.delete_objects(Bucket=server.bucket, Delete=asked)


def test_versions_are_rolled_up_by_a_delimiter_with_their_markers(server: Server) -> None:
    _put(server, b"1", b"2", key="a/1")
    server.s3.delete_object(Bucket=server.bucket, Key="b")
    _put(server, b"1", key="c")
    listed = server.s3.list_object_versions(Bucket=server.bucket, Delimiter="/")
    assert [entry["Prefix"] for entry in listed["CommonPrefixes"]] == ["a/"]
    assert (keys(listed, "Versions"), keys(listed, "DeleteMarkers")) == (["c"], ["b"])


def test_a_suspended_bucket_keeps_its_versions_and_writes_over_the_null_one(server: Server) -> None:
    (kept,) = _put(server, b"1")
    server.s3.put_bucket_versioning(Bucket=server.bucket, VersioningConfiguration={"Status": "Suspended"})
    for body in (b"2", b"3"):
        server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=body)
    assert _ids(server.s3.list_object_versions(Bucket=server.bucket)) == ["null", kept]
    marker = server.s3.delete_object(Bucket=server.bucket, Key=KEY)
    assert (marker["DeleteMarker"], marker["VersionId"]) == (True, "null")
    listed = server.s3.list_object_versions(Bucket=server.bucket)
    assert (_ids(listed), _ids(listed, "DeleteMarkers")) == ([kept], ["null"])


def test_a_write_into_a_suspended_bucket_names_no_version_and_a_read_names_the_null_one(server: Server) -> None:
    server.s3.put_bucket_versioning(Bucket=server.bucket, VersioningConfiguration={"Status": "Suspended"})
    where = {"Bucket": server.bucket, "Key": KEY}
    upload_id = server.upload("parts", [b"a part"])
    written = [
        server.s3.put_object(**where, Body=b"1"),
        server.s3.copy_object(**where, CopySource=f"{server.bucket}/{KEY}", MetadataDirective="REPLACE"),
        server.complete("parts", upload_id),
    ]
    assert not [answer for answer in written if "VersionId" in answer]
    for key in (KEY, "parts"):
        for read in (server.s3.get_object, server.s3.head_object):
            assert read(Bucket=server.bucket, Key=key)["VersionId"] == "null"
