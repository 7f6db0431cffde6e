"""Run the sign-in alone: python -m local.sign_in."""

import argparse
from pathlib import Path

from local.sign_in.clients import DEFAULT_REDIRECT_URIS, site_redirect_uris
from local.sign_in.second_factors import Mfa
from local.sign_in.server import DEFAULT_PORT, SignIn
from local.stop_signals import stop_signals


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m local.sign_in", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1 (default: %(default)s)")
    parser.add_argument(
        "--data-dir", type=Path, default=Path(".data/sign-in"), help="folder for keys and users (default: %(default)s)"
    )
    parser.add_argument(
        "--site", default="http://127.0.0.1:8000", help="origin of the web client (default: %(default)s)"
    )
    parser.add_argument("--closed", action="store_true", help="disable sign-up")
    parser.add_argument(
        "--mfa", type=Mfa, choices=list(Mfa), default=Mfa.OPTIONAL, help="second factor (default: %(default)s)"
    )
    arguments = parser.parse_args()

    stop = stop_signals()
    redirect_uris = {**DEFAULT_REDIRECT_URIS, **site_redirect_uris(str(arguments.site).rstrip("/"))}
    with SignIn(
        port=arguments.port,
        data_dir=arguments.data_dir,
        redirect_uris=redirect_uris,
        sign_up=not arguments.closed,
        mfa=arguments.mfa,
    ) as sign_in:
        print(f"sign-in  {sign_in.authority_url}")
        print(f"demo     {sign_in.demo_user.email}  {sign_in.demo_user.password}")
        print(f"machine  {sign_in.machine_client.client_id}  (secret in {sign_in.machine_secret_file})", flush=True)
        stop.get()


if __name__ == "__main__":
    main()
