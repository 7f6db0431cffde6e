/** The page: who is signed in decides what is shown. */

import { ApiClient, type Video } from "video-uploader/api";
import { keepFocus } from "video-uploader/focus";
import type { UploadDetail } from "video-uploader/uploader_events";
import { shareOf } from "video-uploader/video_upload";
import type { VideoUploader } from "video-uploader/video_uploader";
import "video-uploader/video_uploader";
import { language, message, tellAccepted } from "./language";
import { Library } from "./library";
import { linkToken, showBearer } from "./link_bearer";
import { LinksView } from "./links_view";
import { Notifications } from "./notifications";
import { byId, confirmed, showBanner, speak } from "./page";
import { leavePlayerOfBefore } from "./player";
import { accept, forgetShared, isAccepted, sharedVideos } from "./shared_videos";
import { SignIn, type SiteConfig } from "./sign_in";
import { offerToSignInAgain } from "./sign_in_again";
import { StageView } from "./stage_view";
import { Telemetry } from "./telemetry";
import { stateWords } from "./video_card";

const CONFIG_URL = "/config.json";

async function open(): Promise<void> {
  const response = await fetch(CONFIG_URL, { cache: "no-store" });
  const config: SiteConfig = await response.json();
  tellAccepted(config.acceptedContainers);
  const token = linkToken();
  if (token) return showBearer(token, addressOfApi(config), config.acceptedContainers);
  const signIn = new SignIn(config);
  offerToSignIn(signIn);
  await signIn.open().catch((error: unknown) => showBanner(message(error)));
  byId("welcome").hidden = signIn.isSignedIn;
  byId("workspace").hidden = !signIn.isSignedIn;
  if (signIn.isSignedIn) showWorkspace(signIn, config);
}

function offerToSignIn(signIn: SignIn): void {
  const email = byId<HTMLInputElement>("sign-in-email");
  byId("sign-in-address").hidden = !signIn.hasCompanies;
  email.required = signIn.hasCompanies;
  byId("sign-in-form").onsubmit = (event) => {
    event.preventDefault();
    const address = signIn.hasCompanies ? email.value.trim() : undefined;
    // Beside the field: on a phone the banner is out of sight.
    byId("sign-in-problem").hidden = true;
    signIn.start(address).catch((error: unknown) => {
      byId("sign-in-problem").textContent = message(error);
      byId("sign-in-problem").hidden = false;
    });
  };
}

function addressOfApi(config: SiteConfig): string {
  return new URL(config.apiUrl, location.origin).href.replace(/\/$/, "");
}

function showWorkspace(signIn: SignIn, config: SiteConfig): void {
  byId("account-name").textContent = signIn.email;
  byId("account").hidden = false;
  byId("account-link").hidden = !config.accountClientId || signIn.isOfCompany;
  const baseUrl = addressOfApi(config);
  const api = new ApiClient(baseUrl, (options) => signIn.accessToken(options));
  const telemetry = config.tellProgress ? new Telemetry(api) : null;
  if (telemetry) offerSetting(telemetry);
  const uploader = byId<VideoUploader>("uploader");
  const notifications = new Notifications(signIn.subject, stateWords);
  offerNotifications(notifications);
  const seen = (video: Video) => {
    notifications.seen(video);
    telemetry?.processed(video);
    uploader.processed(video);
  };
  const library = new Library(api, seen, (videoId) => uploader.deleted(videoId));
  library.looksWhenHidden = () => notifications.isOn;
  offerToSignInAgain(signIn, uploader);
  byId("sign-out").onclick = async () => {
    if (await mayEnd(uploader)) await signIn.signOut();
  };
  tellOf(uploader, telemetry);
  uploader.addEventListener("upload-stored", ({ detail: { videoId } }) => {
    if (!videoId) return;
    notifications.expect(videoId);
    void library.add(videoId);
  });
  uploader.followsProcessing = false; // the library does
  uploader.knownVideos = () => library.videos;
  uploader.probe = isThere;
  uploader.apiUrl = baseUrl;
  if (config.acceptedContainers) uploader.setAttribute("containers", config.acceptedContainers.join());
  uploader.accessToken = (options) => signIn.accessToken(options);
  void library.load();
  if (config.maxLinkDays) new LinksView(api).show(config.maxLinkDays);
  if (signIn.isAdministrator) new StageView(api).show();
  takeShared(uploader, signIn).catch((error: unknown) => showBanner(message(error)));
}

/** Upload what other apps shared, once this person has said so. */
async function takeShared(uploader: VideoUploader, { subject, email }: SignIn): Promise<void> {
  const files = await sharedVideos();
  const fresh = files.filter((file) => !isAccepted(file, subject));
  const accepted = files.filter((file) => isAccepted(file, subject));
  const [first] = fresh;
  if (accepted.length) await uploader.add(accepted);
  if (!first) return;
  const isWanted = await confirmed({
    title: language.text("share.title", { name: first.name, count: fresh.length }),
    text: language.text("share.text", { email, count: fresh.length }),
    yes: language.text("share.yes"),
    no: language.text("share.no"),
  });
  if (!isWanted) return fresh.forEach(letGoOfShared);
  for (const file of fresh) accept(file, subject);
  await uploader.add(fresh);
}

/** Show, count and let go of what the uploader tells of. */
function tellOf(uploader: VideoUploader, telemetry: Telemetry | null): void {
  const title = language.text("page.title");
  const drawTitle = ({ detail: { upload } }: CustomEvent<UploadDetail>) => {
    const isSending = upload.state === "sending";
    const percent = Math.floor(shareOf(upload) * 100);
    document.title = isSending ? language.text("page.uploading", { percent, title }) : title;
  };
  uploader.addEventListener("uploader-message", (event) => {
    event.preventDefault();
    showBanner(event.detail.text);
  });
  uploader.addEventListener("upload-added", ({ detail: { upload } }) => telemetry?.watch(upload));
  uploader.addEventListener("upload-progress", drawTitle);
  uploader.addEventListener("upload-state", drawTitle);
  uploader.addEventListener("upload-stored", ({ detail: { file } }) => letGoOfShared(file));
  uploader.addEventListener("upload-refused", ({ detail: { file } }) => letGoOfShared(file));
  uploader.addEventListener("upload-removed", ({ detail: { file } }) => letGoOfShared(file));
}

/** Another app's video is not offered again once it is up, refused, or removed by the person. */
function letGoOfShared(file: File): void {
  forgetShared(file).catch(() => {}); // a later visit offers it again
}

/** True if the page may be left for signing out: the person is asked while uploads run. */
async function mayEnd(uploader: VideoUploader): Promise<boolean> {
  const mayLeave =
    !uploader.isBusy ||
    (await confirmed({
      title: language.text("sign_out.title"),
      text: language.text("sign_out.text"),
      yes: language.text("sign_out.yes"),
      no: language.text("sign_out.no"),
    }));
  uploader.warnsBeforeLeaving = !mayLeave;
  return mayLeave;
}

/** True if the site answers; a captive portal's page is no JSON. */
async function isThere(signal: AbortSignal): Promise<boolean> {
  const response = await fetch(CONFIG_URL, { cache: "no-store", signal });
  await response.json();
  return response.ok;
}

/** Ask once; afterwards the answer is changed where one sees who is signed in. */
function offerSetting(telemetry: Telemetry): void {
  const question = byId("telemetry-question");
  const decide = (wanted: boolean) => () => {
    telemetry.isOn = wanted;
    question.hidden = true;
  };
  byId("telemetry-yes").onclick = decide(true);
  byId("telemetry-no").onclick = decide(false);
  question.hidden = !telemetry.mustAsk;
  byId("privacy").hidden = false;
  byId("privacy").onclick = () => {
    question.hidden = false;
    byId(telemetry.isOn ? "telemetry-yes" : "telemetry-no").focus();
  };
}

/** A button, and never a prompt of its own accord; a second press turns them off. */
function offerNotifications(notifications: Notifications): void {
  const button = byId<HTMLButtonElement>("notify");
  const draw = () => {
    button.setAttribute("aria-pressed", String(notifications.isOn));
    button.textContent = language.text(notifications.isOn ? "notify.on" : "notify.offer");
  };
  button.hidden = !notifications.isSupported;
  button.onclick = async () => {
    if (notifications.isOn) notifications.turnOff();
    else if (!(await notifications.turnOn()) && notifications.isBlocked) showBanner(language.text("notify.blocked"));
    draw();
  };
  draw();
}

/** The edge or the service worker sends such a share here. */
function tellFailedShare(): void {
  if (new URLSearchParams(location.search).get("share") !== "failed") return;
  history.replaceState(history.state, "", location.pathname);
  showBanner(language.text("share.failed"));
}

// Installable, and there at once on a slow line; a browser that forbids it loses nothing else.
navigator.serviceWorker?.register("/service-worker.js").catch(() => {});

speak("page.title");
keepFocus(document);
// A link that is opened in a tab that shows the page already changes nothing but what follows the `#`.
window.addEventListener("hashchange", () => {
  if (linkToken()) location.reload();
});
tellFailedShare();
leavePlayerOfBefore();
open().catch(() => showBanner(language.text("page.broken")));
