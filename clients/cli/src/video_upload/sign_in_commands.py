"""Sign-in commands: login, logout, account, profiles."""

from __future__ import annotations

import os
import sys
import webbrowser
from typing import Annotated

import typer

from video_upload.command_output import (
    AsJson,
    Profile,
    errors_console,
    exit_codes,
    print_result,
)
from video_upload.credentials import CLIENT_SECRET_VARIABLE, SignIn, StoredCredentials
from video_upload.errors import KeyringUnavailableError, SignInError
from video_upload.os_keyring import OsKeyring
from video_upload.presentation import plain, print_profiles
from video_upload.private_files import default_home
from video_upload.profiles import DEFAULT_PROFILE, NAME, Profiles
from video_upload.sign_in import sign_in, sign_in_machine
from video_upload.site import account_page

profiles_app = typer.Typer(help="List the sign-ins of this computer, or choose the one to use.")


def login(  # noqa: PLR0917 - typer calls it by name
    site_url: Annotated[str, typer.Argument(metavar="SITE_URL", help="The site's address, as in a browser.")],
    profile: Annotated[
        str | None,
        typer.Option("--profile", help="Name of this sign-in; the default is the site's stage.", show_default=False),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, or only print the address to open.")
    ] = True,
    client_id: Annotated[
        str | None,
        typer.Option(
            "--client-id",
            metavar="ID",
            help=f"Sign a program in, with its secret from {CLIENT_SECRET_VARIABLE}, the keyring or a prompt.",
            show_default=False,
        ),
    ] = None,
    secret_from_stdin: Annotated[
        bool, typer.Option("--client-secret-stdin", help="Read the program's secret from standard input.")
    ] = False,
    keyring: Annotated[
        bool, typer.Option("--keyring/--no-keyring", help="Store the tokens in the keyring, or in a private file.")
    ] = True,
) -> None:
    """Sign in to a site: a person in the browser, a program by its client credentials."""

    with exit_codes():
        os_keyring = OsKeyring()
        if client_id is None:
            signed_in = sign_in(site_url, lambda url: _show_url(url, browser=browser))
        else:
            signed_in = _sign_in_program(site_url, client_id, os_keyring, from_stdin=secret_from_stdin)
        name = profile or _profile_named_after(signed_in)
        credentials = StoredCredentials(default_home(), name, os_keyring)
        tokens_in = credentials.store_safely(signed_in) if keyring else credentials.store(signed_in)
        Profiles(default_home()).use(name)
        where = "in the keyring" if tokens_in == "keyring" else "in a file that only you can read"
        errors_console().print(
            f"Signed in to {plain(signed_in.site_url)} as profile {plain(name)}; the tokens are {where}.",
            highlight=False,
            soft_wrap=True,
        )


def _show_url(url: str, *, browser: bool) -> None:
    if not (browser and webbrowser.open(url)):
        errors_console().print("Open this address in a browser on this computer:", highlight=False)
        print(url, flush=True)


def _profile_named_after(signed_in: SignIn) -> str:
    return signed_in.stage if NAME.fullmatch(signed_in.stage) else DEFAULT_PROFILE


def _sign_in_program(site_url: str, client_id: str, keyring: OsKeyring, *, from_stdin: bool) -> SignIn:
    """A secret that stays where it came from (environment, the operator's keyring) is not stored again."""
    if from_stdin:
        secret = sys.stdin.readline().strip()
    else:
        given = os.environ.get(CLIENT_SECRET_VARIABLE)
        if given:
            return sign_in_machine(site_url, client_id, given)
        secret = _secret_of_keyring(client_id, keyring)
        if secret is None and sys.stdin.isatty():
            secret = typer.prompt(f"Secret of {client_id}", hide_input=True, err=True)
    if not secret:
        raise SignInError(
            f"There is no secret for {client_id}: set {CLIENT_SECRET_VARIABLE} or give --client-secret-stdin."
        )
    return sign_in_machine(site_url, client_id, secret, keep_secret=True)


def _secret_of_keyring(client_id: str, keyring: OsKeyring) -> str | None:
    try:
        return keyring.read(client_id)
    except KeyringUnavailableError:
        return None


def logout(profile: Profile = None) -> None:
    """Sign out and delete the stored tokens."""
    with exit_codes():
        was_signed_in = StoredCredentials(default_home(), profile).forget()
        errors_console().print("Signed out." if was_signed_in else "You were not signed in.")


def account(
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, or only print the address to open.")
    ] = True,
    profile: Profile = None,
) -> None:
    """Set up, test or remove an authenticator app, in the browser."""
    with exit_codes():
        signed_in = StoredCredentials(default_home(), profile).load()
        _show_url(account_page(signed_in.site_url), browser=browser)


@profiles_app.callback(invoke_without_command=True)
def list_profiles(context: typer.Context, as_json: AsJson = False) -> None:
    """List the sign-ins of this computer, or choose the one to use (`profiles use NAME`)."""
    if context.invoked_subcommand is not None:
        return
    with exit_codes(as_json=as_json):
        home = default_home()
        profiles = Profiles(home)
        lines = [
            {"name": name, "current": name == profiles.current, **StoredCredentials(home, name).describe()}
            for name in profiles.names()
        ]
        print_result({"profiles": lines}, lambda console: print_profiles(console, lines), as_json=as_json)


@profiles_app.command(name="use")
def use_profile(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Use this sign-in by default, when no --profile is given."""
    with exit_codes():
        Profiles(default_home()).use(name)
        errors_console().print(f"Using {plain(name)}.", highlight=False)
