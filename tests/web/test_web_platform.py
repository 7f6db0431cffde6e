"""The walkthroughs on the whole local platform: real API, S3's refusals, processing, sign-in."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from local.child_process import ChildProcess
from local.platform import LocalPlatform, Ports
from local.stand_in import names
from tests.end_to_end.actors import Person as PlainPerson
from tests.end_to_end.actors import StandIn
from tests.media.sample_videos import write_sample_video
from tests.web import walkthroughs
from tests.web.axe import serious_problems
from tests.web.session import revoke_session
from tests.web.walkthroughs import Person


def test_the_demo_user_signs_in_and_out(page: Page, platform: LocalPlatform) -> None:
    demo = platform.sign_in.demo_user
    walkthroughs.sign_out(page, platform.site_url, Person(demo.email, demo.password))


def test_a_video_is_uploaded_as_it_is_processed_played_and_deleted(
    page: Page, platform: LocalPlatform, somebody: Person, by_token: PlainPerson, video: Path
) -> None:
    walkthroughs.upload(page, platform.site_url, somebody, video)
    s3 = StandIn(platform.stand_in_url).client("s3")
    (stored,) = s3.list_objects_v2(Bucket=names.VIDEO_BUCKET, Prefix=f"videos/{by_token.owner}/")["Contents"]
    assert s3.get_object(Bucket=names.VIDEO_BUCKET, Key=stored["Key"])["Body"].read() == video.read_bytes()
    walkthroughs.play(page, video.name)
    walkthroughs.delete(page, video.name)


def test_a_paused_upload_goes_on(page: Page, platform: LocalPlatform, somebody: Person, video: Path) -> None:
    walkthroughs.pause_and_resume(page, platform.site_url, somebody, video)


def test_a_reloaded_page_resumes(page: Page, platform: LocalPlatform, somebody: Person, video: Path) -> None:
    walkthroughs.resume_after_reload(page, platform.site_url, somebody, video)


def test_a_cancelled_upload_leaves_no_part_behind(
    page: Page, platform: LocalPlatform, somebody: Person, by_token: PlainPerson, video: Path
) -> None:
    walkthroughs.cancel(page, platform.site_url, somebody, video)
    s3 = StandIn(platform.stand_in_url).client("s3")
    listed = s3.list_multipart_uploads(Bucket=names.VIDEO_BUCKET, Prefix=f"videos/{by_token.owner}/")
    assert listed.get("Uploads", []) == []


def test_another_device_sees_that_the_upload_is_running(
    page: Page, platform: LocalPlatform, somebody: Person, video: Path, complaints: list[str]
) -> None:
    complaints.append("ERR_FAILED")
    browser = page.context.browser
    assert browser
    walkthroughs.sign_in(page, platform.site_url, somebody)
    with walkthroughs.parts_held_after(page, 2):
        walkthroughs.choose(page, video)
        expect(walkthroughs.upload_row(page, video.name)).to_contain_text("10.5 MB of", timeout=walkthroughs.IN_TIME_MS)
        context = browser.new_context(locale="en-GB")
        other = context.new_page()
        walkthroughs.sign_in(other, platform.site_url, somebody)
        row = other.get_by_role("list", name="Unfinished uploads").get_by_role("listitem")
        expect(row).to_contain_text("Uploading on another device", timeout=walkthroughs.IN_TIME_MS)
        expect(row).to_contain_text("10.5 MB of 23.1 MB stored")
        expect(row.get_by_role("button", name="Discard")).to_have_count(0)
        context.close()


def test_a_session_that_is_revoked_during_an_upload_ends_no_upload(
    page: Page, platform: LocalPlatform, somebody: Person, video: Path, complaints: list[str]
) -> None:
    complaints += ["400", "401", "ERR_FAILED"]
    other = video.with_name("other.mp4")
    write_sample_video(other)
    walkthroughs.sign_in(page, platform.site_url, somebody)
    stored = walkthroughs.part_numbers_sent(page)
    page.on("dialog", lambda dialog: pytest.fail(f"the page is left: {dialog.message}"))
    with walkthroughs.parts_held_after(page, 2):
        walkthroughs.choose(page, video, other)
        expect(walkthroughs.upload_row(page, video.name)).to_contain_text("10.5 MB of", timeout=walkthroughs.IN_TIME_MS)
        revoke_session(page, platform.sign_in)
        page.context.clear_cookies()  # the sign-in itself does not remember either
        # As the gateway answers once the access token's hour is over.
        page.route("**/api/multipart/init", lambda route: route.fulfill(status=401, json={}), times=1)
    waiting = walkthroughs.upload_row(page, other.name)
    expect(waiting).to_contain_text("Waiting for you to sign in", timeout=2 * walkthroughs.IN_TIME_MS)
    walkthroughs.sign_in_beside(page, somebody)
    for each in (video, other):
        row = walkthroughs.upload_row(page, each.name)
        expect(row.get_by_text("Uploaded")).to_be_visible(timeout=2 * walkthroughs.IN_TIME_MS)
        walkthroughs.expect_ready(page, each.name)
    assert len(stored) == len(set(stored)) == 6, "no part is sent twice"


@pytest.mark.slow
def test_sixty_megabytes_arrive_whole_though_the_storage_is_killed_and_the_page_reloaded(
    page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    complaints += ["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_FAILED", "CORS policy"]
    complaints += ["status of 50"]
    film = tmp_path / "film.mp4"
    write_sample_video(film, pad_to_bytes=60 * 2**20)
    ports = Ports.free()
    with LocalPlatform(data_dir=tmp_path / "data", ports=ports) as platform:
        person = Person("ada@example.com", secrets.token_urlsafe(12))
        platform.sign_in.create_user(person.email, person.password)
        walkthroughs.sign_in(page, platform.site_url, person)
        stored = walkthroughs.part_numbers_sent(page)
        page.on("dialog", lambda dialog: dialog.accept())

        with walkthroughs.parts_held_after(page, 4):
            walkthroughs.choose(page, film)
            expect(walkthroughs.upload_row(page, film.name)).to_contain_text(
                "21.0 MB of", timeout=walkthroughs.IN_TIME_MS
            )
            page.reload()
        unfinished = page.get_by_role("list", name="Unfinished uploads")
        expect(unfinished).to_contain_text(film.name, timeout=walkthroughs.IN_TIME_MS)

        with walkthroughs.parts_held_after(page, 3):
            walkthroughs.choose(page, film)
            expect(walkthroughs.upload_row(page, film.name)).to_contain_text(
                "36.7 MB of", timeout=walkthroughs.IN_TIME_MS
            )
            platform.child("stand-in").kill()
        with restarted_stand_in(platform, ports, tmp_path / "data" / "stand-in"):
            expect(walkthroughs.upload_row(page, film.name).get_by_text("Uploaded")).to_be_visible(timeout=60_000)
            walkthroughs.expect_ready(page, film.name)
            assert len(stored) == 12, "each part once"
            walkthroughs.play(page, film.name)


@contextmanager
def restarted_stand_in(platform: LocalPlatform, ports: Ports, data: Path) -> Generator[None]:
    """Restart the stand-in as its operator would: same port, same folder."""
    stand_in = ChildProcess(
        "stand-in",
        "local.stand_in",
        ["--port", str(ports.stand_in), "--stop-with-parent", "--data", str(data), "--site-origin", platform.site_url],
    )
    try:
        stand_in.wait_ready()
        yield
    finally:
        stand_in.ask_to_stop()
        stand_in.wait_stopped(5)


def test_odd_names_upload(page: Page, platform: LocalPlatform, somebody: Person, tmp_path: Path) -> None:
    names = ["👨\u200d👩\u200d👧 family.mp4", "می\u200cروم क्\u200dष.mp4", "x.constructor.mp4"]
    films = [write_sample_video(tmp_path / name, seed=number) for number, name in enumerate(names)]
    walkthroughs.sign_in(page, platform.site_url, somebody)
    walkthroughs.choose(page, *films)
    for name in names:
        walkthroughs.expect_ready(page, name)


def test_other_files_than_videos_are_rejected(
    page: Page, platform: LocalPlatform, somebody: Person, tmp_path: Path
) -> None:
    liar = tmp_path / "liar.mp4"
    liar.write_bytes(b"\0\0\0\4moov" * 1024)  # no box is that short
    walkthroughs.upload_a_file_that_is_not_a_video(page, platform.site_url, somebody, liar)


def test_somebody_without_an_account_uploads_by_a_link_and_resumes_after_a_reload(
    page: Page, platform: LocalPlatform, somebody: Person, video: Path, complaints: list[str]
) -> None:
    complaints += ["ERR_FAILED", "410"]
    browser = page.context.browser
    assert browser
    walkthroughs.sign_in(page, platform.site_url, somebody)
    address = walkthroughs.make_link(page, "Match day")
    context = browser.new_context(locale="en-GB")
    stranger = context.new_page()
    asked: list[str] = []
    stranger.on("request", lambda request: asked.append(request.url))
    walkthroughs.send_by_link(stranger, address, "Ada", video)
    expect(walkthroughs.video_card(page, video.name)).to_have_count(0)
    page.reload()
    walkthroughs.expect_ready(page, video.name)
    expect(walkthroughs.video_card(page, video.name)).to_contain_text("sent by Ada")
    assert not [url for url in asked if address.partition("=")[2] in url]
    assert [*serious_problems(stranger), *serious_problems(page)] == []
    walkthroughs.revoke_link(page, "Match day")
    stranger.reload()
    expect(stranger.get_by_role("alert").filter(has_text="This upload link was revoked")).to_be_visible()
    context.close()
