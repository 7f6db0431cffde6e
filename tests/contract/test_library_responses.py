"""The Python library reads and writes the contract's own bodies, which it does not import."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.contract import errors, requests, responses
from chalicelib.contract.fields import MAX_DELETIONS
from chalicelib.core import video_types as core
from chalicelib.core.errors import UnsupportedVideoTypeError
from chalicelib.core.index.queries import Sort
from chalicelib.core.media.errors import ContainerNotAcceptedError
from video_upload import api, command_output, video_types
from video_upload import schemas as library
from video_upload.errors import FileRefusedError

REPOSITORY = Path(__file__).parents[2]

RESPONSES: dict[type[msgspec.Struct], type[msgspec.Struct]] = {
    library.PresignedPart: responses.PresignedPart,
    library.StartedUpload: responses.StartedUpload,
    library.SignedParts: responses.SignedParts,
    library.StoredPart: responses.StoredPart,
    library.StoredUpload: responses.StoredUpload,
    library.Completion: responses.Completion,
    library.StatusResponse: responses.AbortedUpload,
    library.DeletedVideo: responses.DeletedVideo,
    library.OpenUpload: responses.OpenUpload,
    library.OpenUploads: responses.OpenUploads,
    library.VideoTrack: responses.VideoTrack,
    library.AudioTrack: responses.AudioTrack,
    library.Obstacle: responses.Obstacle,
    library.Playability: responses.Playability,
    library.Thumbnails: responses.Thumbnails,
    library.Media: responses.Media,
    library.Rejection: responses.Rejection,
    library.Rendition: responses.Rendition,
    library.Usage: responses.Usage,
    library.Video: responses.Video,
    library.VideoPage: responses.VideoPage,
    library.ListedVideo: responses.ListedVideo,
    library.StageVideoPage: responses.StageVideoPage,
    library.StageVideo: responses.StageVideo,
    library.DeletedStageVideo: responses.DeletedStageVideo,
    library.VideoDeletion: responses.VideoDeletion,
    library.DeletedVideos: responses.DeletedVideos,
    library.StageVideoDeletion: responses.StageVideoDeletion,
    library.DeletedStageVideos: responses.DeletedStageVideos,
    library.StageUsage: responses.StageUsage,
    library.Health: responses.Health,
    library.ProgressResponse: responses.AcceptedProgress,
    library.UploadLink: responses.UploadLink,
    library.UploadLinks: responses.UploadLinks,
    library.RevokedLink: responses.RevokedLink,
}
REQUESTS: dict[type[msgspec.Struct], type[msgspec.Struct]] = {
    library.NewUpload: requests.NewUpload,
    library.NewLinkUpload: requests.NewLinkUpload,
    library.NewUploadLink: requests.NewUploadLink,
    library.VideoChanges: requests.VideoChanges,
    library.VideosToDelete: requests.VideosToDelete,
    library.StageVideoName: requests.StageVideoName,
    library.StageVideosToDelete: requests.StageVideosToDelete,
    library.PartToSign: requests.PartToSign,
    library.CompletedPart: requests.CompletedPart,
    library.CompleteUpload: requests.PartsToComplete,
    library.ProgressBatch: requests.ProgressBatch,
}
APART = {
    library.Body,
    library.Labels,
    library.MachineNames,
    library.ErrorDetail,
    library.ErrorResponse,
    library.SiteConfig,
}
"""The bases; errors, of which the library reads any code; and the site's config.json, which is not the API's."""


def fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def plain(kind: Any) -> Any:
    """A type as far as JSON tells types apart: without bounds and closed sets of texts."""
    ((schema,), _) = msgspec.json.schema_components([kind])
    return _plain_schema(schema)


def _plain_schema(schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return "object"
    if "anyOf" in schema:
        kinds = {str(_plain_schema(each)) for each in schema["anyOf"]}
        return kinds.pop() if len(kinds) == 1 else tuple(sorted(kinds))
    if "enum" in schema:
        return "integer" if all(isinstance(value, int) for value in schema["enum"]) else "string"
    if schema.get("type") == "array":
        return [_plain_schema(schema.get("items", {}))]
    return schema.get("type", "object")


def test_every_type_of_the_library_stands_beside_one_of_the_contract() -> None:
    kinds = {kind for kind in vars(library).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)}
    assert kinds == {*RESPONSES, *REQUESTS, *APART}


@pytest.mark.parametrize("kind", RESPONSES, ids=lambda kind: kind.__name__)
def test_the_library_reads_no_field_that_the_api_does_not_answer(kind: type[msgspec.Struct]) -> None:
    ours, theirs = fields(kind), fields(RESPONSES[kind])
    assert set(ours) <= set(theirs)
    for name, field in ours.items():
        read, answered = plain(field.type), plain(theirs[name].type)
        accepted = {read} if isinstance(read, str) else {*read} if isinstance(read, tuple) else None
        given = {answered} if isinstance(answered, str) else {*answered} if isinstance(answered, tuple) else None
        if accepted is None or given is None:
            assert read == answered, name
        else:
            # A whole number is read where any number is.
            assert given - ({"integer"} if "number" in accepted else set()) <= accepted, name


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)
def test_the_library_sends_what_the_api_takes(kind: type[msgspec.Struct]) -> None:
    ours, theirs = fields(kind), fields(REQUESTS[kind])
    assert set(ours) <= set(theirs)
    assert {name for name, field in theirs.items() if field.required} <= set(ours)


def test_the_clients_know_the_orders_and_the_limit_of_deletions_of_the_api() -> None:
    assert {order.value for order in command_output.Sort} == {order.value for order in Sort}
    page = (REPOSITORY / "clients" / "uploader" / "src" / "api.ts").read_text()
    (in_the_page,) = re.findall(r"const MOST_DELETIONS = (\d+);", page)
    assert api.MOST_DELETIONS == int(in_the_page) == MAX_DELETIONS


def test_the_library_reads_the_one_shape_of_errors() -> None:
    schema = errors.error_schema("x", {}, "")["properties"]["error"]
    assert set(fields(library.ErrorDetail)) == set(schema["properties"])


def test_the_library_refuses_what_a_stage_does_not_accept_in_the_words_of_the_platform() -> None:
    accepted = frozenset({core.Container.MP4, core.Container.WEBM})
    with pytest.raises(UnsupportedVideoTypeError) as named:
        core.require_video_type("a.ogv", "video/ogg", accepted)
    with pytest.raises(FileRefusedError) as refused:
        video_types.content_type_of(Path("a.ogv"), accepted)
    assert named.value.message.endswith(f" is {refused.value.problem}")
    with pytest.raises(FileRefusedError) as refused:
        video_types.require_video(Path("a.mp4"), b"OggS".ljust(core.SIGNATURE_BYTES), accepted)
    assert refused.value.problem == ContainerNotAcceptedError(core.Container.OGG, accepted).message
