"""Playback and posters through CloudFront."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from chalicelib.core.video_record import VideoRecord
from chalicelib.core.viewing_urls import MAX_CACHEABLE_BYTES, CloudFrontViewingUrls
from tests.in_memory_platform import OWNER, InMemoryPlatform


class KeyInMemory:
    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.signatures = 0

    def sign(self, message: bytes) -> bytes:
        self.signatures += 1
        return self.key.sign(message, ec.ECDSA(SHA256()))


def ready_record(platform: InMemoryPlatform, owner: str = OWNER) -> VideoRecord:
    transfer = platform.start(size_bytes=4096, owner=owner)
    transfer.send_and_complete()
    platform.process(transfer)
    record = platform.records.find(transfer.token.ref)
    assert record
    return record


def cloudfront(platform: InMemoryPlatform, signer: KeyInMemory) -> CloudFrontViewingUrls:
    return CloudFrontViewingUrls(
        site_url="https://videos.example.org", key_pair_id="K1", signer=signer, ttl_seconds=900, now=platform.clock
    )


def from_cloudfront_base64(text: str) -> bytes:
    return base64.b64decode(text.translate(str.maketrans("-_~", "+=/")))


def admits(policy: dict[str, Any], url: str) -> bool:
    """Match as CloudFront does: `*` stands for any characters, those of a query included."""
    (statement,) = policy["Statement"]
    start, _, rest = statement["Resource"].partition("*")
    assert rest == ""
    return url.startswith(start)


def test_a_signed_url_is_one_that_cloudfront_verifies(platform: InMemoryPlatform) -> None:
    signer = KeyInMemory()
    record = ready_record(platform)
    urls, expires_at = cloudfront(platform, signer).for_viewing([record])
    for url in (urls[record.video_id].poster_url, urls[record.video_id].playback_url):
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        policy = from_cloudfront_base64(query["Policy"])
        signer.key.public_key().verify(from_cloudfront_base64(query["Signature"]), policy, ec.ECDSA(SHA256()))
        assert (query["Key-Pair-Id"], query["Hash-Algorithm"]) == ("K1", "SHA256")
        (statement,) = json.loads(policy)["Statement"]
        assert statement["Condition"] == {"DateLessThan": {"AWS:EpochTime": int(expires_at.timestamp())}}
        assert admits(json.loads(policy), url)


def test_one_users_url_opens_no_other_users_folder_not_even_by_its_query(platform: InMemoryPlatform) -> None:
    record = ready_record(platform, "owner-a")
    urls, _ = cloudfront(platform, KeyInMemory()).for_viewing([record])
    query = parse_qs(urlsplit(urls[record.video_id].playback_url).query)
    policy = json.loads(from_cloudfront_base64(query["Policy"][0]))
    for foreign in (
        "https://videos.example.org/media/videos/owner-b/1",
        "https://videos.example.org/media/videos/owner-b/1?x=/media/videos/owner-a/1",
        "https://videos.example.org/media/videos/owner-a-too/1",
        "https://videos.example.org/media/posters/owner-a/1.jpg",
    ):
        assert not admits(policy, foreign)


def test_urls_for_one_video_open_no_other_of_its_owner(platform: InMemoryPlatform) -> None:
    record, other = ready_record(platform), ready_record(platform)
    source = cloudfront(platform, KeyInMemory())
    source.for_viewing([record])
    urls, expires_at = source.for_one(record)
    assert expires_at - platform.clock() == timedelta(seconds=900)
    for url, foreign in (
        (urls.playback_url, f"https://videos.example.org/media/{other.ref.file_key}"),
        (urls.poster_url, f"https://videos.example.org/media/{other.ref.poster_key}"),
    ):
        policy = json.loads(from_cloudfront_base64(parse_qs(urlsplit(url).query)["Policy"][0]))
        (statement,) = policy["Statement"]
        assert statement["Resource"] == url.partition("?")[0]
        assert "*" not in statement["Resource"]
        assert not admits(policy, foreign)


def test_a_whole_page_of_videos_costs_two_signatures_until_half_their_life_is_over(platform: InMemoryPlatform) -> None:
    signer = KeyInMemory()
    source = cloudfront(platform, signer)
    records = [ready_record(platform) for _ in range(3)]
    source.for_viewing(records)
    platform.clock.pass_time(seconds=400)
    urls, expires_at = source.for_viewing(records)
    assert len(urls) == 3
    assert signer.signatures == 2
    assert expires_at - platform.clock() == timedelta(seconds=500)
    platform.clock.pass_time(seconds=100)
    source.for_viewing(records)
    assert signer.signatures == 4


def test_a_video_too_large_for_the_cache_plays_where_nothing_is_cached(platform: InMemoryPlatform) -> None:
    source = cloudfront(platform, KeyInMemory())
    for size_bytes, folder in (
        (MAX_CACHEABLE_BYTES, "/media/videos/"),
        (MAX_CACHEABLE_BYTES + 1, "/media/large/videos/"),
    ):
        record = replace(ready_record(platform), size_bytes=size_bytes)
        urls, _ = source.for_viewing([record])
        url = urlsplit(urls[record.video_id].playback_url)
        assert url.path == f"{folder}{record.owner}/{record.video_id}"
        policy = json.loads(from_cloudfront_base64(parse_qs(url.query)["Policy"][0]))
        assert admits(policy, f"https://videos.example.org{url.path}")
