/** The page: who is signed in decides what is shown. */

import { ApiClient } from "./api.js";
import { Library } from "./library.js";
import { message } from "./messages.js";
import { byId, showBanner } from "./page.js";
import { SignIn } from "./sign_in.js";
import { Uploads } from "./uploads.js";

async function open() {
  const response = await fetch("/config.json", { cache: "no-store" });
  /** @type {import("./sign_in.js").SiteConfig} */
  const config = await response.json();
  const signIn = new SignIn(config);
  const start = () => signIn.start().catch((error) => showBanner(message(error)));
  byId("sign-in").onclick = start;
  byId("sign-out").onclick = () => signIn.signOut();
  signIn.addEventListener("ended", () => {
    // Uploads go on: their own tokens outlive the session.
    showBanner("Your session has ended. Running uploads go on.", { label: "Sign in again", run: start });
  });
  await signIn.finish().catch((error) => showBanner(message(error)));
  byId("welcome").hidden = signIn.isSignedIn;
  byId("workspace").hidden = !signIn.isSignedIn;
  if (signIn.isSignedIn) showWorkspace(signIn, config);
}

/** @param {SignIn} signIn @param {import("./sign_in.js").SiteConfig} config */
function showWorkspace(signIn, config) {
  byId("account-name").textContent = signIn.email;
  byId("account").hidden = false;
  const baseUrl = new URL(config.apiUrl, location.origin).href.replace(/\/$/, "");
  const api = new ApiClient(baseUrl, (options) => signIn.accessToken(options));
  const library = new Library(api);
  const uploads = new Uploads(api, (videoId) => library.add(videoId));

  const files = byId("files");
  files.onchange = () => {
    uploads.add([...files.files]);
    files.value = ""; // so that the same file can be chosen again
  };
  acceptDrops(uploads);
  library.load().catch((error) => showBanner(message(error)));
  uploads.showUnfinished().catch((error) => showBanner(message(error)));
}

/** Anywhere on the page: a file that misses the box would replace the page. @param {Uploads} uploads */
function acceptDrops(uploads) {
  const box = byId("drop");
  const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
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
    uploads.add([...(event.dataTransfer?.files ?? [])]);
  });
}

open().catch(() => showBanner("The page cannot be opened right now. Reload it in a moment."));
