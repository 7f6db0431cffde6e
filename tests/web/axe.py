"""Accessibility of a view, as axe-core sees it."""

from playwright.sync_api import Page

from local.api_environment import WEB_CLIENT

AXE = WEB_CLIENT.parents[1] / "node_modules" / "axe-core" / "axe.min.js"


def serious_problems(page: Page) -> list[str]:
    """Return the problems that axe-core calls serious or critical, as rule and place."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run()")
    assert found["passes"], "axe looked at something"
    return [
        f"{problem['id']}: {node['html']}"
        for problem in found["violations"]
        if problem["impact"] in {"serious", "critical"}
        for node in problem["nodes"]
    ]
