"""The commands about upload links: make, list and revoke."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
import typer
from rich.filesize import decimal
from rich.table import Table

from video_upload.command_output import (
    AsJson,
    OnBehalfOf,
    Profile,
    Reference,
    api_of,
    errors_console,
    exit_codes,
    print_json,
    results_console,
    writing_results,
)
from video_upload.confirmation import Yes, confirm
from video_upload.credentials import StoredCredentials
from video_upload.link_api import link_address
from video_upload.presentation import plain
from video_upload.private_files import default_home
from video_upload.schemas import NewUploadLink, UploadLink

link_app = typer.Typer(
    help="Upload links: anyone who has one can upload into your library without an account.", no_args_is_help=True
)

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgt]?)b?", re.IGNORECASE)
_DAY_SECONDS = 24 * 3600


def _size_bytes(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise typer.BadParameter(message="it is not a size: 500MB, 20GB, 1.5TB")
    return int(float(found[1]) * _UNITS[found[2].lower()])


@link_app.command()
def make(  # noqa: PLR0917 - typer calls it by name
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What the videos are for; shown to the uploader.")],
    note: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help="Shown with it.", show_default=False)
    ] = None,
    days: Annotated[float, typer.Option("--days", min=0.001, max=365, help="How long it is valid.")] = 7,
    videos: Annotated[int, typer.Option("--videos", min=1, max=1000, help="How many videos it takes.")] = 10,
    size: Annotated[
        int, typer.Option("--size", metavar="SIZE", parser=_size_bytes, help="All of them together: 20GB, 500MB.")
    ] = "50GB",  # pyrefly: ignore[bad-function-definition] - typer parses the default, too
    reference: Reference = None,
    on_behalf_of: OnBehalfOf = None,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Make an upload link and print its address. Anyone who has it can upload: treat it like a password."""
    with exit_codes(as_json=as_json):
        new = NewUploadLink(
            title=title,
            note=note,
            valid_seconds=max(60, int(days * _DAY_SECONDS)),
            max_videos=videos,
            max_bytes=size,
            reference=reference,
            on_behalf_of=on_behalf_of,
        )
        link = api_of(profile, errors_console(quiet=as_json)).make_link(new)
        address = _address(link, profile)
        if as_json:
            print_json({**_shown(link), "address": address})
        else:
            with writing_results():
                print(address)
            errors_console().print(
                f"Valid until {plain(link.expires_at)}. Revoke: video-upload link revoke {link.link_id}"
            )


@link_app.command(name="list")
def list_links(
    addresses: Annotated[
        bool, typer.Option("--addresses", help="Print the addresses of open links, too: anyone who has one can use it.")
    ] = False,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """List your upload links, newest first."""
    with exit_codes(as_json=as_json):
        links = api_of(profile, errors_console(quiet=as_json)).list_links()
        told = {link.link_id: _address(link, profile) for link in links if addresses and link.link_token}
        if as_json:
            print_json({"links": [{**_shown(link), "address": told.get(link.link_id)} for link in links]})
            return
        table = Table("id", "title", "state", "videos", "size", "until", *(["address"] if addresses else []), box=None)
        for link in links:
            table.add_row(
                *(link.link_id, plain(link.title), link.state, f"{link.used_videos} of {link.max_videos}"),
                f"{decimal(link.used_bytes)} of {decimal(link.max_bytes)}",
                *(link.expires_at, *([told.get(link.link_id, "")] if addresses else [])),
            )
        with writing_results():
            results_console().print(table)


@link_app.command()
def revoke(
    link_id: Annotated[str, typer.Argument(metavar="LINK_ID")],
    yes: Yes = False,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Revoke an upload link. Its unfinished uploads end, too."""
    confirm(f"Revoke the upload link {link_id}?", yes=yes)
    with exit_codes(as_json=as_json):
        revoked = api_of(profile, errors_console(quiet=as_json)).revoke_link(link_id)
        if as_json:
            print_json(revoked)
        else:
            errors_console().print(f"Revoked {plain(link_id)}.", highlight=False)


def _address(link: UploadLink, profile: str | None) -> str:
    return link_address(StoredCredentials(default_home(), profile).load().site_url, link.link_token or "")


def _shown(link: UploadLink) -> dict[str, Any]:
    """Without the token: output ends up in logs."""
    fields: dict[str, Any] = msgspec.to_builtins(link)
    return {name: value for name, value in fields.items() if name != "linkToken"}
