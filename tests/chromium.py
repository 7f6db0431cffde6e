"""The browser of the machine, as tests start it."""

from pathlib import Path

from playwright.sync_api import Browser, Playwright

HEADLESS = Path("/usr/bin/chromium-headless-shell")
"""The same engine without the browser's own windows, which take processor time and are not looked at."""
CHROMIUM = HEADLESS if HEADLESS.exists() else Path("/usr/bin/chromium")
NO_BROWSER = f"no browser: {CHROMIUM} is missing (apt-get install {CHROMIUM.name})"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
