"""Run the Video Upload Platform on this machine, without AWS.

Every process listens on 127.0.0.1 only, and all data is below one folder. Ctrl-C stops everything.
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from chalicelib.environment import stand_in_environment
from local.api_environment import REPOSITORY
from local.child_process import ChildFailedError
from local.log_lines import readable
from local.platform import DataDirBusyError, DataDirError, LocalPlatform, Ports, PortTakenError, reset
from local.sign_in.second_factors import Mfa
from local.stop_signals import stop_signals


def main() -> int:
    arguments = _arguments()
    data_dir: Path = arguments.data
    stop = stop_signals()
    print("Starting …", flush=True)
    try:
        if arguments.reset:
            reset(data_dir)
        ports = Ports(arguments.port, arguments.aws_port, arguments.sign_in_port, arguments.company_port)
        with LocalPlatform(
            data_dir=data_dir,
            ports=ports,
            aws_only=arguments.aws_only,
            page_origins=arguments.page_origin,
            mfa=arguments.mfa,
            company_domain=arguments.company or "",
            local_users=not arguments.no_local_users,
            api_variables={
                **_notification_variables(arguments),
                **({"MALWARE_SCAN": "true"} if arguments.malware_scan else {}),
                **({"RENDITIONS": "true"} if arguments.renditions else {}),
            },
            on_line=_printer(verbose=arguments.verbose),
        ) as platform:
            for email in arguments.administrator:
                # A company's people become administrators through a group of the company.
                is_of_company = arguments.company and email.lower().endswith(f"@{arguments.company}")
                (platform.company if is_of_company and platform.company else platform.sign_in).appoint_administrator(
                    email
                )
            print(welcome(platform, aws_only=arguments.aws_only, local_users=not arguments.no_local_users), flush=True)
            stop.get()
            print("\nStopping …", flush=True)
    except (ChildFailedError, DataDirBusyError, DataDirError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except PortTakenError as error:
        print(
            f"error: {error}. Is another platform running? For other ports: "
            'make run ARGS="--port 9000 --aws-port 9001 --sign-in-port 9002"',
            file=sys.stderr,
        )
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=_port, default=8000, help="port of the page and its API (default: %(default)s)")
    parser.add_argument(
        "--aws-port", type=_port, default=8001, help="port of the stand-in for AWS (default: %(default)s)"
    )
    parser.add_argument(
        "--sign-in-port", type=_port, default=8002, help="port of the hosted sign-in (default: %(default)s)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=REPOSITORY / ".data",
        metavar="DIR",
        help="folder for all data (default: %(default)s)",
    )
    parser.add_argument("--reset", action="store_true", help="delete all data, then start")
    parser.add_argument(
        "--aws-only", action="store_true", help="do not start API, page and /status, for use with `chalice local`"
    )
    parser.add_argument(
        "--page-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="origin of another page that may call API and storage, such as http://localhost:5173; may be repeated",
    )
    parser.add_argument(
        "--mfa",
        type=Mfa,
        choices=list(Mfa),
        default=Mfa.OPTIONAL,
        help="second factor by an authenticator app (default: %(default)s)",
    )
    parser.add_argument(
        "--company",
        type=_domain,
        metavar="DOMAIN",
        help="run a company's sign-in as well, for people with this mail domain, as in acme.example",
    )
    parser.add_argument(
        "--company-port", type=_port, default=8003, help="port of the company's sign-in (default: %(default)s)"
    )
    parser.add_argument(
        "--no-local-users", action="store_true", help="let only the company's people sign in; needs --company"
    )
    parser.add_argument(
        "--administrator",
        action="append",
        default=[],
        metavar="EMAIL",
        help="make a person an administrator, and create the account if it is missing; may be repeated",
    )
    parser.add_argument(
        "--webhook",
        action="append",
        default=[],
        type=_webhook,
        metavar="NAME=URL",
        help="notify a receiver on this machine of events of videos, as in mine=http://127.0.0.1:9000/hook; "
        "prints the signing secret; may be repeated",
    )
    parser.add_argument("--event-bus", metavar="NAME", help="also publish the events on an event bus of the stand-in")
    parser.add_argument(
        "--malware-scan",
        action="store_true",
        help="scan videos for malware: with ClamAV's daemon if it runs, else for the EICAR test file only",
    )
    parser.add_argument(
        "--renditions",
        action="store_true",
        help="make an MP4 of each video that some browsers do not play: a copy, or a conversion by this machine",
    )
    parser.add_argument("--verbose", action="store_true", help="print the output of all processes")
    arguments = parser.parse_args()
    if arguments.no_local_users and not arguments.company:
        parser.error("--no-local-users needs --company: nobody could sign in")
    return arguments


def _notification_variables(arguments: argparse.Namespace) -> dict[str, str]:
    return {"WEBHOOKS": ",".join(arguments.webhook), "EVENT_BUS_NAME": arguments.event_bus or ""}


def _webhook(text: str) -> str:
    if re.fullmatch(r"[a-z0-9]{1,16}=https?://[^\s,]+", text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=URL with a name of 1 to 16 lower-case letters and digits")


def _domain(text: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9]{0,31}(\.[a-z0-9-]+)+", text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is not a mail domain in lower case, as in acme.example")


def _port(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port: 1 to 65535")


def _printer(*, verbose: bool) -> Callable[[str, str], None]:
    def on_line(process: str, line: str) -> None:
        shown = line if verbose else readable(line)
        if shown is not None:
            print(f"{process}: {shown}", flush=True)

    return on_line


def welcome(platform: LocalPlatform, *, aws_only: bool, local_users: bool = True) -> str:
    """Next steps for a person at a terminal."""
    demo = platform.sign_in.demo_user
    behind = [
        f"  The stand-in for AWS  {platform.stand_in_url}",
        f"  The sign-in           {platform.sign_in.authority_url}",
    ]
    if aws_only:
        lines = ["", *behind, "", f"  The API               {_chalice_command(platform)}"]
    else:
        lines = [
            "",
            f"  The page              {platform.site_url}",
            f"  The status            {platform.status_url}",
            *behind,
            "",
            "  From a terminal       .venv/bin/video-upload login " + platform.site_url,
            "                        .venv/bin/video-upload upload FILE",
        ]
    if local_users:
        lines += ["", f"  Sign in as            {demo.email}", f"  with the password     {demo.password}"]
    if platform.company:
        of_company = platform.company.demo_user
        lines += ["", f"  At the company, as    {of_company.email}", f"  with the password     {of_company.password}"]
    lines += [
        "",
        "  Ctrl-C stops everything.",
    ]
    return "\n".join(lines)


def _chalice_command(platform: LocalPlatform) -> str:
    """Addresses are printed if they differ from those in chalice_app/.chalice/config.json."""
    usual = stand_in_environment()
    addresses = {"AWS_ENDPOINT_URL": platform.stand_in_url, "TOKEN_ISSUER": platform.sign_in.authority_url}
    others = [f"{name}={url}" for name, url in addresses.items() if url != usual[name]]
    return " ".join(["cd chalice_app &&", *others, "../.venv/bin/chalice local"])


if __name__ == "__main__":
    sys.exit(main())
