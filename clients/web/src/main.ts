/** The page: who is signed in decides what is shown. */

import { ApiClient, type Video } from "video-uploader/api";
import { message } from "video-uploader/messages";
import { ACCEPT, LABELS } from "video-uploader/video_types";
import { keepFocus } from "./focus";
import { Library } from "./library";
import { byId, showBanner } from "./page";
import { leavePlayerOfBefore } from "./player";
import { sharedVideos } from "./shared_videos";
import { SignIn, type SiteConfig } from "./sign_in";
import { Telemetry } from "./telemetry";
import { Uploads } from "./uploads";

const CONFIG_URL = "/config.json";

async function open(): Promise<void> {
  const response = await fetch(CONFIG_URL, { cache: "no-store" });
  const config: SiteConfig = await response.json();
  const signIn = new SignIn(config);
  const start = () => void signIn.start().catch((error: unknown) => showBanner(message(error)));
  byId("sign-in").onclick = start;
  signIn.addEventListener("ended", () => {
    // Uploads go on: their own tokens outlive the session.
    showBanner("Your session has ended. Running uploads continue.", { label: "Sign in again", run: start });
  });
  await signIn.open().catch((error: unknown) => showBanner(message(error)));
  byId("welcome").hidden = signIn.isSignedIn;
  byId("workspace").hidden = !signIn.isSignedIn;
  if (signIn.isSignedIn) showWorkspace(signIn, config);
}

function showWorkspace(signIn: SignIn, config: SiteConfig): void {
  byId("account-name").textContent = signIn.email;
  byId("account").hidden = false;
  const baseUrl = new URL(config.apiUrl, location.origin).href.replace(/\/$/, "");
  const api = new ApiClient(baseUrl, (options) => signIn.accessToken(options));
  const telemetry = config.tellProgress ? new Telemetry(api) : null;
  if (telemetry) offerSetting(telemetry);
  const uploads = new Uploads(api, isThere, (videoId) => void library.add(videoId), telemetry);
  const seen = (video: Video) => {
    telemetry?.processed(video);
    uploads.processed(video);
  };
  const library = new Library(api, seen, (videoId) => uploads.deleted(videoId));
  byId("sign-out").onclick = async () => {
    if (await uploads.mayEnd()) await signIn.signOut();
  };
  byId<HTMLInputElement>("files").accept = ACCEPT;
  byId("formats").textContent = LABELS;
  for (const id of ["files", "camera"]) {
    const input = byId<HTMLInputElement>(id);
    input.onchange = () => {
      void uploads.add([...(input.files ?? [])]);
      input.value = ""; // so that the same file can be chosen again
    };
  }
  acceptDrops(uploads);
  void library.load();
  sharedVideos()
    .then((files) => (files.length ? uploads.add(files) : undefined))
    .catch((error: unknown) => showBanner(message(error)));
  uploads.showUnfinished().catch((error: unknown) => showBanner(message(error)));
}

/** Whether the site answers; a captive portal's page is no JSON. */
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

/** The edge or the service worker sends such a share here. */
function tellFailedShare(): void {
  if (new URLSearchParams(location.search).get("share") !== "failed") return;
  history.replaceState(history.state, "", location.pathname);
  showBanner("The video did not arrive from the other app. Share it once more, or choose it here.");
}

/** Anywhere on the page: a file that misses the box would replace the page. */
function acceptDrops(uploads: Uploads): void {
  const box = byId("drop");
  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    box.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) box.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    box.classList.remove("over");
    void uploads.add([...(event.dataTransfer?.files ?? [])]);
  });
}

// Installable, and there at once on a slow line; a browser that forbids it loses nothing else.
navigator.serviceWorker?.register("/service-worker.js").catch(() => {});

keepFocus();
tellFailedShare();
leavePlayerOfBefore();
open().catch(() => showBanner("The page could not load. Reload it in a moment."));
