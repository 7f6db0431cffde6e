"""Company sign-in through page and command: the mail domain leads to the company, whose people upload like others."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from local.platform import LocalPlatform, Ports
from local.sign_in.server import SignIn
from tests.end_to_end.actors import Desktop
from tests.sign_in.browser_walk import walk_through_login
from tests.web.axe import serious_problems
from tests.web.walkthroughs import IN_TIME_MS, Person, choose, expect_ready, fill_in_sign_in

DOMAIN = "acme.example"


@pytest.fixture(scope="module")
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform(data_dir=None, ports=Ports.free(), company_domain=DOMAIN) as running:
        yield running


@pytest.fixture
def company(platform: LocalPlatform) -> SignIn:
    assert platform.company
    return platform.company


def start(page: Page, platform: LocalPlatform, address: str) -> None:
    page.goto(platform.site_url)
    page.locator("#sign-in-email").fill(address)
    page.locator("#sign-in").click()


def start_at_the_company(page: Page, platform: LocalPlatform, address: str) -> None:
    start(page, platform, address)
    # The page that is left has a field of the same name as the form that comes.
    expect(page.get_by_text("Local sign-in of acme")).to_be_visible(timeout=IN_TIME_MS)


def test_a_person_of_a_company_signs_in_there_uploads_and_comes_back_to_the_same_library(
    page: Page, platform: LocalPlatform, company: SignIn, small_video: Path, tmp_path: Path
) -> None:
    ada = Person(company.demo_user.email, company.demo_user.password)
    start_at_the_company(page, platform, ada.email.upper())
    fill_in_sign_in(page, ada)
    expect(page.locator("#account-name")).to_have_text(ada.email, timeout=IN_TIME_MS)
    expect(page.locator("#account-link")).to_be_hidden()
    choose(page, small_video)
    expect_ready(page, small_video.name)

    desktop = Desktop(tmp_path / "home")
    login = desktop.start("login", platform.site_url, "--no-browser")
    walk_through_login(login, ada.email, ada.password, company="acme")
    login.communicate(timeout=20)
    assert login.returncode == 0
    listed = desktop.run("list", "--json")["videos"]
    assert [video["fileName"] for video in listed] == [small_video.name], "page and command show one library"


def test_a_companys_group_makes_an_administrator_of_its_member(
    page: Page, platform: LocalPlatform, company: SignIn
) -> None:
    company.create_user(f"boss@{DOMAIN}", "a password of the company")
    company.appoint_administrator(f"boss@{DOMAIN}")
    start_at_the_company(page, platform, f"boss@{DOMAIN}")
    fill_in_sign_in(page, Person(f"boss@{DOMAIN}", "a password of the company"))
    search = page.get_by_role("region", name="Videos of all users").get_by_role("button", name="Search")
    with page.expect_response("**/api/admin/videos*") as answered:
        search.click(timeout=IN_TIME_MS)
    assert answered.value.status == 200


def test_everybody_else_signs_in_with_their_password_and_types_the_address_once(
    page: Page, platform: LocalPlatform
) -> None:
    demo = platform.sign_in.demo_user
    start(page, platform, demo.email)
    expect(page.get_by_label("E-mail address")).to_have_value(demo.email, timeout=IN_TIME_MS)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#account-name")).to_have_text(demo.email, timeout=IN_TIME_MS)


WORDS = {
    "en-GB": ("E-mail address", "No company here has the address ada@elsewhere.example."),
    "de-DE": ("E-Mail-Adresse", "Zur Adresse ada@elsewhere.example gehört hier keine Firma."),
}


@pytest.mark.parametrize("locale", WORDS)
def test_where_only_companies_let_people_in_another_address_is_told_so(
    page: Page, platform: LocalPlatform, locale: str
) -> None:
    label, problem = WORDS[locale]

    def without_local_users(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "localUsers": False})

    page.set_viewport_size({"width": 320, "height": 640})
    page.route("**/config.json", without_local_users)
    page.goto(platform.site_url)
    page.get_by_label(label).fill("ada@elsewhere.example")
    page.locator("#sign-in").click()
    expect(page.get_by_role("alert")).to_contain_text(problem)
    expect(page.get_by_role("alert")).to_be_in_viewport()
    expect(page.get_by_label(label)).to_have_accessible_description(re.compile(re.escape(problem)))
    assert page.url == f"{platform.site_url}/"
    assert serious_problems(page) == []
