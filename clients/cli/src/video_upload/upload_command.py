"""The command that uploads."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from video_upload.api import VideoApi
from video_upload.backoff import Backoff, Interruption
from video_upload.batch_journal import BatchJournal
from video_upload.command_output import (
    AsJson,
    Description,
    OnBehalfOf,
    Profile,
    Reference,
    Tag,
    Title,
    Urls,
    api_of,
    errors_console,
    exit_codes,
    print_error,
    tell_silence,
)
from video_upload.connections import Connections
from video_upload.credentials import StoredCredentials
from video_upload.engine import DEFAULT_PARALLEL, NO_LABELS, NO_NAMES, UploadEngine
from video_upload.events import Report, UploadEvent, ignore_event
from video_upload.exit_codes import exit_code_of
from video_upload.file_selection import select_videos
from video_upload.link_api import LinkApi
from video_upload.private_files import default_home
from video_upload.rate_limit import RateLimit, parse_rate
from video_upload.schemas import Labels, MachineNames
from video_upload.site import accepted_containers
from video_upload.spooled_file import spooled_file
from video_upload.telemetry import Telemetry
from video_upload.upload_display import UploadDisplay
from video_upload.upload_journal import FOLDER, UnfinishedUploads
from video_upload.upload_run import DEFAULT_FILES, UploadRun, print_plan
from video_upload.uploads_elsewhere import UploadsElsewhere
from video_upload.video_file import VideoFile
from video_upload.video_types import CONTENT_TYPES

TellProgress = Annotated[
    bool,
    typer.Option(
        "--telemetry/--no-telemetry",
        envvar="VIDEO_UPLOAD_TELEMETRY",
        help="Report progress to the site's operators, if the site asks for it.",
    ),
]


def _rate_limit(text: str) -> RateLimit:
    try:
        return RateLimit(parse_rate(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


Files = Annotated[int, typer.Option("--files", "-f", min=1, max=64, help="Files uploaded at once.")]
Parallel = Annotated[int, typer.Option("--parallel", "-p", min=1, max=64, help="Parts sent at once, across all files.")]
LimitRate = Annotated[
    RateLimit | None,
    typer.Option(
        "--limit-rate",
        metavar="RATE",
        parser=_rate_limit,
        help="Maximum bytes per second for all parts together: 5MB, 500k, 1.5MiB.",
        show_default=False,
    ),
]
Link = Annotated[
    str | None,
    typer.Option(
        "--link",
        metavar="ADDRESS",
        help="Use an upload link: upload into its maker's library, without an account.",
        show_default=False,
    ),
]
Uploader = Annotated[
    str | None,
    typer.Option("--uploader", metavar="NAME", help="Your name, for the maker of the link.", show_default=False),
]


def upload(  # noqa: PLR0917 - typer calls it by name
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help=f"Videos ({' '.join(CONTENT_TYPES)}), folders that contain videos, or patterns; - with --name is the "
            "standard input.",
        ),
    ] = None,
    files: Files = DEFAULT_FILES,
    parallel: Parallel = DEFAULT_PARALLEL,
    limit_rate: LimitRate = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the video has been checked.")] = True,
    telemetry: TellProgress = True,
    files_from: Annotated[
        str | None,
        typer.Option(
            "--files-from",
            metavar="FILE",
            help="Read more sources from a file, separated by line breaks or NUL; - reads standard input.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="The file name of the video on the standard input. It is copied to this computer's disk first, and "
            "cannot be resumed.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the files that would be uploaded, and whether they resume.")
    ] = False,
    title: Title = None,
    description: Description = None,
    tag: Tag = None,
    link: Link = None,
    uploader: Uploader = None,
    reference: Reference = None,
    on_behalf_of: OnBehalfOf = None,
    urls: Urls = False,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Upload videos. Ctrl-C pauses; run the same command again to resume."""
    with exit_codes(as_json=as_json), ExitStack() as held:
        is_stream = sources == ["-"]
        if is_stream != (name is not None) or (is_stream and (files_from or dry_run)):
            raise typer.BadParameter(
                message="--name goes with - as the only source, and neither with --files-from nor --dry-run"
            )
        if (link is None) != (uploader is None):
            raise typer.BadParameter(message="--link and --uploader go together")
        if link and any((title, description, tag, reference, on_behalf_of, dry_run)):
            raise typer.BadParameter(message="--link takes videos alone: no labels, names and --dry-run")
        accepted = accepted_at(profile, link)
        if name is not None:
            spooled = spooled_file(sys.stdin.buffer, name, default_home(), accepted)
            sources = [str(held.enter_context(spooled))]
        sources = [*(sources or []), *(_listed_in(files_from) if files_from else [])]
        if not sources:
            raise typer.BadParameter(message="say what to upload: SOURCE or --files-from")
        upload_sources(
            sources,
            accepted=accepted,
            files=files,
            parallel=parallel,
            limit_rate=limit_rate,
            wait=wait,
            telemetry=telemetry,
            dry_run=dry_run,
            urls=urls,
            as_json=as_json,
            profile=profile,
            is_stream=is_stream,
            labels=Labels(title=title, description=description, tags=tuple(tag) if tag else None),
            names=MachineNames(reference=reference, on_behalf_of=on_behalf_of),
            link=(link, uploader) if link and uploader else None,
        )


def upload_sources(
    sources: list[str],
    *,
    accepted: frozenset[str],
    files: int,
    parallel: int,
    limit_rate: RateLimit | None,
    wait: bool = True,
    telemetry: bool,
    dry_run: bool,
    urls: bool = False,
    as_json: bool,
    profile: str | None,
    is_stream: bool = False,
    labels: Labels = NO_LABELS,
    names: MachineNames = NO_NAMES,
    link: tuple[str, str] | None = None,
    remember: Callable[[VideoFile, str], None] = lambda file, video_id: None,
) -> None:
    """Upload, and end the command with the code of what failed.

    accepted: containers that the site accepts. is_stream: the only source is a copy of the standard input.
    remember: told each file that has arrived.
    link: address of an upload link and the uploader's name, in place of a sign-in.
    """
    with ExitStack() as held:
        console = errors_console(quiet=as_json)
        interruption = Interruption()
        if link:
            api: VideoApi = LinkApi.at(
                *link, pause=interruption.pause, on_silence=lambda reason: tell_silence(console, "the site", reason)
            )
            wait, telemetry = False, False
        else:
            api = api_of(profile, console, interruption)
        elsewhere = UploadsElsewhere(api)
        unfinished = UnfinishedUploads(default_home() / FOLDER, api.url)
        # Every file is looked at before the first byte of any is sent.
        looking = UploadEngine(api, default_home(), unfinished=unfinished)
        selection = select_videos(sources, accepted, looking.goes_on)
        for refused in selection.refused:
            print_error(refused, as_json=as_json, file=refused.path)
        if len(selection.videos) > 1 and (labels.title or labels.description):
            raise typer.BadParameter(message="--title and --description go with a single file")
        if not selection.videos:
            raise typer.Exit(exit_code_of(selection.refused[0]))
        batch = BatchJournal(default_home(), api.url, sources)
        if dry_run:
            planning = UploadEngine(api, default_home(), elsewhere=elsewhere, unfinished=unfinished)
            print_plan(selection, batch, planning, as_json=as_json)
        connections = Connections(parallel)
        held.callback(connections.close)
        new_report = (lambda: ignore_event) if link else held.enter_context(_telemetry(profile, wanted=telemetry))

        def new_engine(show: Report) -> UploadEngine:
            tell = new_report()

            def report(event: UploadEvent) -> None:
                show(event)
                tell(event)

            return UploadEngine(
                api,
                default_home(),
                parallel=parallel,
                connections=connections,
                rate_limit=limit_rate,
                elsewhere=elsewhere,
                unfinished=unfinished,
                report=report,
                interruption=interruption,
                labels=labels,
                names=names,
            )

        run = UploadRun(
            selection=selection,
            batch=batch,
            new_engine=new_engine,
            interruption=interruption,
            files=files,
            wait=wait,
            as_json=as_json,
            urls=urls,
            is_stream=is_stream,
            remember=remember,
        )
        with UploadDisplay(console, len(selection.videos), selection.size_bytes) as display:
            run.upload_all(display)
        run.conclude()


def accepted_at(profile: str | None, link: str | None = None) -> frozenset[str]:
    """Containers that the site of the profile, or of the upload link, accepts. Raises NotSignedInError."""
    return accepted_containers(
        link.partition("#")[0] if link else StoredCredentials(default_home(), profile).load().site_url
    )


def _listed_in(name: str) -> list[str]:
    """Read sources as `find -print` and `find -print0` write them."""
    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    separator = b"\0" if b"\0" in content else b"\n"
    return [os.fsdecode(line) for line in content.split(separator) if line.strip()]


@contextmanager
def _telemetry(profile: str | None, *, wanted: bool) -> Generator[Callable[[], Report]]:
    """Report each file's progress to sites that ask for it, and to no others."""
    credentials = StoredCredentials(default_home(), profile)
    signed_in = credentials.load()
    if not wanted or not signed_in.tell_progress:
        yield lambda: ignore_event
        return
    # One try a call: what does not arrive goes with a later one.
    with Telemetry(VideoApi(signed_in.api_url, credentials, backoff=Backoff(tries=1))) as telemetry:
        yield telemetry.for_upload
