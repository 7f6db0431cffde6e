"""The account view: people set up, test and remove an authenticator app by themselves."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from local.sign_in.clients import ACCOUNT_PAGE
from local.sign_in.second_factors import Mfa
from local.sign_in.server import SignIn
from tests.sign_in.authenticator import Authenticator, operator_calls, set_up_app
from tests.web.axe import serious_problems
from tests.web.fake_site import FakeSite, running_fake_site
from tests.web.session import open_signed_in
from tests.web.walkthroughs import IN_TIME_MS, Person, fill_in_sign_in

REFUSED_CODE = "the server responded with a status of 400"


@pytest.fixture
def complaints(complaints: list[str]) -> list[str]:
    """A browser's console names each refused call."""
    return [*complaints, REFUSED_CODE]


@pytest.fixture
def mfa() -> Mfa:
    return Mfa.OPTIONAL


@pytest.fixture
def site(mfa: Mfa) -> Iterator[FakeSite]:
    with running_fake_site(mfa) as running:
        yield running


def sign_in_to_account(page: Page, site: FakeSite, person: Person, code: str = "") -> None:
    """Open the account view as somebody who knows its address, and sign in there."""
    page.goto(f"{site.url}/{ACCOUNT_PAGE}")
    page.get_by_role("button", name="Sign in").click()
    give_credentials(page, person, code)


def give_credentials(page: Page, person: Person, code: str = "") -> None:
    fill_in_sign_in(page, person)
    if code:
        page.get_by_label("Code").fill(code)
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Authenticator app")).to_be_visible(timeout=IN_TIME_MS)


def subject_of(person: Person, site: FakeSite) -> str:
    return site.sign_in.authority.users.get_or_create(person.email).subject


def app_on_the_page(page: Page, sign_in: SignIn) -> Authenticator:
    """The app of somebody who types the key that the page shows."""
    key = page.locator("#key").inner_text()
    return Authenticator(key.replace(" ", ""), sign_in.authority.clock)


def test_a_person_sets_an_app_up_tests_it_and_removes_it(page: Page, site: FakeSite, user: Person) -> None:
    open_signed_in(page, site.url, site.sign_in, user.email)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Account").click()
    view = opened.value
    view.get_by_role("button", name="Sign in").click()
    give_credentials(view, user)
    expect(view.locator("#account-name")).to_have_text(user.email)
    problems = {"without an app": serious_problems(view)}

    view.get_by_role("button", name="Set up an app").click()
    view.get_by_role("img", name="QR code for your authenticator app").wait_for()
    problems["set up"] = serious_problems(view)
    app = app_on_the_page(view, site.sign_in)
    field = view.get_by_label("Code that the app shows")
    field.fill(app.wrong_code())
    view.get_by_role("button", name="Turn on").click()
    expect(view.get_by_role("alert").filter(has_text="Wrong code")).to_be_visible(timeout=IN_TIME_MS)
    problems["wrong code"] = serious_problems(view)
    used = app.code()
    field.fill(f"{used[:3]} {used[3:]}")
    view.get_by_role("button", name="Turn on").click()
    expect(view.get_by_role("status")).to_contain_text("Your app is set up", timeout=IN_TIME_MS)
    expect(view.locator("body")).not_to_contain_text(app.secret[:4])
    problems["with an app"] = serious_problems(view)

    view.get_by_role("button", name="Test it").click()
    give_credentials(view, user, app.code(1))
    expect(view.get_by_role("status")).to_contain_text("It works")
    assert "code=" not in view.url

    view.get_by_role("button", name="Remove it").click()
    problems["question"] = serious_problems(view)
    view.get_by_role("button", name="Remove", exact=True).click()
    expect(view.get_by_role("status")).to_contain_text("The app is removed", timeout=IN_TIME_MS)
    assert not site.sign_in.authority.second_factors.is_asked_for(subject_of(user, site))
    assert {name: found for name, found in problems.items() if found} == {}


def test_the_accounts_token_is_kept_nowhere(page: Page, site: FakeSite, user: Person) -> None:
    sign_in_to_account(page, site, user)
    stored = page.evaluate("() => JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])")
    assert "access_token" not in stored
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_person_whose_device_was_reset_signs_in_and_sets_another_up(page: Page, site: FakeSite, user: Person) -> None:
    set_up_app(site.sign_in, user.email)
    operator_calls(site.sign_in).admin_delete_software_token(UserPoolId="local_1", Username=user.email)
    sign_in_to_account(page, site, user)
    expect(page.get_by_role("button", name="Set up an app")).to_be_visible()


def test_a_session_that_is_over_says_what_to_do(page: Page, site: FakeSite, user: Person) -> None:
    sign_in_to_account(page, site, user)
    site.sign_in.authority.refresh_tokens.revoke_person(subject_of(user, site))
    page.get_by_role("button", name="Set up an app").click()
    expect(page.get_by_role("alert").filter(has_text="sign in again")).to_be_visible(timeout=IN_TIME_MS)


class TestRequired:
    @pytest.fixture
    def mfa(self) -> Mfa:
        return Mfa.REQUIRED

    def test_the_first_sign_in_asks_for_an_app_which_stays(self, page: Page, site: FakeSite, user: Person) -> None:
        page.goto(site.url)
        page.get_by_role("button", name="Sign in").click()
        fill_in_sign_in(page, user)
        app = Authenticator(page.locator("#secret").inner_text(), site.sign_in.authority.clock)
        page.get_by_label("Code").fill(app.code())
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#sign-out")).to_be_visible(timeout=IN_TIME_MS)
        sign_in_to_account(page, site, user, app.code(1))
        expect(page.get_by_role("button", name="Use another app")).to_be_visible()
        expect(page.get_by_role("button", name="Remove it")).to_be_hidden()


class TestOff:
    @pytest.fixture
    def mfa(self) -> Mfa:
        return Mfa.OFF

    def test_a_site_without_second_factors_has_no_account_view(self, page: Page, site: FakeSite, user: Person) -> None:
        open_signed_in(page, site.url, site.sign_in, user.email)
        expect(page.get_by_role("link", name="Account")).to_be_hidden()
        page.goto(f"{site.url}/{ACCOUNT_PAGE}")
        expect(page.get_by_text("There is nothing to set up here")).to_be_visible()
