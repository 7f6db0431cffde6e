"""Behaviour of the page when the API's answer fails, is lost, comes from a stranger or never comes."""

from pathlib import Path

from playwright.sync_api import Page, Route

from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in
from tests.web.waiting import ADA, begin, expect_uploaded, wait_until
from tests.web.walkthroughs import choose


def test_an_api_that_stumbles_is_asked_again(
    page: Page, site: FakeSite, small_video: Path, complaints: list[str]
) -> None:
    complaints += ["503", "500", "504", "429"]
    site.api.faults = {
        "GET /videos": [(500, "internal_error", {})],
        "POST /multipart/init": [(503, "upload_starting", {}), (429, "too_many_requests", {})],
        "POST /multipart/complete": [(504, "gateway_timeout", {})],
    }
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, small_video)
    expect_uploaded(page, site, small_video)
    assert len(site.api.videos) == 1


def test_an_upload_whose_first_answer_is_lost_is_begun_once(
    page: Page, site: FakeSite, small_video: Path, complaints: list[str]
) -> None:
    complaints += ["ERR_FAILED"]
    lost: list[int] = []

    def lose_the_first(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    page.route("**/multipart/init", lose_the_first)
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, small_video)
    expect_uploaded(page, site, small_video)
    assert lost == [201]
    assert len(site.api.videos) == 1


def test_a_page_that_is_closed_before_inits_answer_leaves_no_second_upload(
    page: Page, site: FakeSite, small_video: Path, complaints: list[str]
) -> None:
    complaints += ["ERR_FAILED"]
    lost: list[int] = []

    def lose_all(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/multipart/init", lose_all)
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, small_video)
    wait_until(lambda: bool(lost), page)
    page.reload()
    # Not before: the page that is closed would ask again, and be answered. A call of it may still be under way.
    page.unroute_all(behavior="wait")
    choose(page, small_video)
    expect_uploaded(page, site, small_video)
    assert len(site.api.videos) == 1


def test_a_strangers_page_in_place_of_an_answer_is_asked_past(
    page: Page, site: FakeSite, small_video: Path, complaints: list[str]
) -> None:
    complaints += ["ERR_FAILED"]
    seen: list[str] = []

    def greet(route: Route) -> None:
        call = f"{route.request.method} {route.request.url}"
        if call in seen:
            route.continue_()
            return
        seen.append(call)
        route.fulfill(status=200, content_type="text/html", body="<!doctype html><p>Accept the terms of this network.")

    page.route("**/api/**", greet)
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, small_video)
    expect_uploaded(page, site, small_video)
    assert len(site.api.videos) == 1
    assert {call.rsplit("/api/")[1].split("?")[0].split("/")[0] for call in seen} >= {"multipart", "uploads", "videos"}


def test_an_answer_that_never_comes_is_not_waited_for_without_end(
    page: Page, site: FakeSite, small_video: Path, complaints: list[str]
) -> None:
    complaints += ["ERR_FAILED"]
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.clock.install()
    page.route("**/multipart/complete", hold_the_first)
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, small_video)
    wait_until(lambda: bool(held), page)
    page.clock.fast_forward(36_000)
    expect_uploaded(page, site, small_video)


def test_a_file_chosen_before_the_list_of_unfinished_uploads_is_there_goes_on(
    page: Page, site: FakeSite, video: Path
) -> None:
    begin(page, site, video, parts=2)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/uploads", hold)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    site.storage.let_through(None)
    wait_until(lambda: bool(held), page)
    choose(page, video)
    page.wait_for_timeout(300)
    held[0].continue_()
    expect_uploaded(page, site, video)
    assert len(site.api.videos) == 1
