/** The view of somebody who has an upload link and no account: what is wanted, a name, and the uploader. */

import { ApiClient } from "video-uploader/api";
import { storedText, storeText } from "video-uploader/browser_storage";
import { date, size } from "video-uploader/format";
import { type OpenedLink, UploadLink } from "video-uploader/upload_link";
import type { VideoUploader } from "video-uploader/video_uploader";
import { language, message } from "./language";
import { byId } from "./page";

const FRAGMENT = "link";
const NAME_KEY = "video-upload.uploader-name";

/** The token in the page's address; null for everybody else. What follows the `#` is sent to nobody. */
export function linkToken(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get(FRAGMENT);
}

/** The address to hand out. */
export function linkAddress(token: string): string {
  return `${location.origin}/#${FRAGMENT}=${token}`;
}

export async function showBearer(token: string, baseUrl: string, acceptedContainers?: string[]): Promise<void> {
  byId("sender").hidden = false;
  const api = new ApiClient(
    baseUrl,
    () => Promise.reject({ code: "unauthorized" }),
    "",
    undefined,
    new UploadLink(token, ""),
  );
  const title = byId("sender-title");
  const note = byId("sender-note");
  const draw = (link: OpenedLink) => {
    title.textContent = link.title;
    note.textContent = link.note;
    note.hidden = !link.note;
    byId("sender-left").textContent = leftWords(link);
    byId("sender-left").hidden = false;
  };
  try {
    draw(await api.openedLink());
  } catch (error) {
    title.textContent = language.text("sender.closed");
    note.role = "alert";
    note.textContent = message(error);
    note.hidden = false;
    return;
  }
  const form = byId<HTMLFormElement>("sender-form");
  const name = byId<HTMLInputElement>("sender-name");
  name.value = storedText(NAME_KEY) ?? "";
  form.hidden = false;
  name.focus();
  form.onsubmit = (event) => {
    event.preventDefault();
    const given = name.value.trim();
    if (!given) return;
    storeText(NAME_KEY, given);
    form.hidden = true;
    const uploader = takeUploader(token, given, baseUrl);
    if (acceptedContainers) uploader.setAttribute("containers", acceptedContainers.join());
    // The rest changes with each upload; a failed request is ignored, because the uploader reports its own.
    const look = () => void api.openedLink().then(draw, () => {});
    for (const kind of ["upload-added", "upload-stored", "upload-removed"] as const)
      uploader.addEventListener(kind, look);
  };
}

function takeUploader(token: string, name: string, baseUrl: string): VideoUploader {
  const uploader = byId<VideoUploader>("uploader");
  uploader.texts = { "state.completed": language.text("sender.arrived") };
  byId("sender-upload").append(uploader);
  byId("sender-upload").hidden = false;
  uploader.apiUrl = baseUrl;
  uploader.bearLink(token, name);
  uploader.focus();
  return uploader;
}

function leftWords({ videosLeft, bytesLeft, expiresAt }: OpenedLink): string {
  const left = language.text("sender.left", { count: videosLeft, size: size(bytesLeft, language) });
  return `${left} · ${language.text("sender.until", { time: date(expiresAt, language) })}`;
}
