"""Configuration of a stage for its clients: config.json and the app clients of the user pool."""

from __future__ import annotations

from components.settings import ACCEPTED_CONTAINERS
from tests.infrastructure.recorded_program import ACCOUNT_ID, Recording, record
from tests.infrastructure.safety.reading import variables


def test_clients_find_everything_in_config_json(recording: Recording) -> None:
    config = recording.exports["siteConfig"]
    second_factor = {"mfa": "optional", "accountClientId": "app-clients-account-id"}
    assert config == {
        "stage": recording.stage,
        "apiUrl": "/api",
        "authority": "https://cognito-idp.eu-central-1.amazonaws.com/auth-users-id",
        "webClientId": "app-clients-web-id",
        "desktopClientId": "app-clients-desktop-id",
        "scopes": ["openid", "email", "video-upload/read", "video-upload/write"],
        "logoutUrl": f"https://video-upload-{recording.stage}-sign-in-{ACCOUNT_ID}"
        ".auth.eu-central-1.amazoncognito.com/logout",
        "tellProgress": True,
        "maxLinkDays": 30,
        "administratorsGroup": "administrators",
        "companyDomains": [],
        "localUsers": True,
        "acceptedContainers": list(ACCEPTED_CONTAINERS),
        **({"mfa": "off"} if recording.stage == "dev" else second_factor),
    }


def test_the_page_learns_which_mail_domains_have_a_company_and_whether_anybody_else_signs_in() -> None:
    companies = {
        "samlProviders": ["acme=https://login.example.com/metadata"],
        "companyDomains": ["example.org=acme", "example.com=acme"],
        "localUsers": False,
    }
    config = record("dev", overrides=companies).exports["siteConfig"]
    assert (config["companyDomains"], config["localUsers"]) == (["example.com", "example.org"], False)


def test_the_page_signs_in_by_leaving_and_in_a_window_of_its_own() -> None:
    """Cognito compares redirect addresses letter by letter."""
    elsewhere = ["http://localhost:5173/", "https://example.com/videos"]
    recording = record("dev", overrides={"extraRedirectUrls": elsewhere})
    client = recording.one("cognito/userPoolClient:UserPoolClient", "app-clients-web")
    site = recording.exports["siteUrl"]
    windows = [f"{site}/signed-in.html", "http://localhost:5173/signed-in.html"]
    assert client.inputs["callbackUrls"] == [f"{site}/", *elsewhere, *windows]
    assert client.inputs["logoutUrls"] == [f"{site}/", *elsewhere]


def test_native_apps_have_a_client_of_their_own_once_a_link_is_claimed() -> None:
    link = "https://app.example.com/signed-in"
    with_link = record("dev", overrides={"nativeRedirectUrls": [link]})
    client = with_link.one("cognito/userPoolClient:UserPoolClient", "app-clients-native")
    assert client.inputs["callbackUrls"] == client.inputs["logoutUrls"] == [link]
    assert client.inputs["generateSecret"] is False
    assert client.inputs["allowedOauthFlows"] == ["code"]
    assert with_link.exports["siteConfig"]["nativeClientId"] == "app-clients-native-id"
    assert "app-clients-native-id" in variables(with_link, "video_upload")["USER_POOL_CLIENT_IDS"].split(",")
