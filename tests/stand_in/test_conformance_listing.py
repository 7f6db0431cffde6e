"""Listings as S3 gives them: order, prefixes, delimiters, markers, pages, encoded names, owners."""

import re
from typing import Any

import pytest

from tests.stand_in.s3_answers import keys, make_plain_bucket, prefixes, put_all, refusal, unchecked_s3
from tests.stand_in.server_process import Server, send

TREE = ("asdf", "boo/bar", "boo/baz/xyzzy", "cquux/thud", "cquux/bla")


@pytest.mark.parametrize(
    ("asked", "found_keys", "found_prefixes"),
    [
        ({}, ["asdf", "boo/bar", "boo/baz/xyzzy", "cquux/bla", "cquux/thud"], []),
        ({"Delimiter": "/"}, ["asdf"], ["boo/", "cquux/"]),
        ({"Delimiter": "/", "Prefix": "boo/"}, ["boo/bar"], ["boo/baz/"]),
        ({"Delimiter": "/", "Prefix": "boo"}, [], ["boo/"]),
        ({"Prefix": "boo/"}, ["boo/bar", "boo/baz/xyzzy"], []),
        ({"Prefix": "nothing"}, [], []),
        ({"Delimiter": "z", "Prefix": "boo/"}, ["boo/bar"], ["boo/baz"]),
        ({"Delimiter": "not there"}, ["asdf", "boo/bar", "boo/baz/xyzzy", "cquux/bla", "cquux/thud"], []),
        ({"Delimiter": "oo/"}, ["asdf", "cquux/bla", "cquux/thud"], ["boo/"]),
        ({"MaxKeys": 0}, [], []),
    ],
    ids=str,
)
@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_object_versions"])
def test_a_listing_holds_what_prefix_and_delimiter_leave(
    operation: str, asked: dict[str, Any], found_keys: list[str], found_prefixes: list[str], server: Server
) -> None:
    put_all(server, *TREE)
    listing = getattr(server.s3, operation)(Bucket=server.bucket, **asked)
    element = "Versions" if operation == "list_object_versions" else "Contents"
    assert (keys(listing, element), prefixes(listing)) == (found_keys, found_prefixes)
    assert not listing["IsTruncated"]
    assert listing["MaxKeys"] == asked.get("MaxKeys", 1000)
    assert listing.get("Delimiter", "") == asked.get("Delimiter", "")


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_object_versions"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_with_a_delimiter_hold_every_key_and_prefix_once(operation: str, size: int, server: Server) -> None:
    put_all(server, *TREE, "boo", "boo/", "d/e")
    found: list[str] = []
    pages = server.s3.get_paginator(operation).paginate(
        Bucket=server.bucket, Delimiter="/", PaginationConfig={"PageSize": size}
    )
    for page in pages:
        entries = keys(page, "Versions" if operation == "list_object_versions" else "Contents") + prefixes(page)
        assert len(entries) <= size
        found += entries
    assert sorted(found) == ["asdf", "boo", "boo/", "cquux/", "d/"]


def test_the_older_listing_names_its_next_marker_only_beside_a_delimiter(server: Server) -> None:
    put_all(server, *TREE)
    plain = server.s3.list_objects(Bucket=server.bucket, MaxKeys=2)
    assert plain["IsTruncated"]
    assert "NextMarker" not in plain
    rolled = server.s3.list_objects(Bucket=server.bucket, MaxKeys=2, Delimiter="/")
    assert (keys(rolled), prefixes(rolled), rolled["NextMarker"]) == (["asdf"], ["boo/"], "boo/")
    rest = server.s3.list_objects(Bucket=server.bucket, Delimiter="/", Marker=rolled["NextMarker"])
    assert (keys(rest), prefixes(rest), rest["Marker"]) == ([], ["cquux/"], "boo/")
    assert "NextMarker" not in rest


@pytest.mark.parametrize(
    ("marker", "found"),
    [("", ["a", "b", "c"]), ("a", ["b", "c"]), ("aa", ["b", "c"]), ("c", []), ("zzz", []), ("\n", ["a", "b", "c"])],
)
def test_a_listing_goes_on_behind_its_marker_whether_or_not_that_is_a_key(
    marker: str, found: list[str], server: Server
) -> None:
    put_all(server, "a", "b", "c")
    assert keys(server.s3.list_objects(Bucket=server.bucket, Marker=marker)) == found
    assert keys(server.s3.list_objects_v2(Bucket=server.bucket, StartAfter=marker)) == found


def test_a_continuation_token_outweighs_where_the_listing_was_to_start(server: Server) -> None:
    put_all(server, "a", "b", "c", "d")
    first = server.s3.list_objects_v2(Bucket=server.bucket, StartAfter="a", MaxKeys=1)
    assert (keys(first), first["KeyCount"], first["StartAfter"]) == (["b"], 1, "a")
    token = first["NextContinuationToken"]
    rest = server.s3.list_objects_v2(Bucket=server.bucket, StartAfter="a", ContinuationToken=token)
    assert (keys(rest), rest["ContinuationToken"]) == (["c", "d"], token)


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("list_objects_v2", {"ContinuationToken": "no token"}),
        ("list_objects_v2", {"EncodingType": "base64"}),
        ("list_objects", {"EncodingType": "base64"}),
        ("list_object_versions", {"VersionIdMarker": "x"}),
        ("list_object_versions", {"KeyMarker": "a", "VersionIdMarker": "x"}),
    ],
    ids=str,
)
def test_a_listing_refuses_markers_and_encodings_that_it_never_gave_out(
    operation: str, asked: dict[str, Any], server: Server
) -> None:
    put_all(server, "a")
    assert refusal(lambda: getattr(server.s3, operation)(Bucket=server.bucket, **asked)) == (400, "InvalidArgument")


@pytest.mark.parametrize("size", ["blah", "-1", "1.5", "²"])
@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_object_versions"])
def test_a_page_size_that_is_not_a_number_is_refused(operation: str, size: str, server: Server) -> None:
    s3 = unchecked_s3(server)
    found = refusal(lambda: getattr(s3, operation)(Bucket=server.bucket, MaxKeys=size))
    assert found == (400, "InvalidArgument")


def test_a_listing_holds_at_most_a_thousand_whatever_was_asked_for(server: Server) -> None:
    put_all(server, "a")
    listing = server.s3.list_objects_v2(Bucket=server.bucket, MaxKeys=5000)
    assert (listing["MaxKeys"], listing["KeyCount"]) == (1000, 1)


def test_names_are_encoded_when_the_client_asks_for_it(server: Server) -> None:
    key = "foo+1/b r\n&ü"
    put_all(server, key)
    for kind, operation in (("list-type=2&", "list_objects_v2"), ("versions=&", "list_object_versions")):
        asked = {"Bucket": server.bucket, "EncodingType": "url", "Delimiter": "&"}
        raw = send("GET", server.s3.generate_presigned_url(operation, Params=asked)).body.decode()
        assert "<Prefix>foo%2B1/b%20r%0A%26</Prefix>" in raw, kind
        assert "<Delimiter>%26</Delimiter>" in raw
        assert "<EncodingType>url</EncodingType>" in raw
        # botocore asks for the encoding by itself and undoes it.
        listing = getattr(server.s3, operation)(Bucket=server.bucket)
        assert keys(listing, "Contents" if "Contents" in listing else "Versions") == [key]


def test_one_owner_stands_everywhere_and_has_the_form_of_a_canonical_user_id(server: Server) -> None:
    put_all(server, "a")
    upload_id = server.upload("b", [b"x"])
    where = {"Bucket": server.bucket}
    (older,) = server.s3.list_objects(**where)["Contents"]
    (newer,) = server.s3.list_objects_v2(**where, FetchOwner=True)["Contents"]
    (version,) = server.s3.list_object_versions(**where)["Versions"]
    parts = server.s3.list_parts(**where, Key="b", UploadId=upload_id)
    (upload,) = server.s3.list_multipart_uploads(**where)["Uploads"]
    owners = [older["Owner"], newer["Owner"], version["Owner"], parts["Owner"], parts["Initiator"], upload["Owner"]]
    owners += [server.s3.list_buckets()["Owner"], server.s3.get_bucket_acl(**where)["Owner"]]
    assert len({owner["ID"] for owner in owners}) == 1
    assert re.fullmatch("[0-9a-f]{64}", owners[0]["ID"])
    assert "Owner" not in server.s3.list_objects_v2(**where)["Contents"][0]


def test_a_listed_object_is_as_its_head_tells(server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key="a", Body=b"abc", StorageClass="STANDARD_IA")
    (listed,) = server.s3.list_objects_v2(Bucket=server.bucket)["Contents"]
    head = server.s3.head_object(Bucket=server.bucket, Key="a")
    assert (listed["Size"], listed["ETag"], listed["StorageClass"]) == (3, head["ETag"], head["StorageClass"])
    assert listed["LastModified"].replace(microsecond=0) == head["LastModified"]
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (["CRC64NVME"], "FULL_OBJECT")


def test_a_bucket_that_is_not_there_has_no_listing(server: Server) -> None:
    for operation in ("list_objects", "list_objects_v2", "list_object_versions", "list_multipart_uploads"):
        assert refusal(lambda name=operation: getattr(server.s3, name)(Bucket="nobodys")) == (404, "NoSuchBucket")


def test_uploads_are_listed_by_prefix_and_rolled_up_by_delimiter(server: Server) -> None:
    for key in ("a", "b/1", "b/2", "c/1"):
        server.upload(key, [])
    listing = server.s3.list_multipart_uploads(Bucket=server.bucket, Delimiter="/")
    assert (keys(listing, "Uploads"), prefixes(listing)) == (["a"], ["b/", "c/"])
    inside = server.s3.list_multipart_uploads(Bucket=server.bucket, Delimiter="/", Prefix="b/")
    assert (keys(inside, "Uploads"), prefixes(inside)) == (["b/1", "b/2"], [])
    first = server.s3.list_multipart_uploads(Bucket=server.bucket, Delimiter="/", MaxUploads=2)
    assert (keys(first, "Uploads"), prefixes(first), first["NextKeyMarker"]) == (["a"], ["b/"], "b/")
    rest = server.s3.list_multipart_uploads(Bucket=server.bucket, Delimiter="/", KeyMarker=first["NextKeyMarker"])
    assert (keys(rest, "Uploads"), prefixes(rest), rest["IsTruncated"]) == ([], ["c/"], False)


def test_an_unversioned_bucket_lists_its_objects_as_null_versions(server: Server) -> None:
    bucket = make_plain_bucket(server)
    for body in (b"1", b"2"):
        answer = server.s3.put_object(Bucket=bucket, Key="a", Body=body)
        assert "VersionId" not in answer
    (version,) = server.s3.list_object_versions(Bucket=bucket)["Versions"]
    assert (version["VersionId"], version["IsLatest"], version["Size"]) == ("null", True, 1)
    assert "VersionId" not in server.s3.delete_object(Bucket=bucket, Key="a")
    assert "Versions" not in server.s3.list_object_versions(Bucket=bucket)
