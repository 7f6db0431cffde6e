import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UploadError } from "../src/upload_errors";
import type { VideoUpload } from "../src/video_upload";
import { VideoUploader } from "../src/video_uploader";

const API = "https://videos.example.com/api";
const FILM = new File(["\0\0\0\x18ftypisom"], "film.mp4");

let asked: string[];
let uploader: VideoUploader;

/** An API that has nothing listed, and begins no upload until the test is over. */
async function fakeFetch(address: string): Promise<Response> {
  asked.push(address);
  if (address.endsWith("/uploads")) return Response.json({ uploads: [] });
  return new Promise(() => {});
}

beforeEach(() => {
  asked = [];
  vi.stubGlobal("fetch", fakeFetch);
  uploader = document.createElement("video-uploader");
  document.body.append(uploader);
});

afterEach(() => {
  uploader.close();
  uploader.remove();
});

function configure(): void {
  uploader.apiUrl = `${API}/`;
  uploader.accessToken = async () => "token";
}

function shown(selector: string): string[] {
  return [...(uploader.shadowRoot?.querySelectorAll<HTMLElement>(selector) ?? [])].map(
    (each) => each.textContent ?? "",
  );
}

test("nothing is asked before the page told where and for whom, in whatever order", async () => {
  uploader.accessToken = async () => "token";
  expect(asked).toEqual([]);
  uploader.apiUrl = `${API}/`;
  await vi.waitFor(() => expect(asked).toEqual([`${API}/uploads`]));
});

test("files that are added earlier wait for it", async () => {
  const added = uploader.add([FILM]);
  expect(shown(".name")).toEqual([]);
  configure();
  await added;
  expect(shown(".name")).toEqual([FILM.name]);
  await vi.waitFor(() => expect(asked).toContain(`${API}/multipart/init`));
});

test("an upload waits for its start where the page wants that", async () => {
  uploader.setAttribute("manual-start", "");
  configure();
  await uploader.add([FILM]);
  const button = uploader.shadowRoot?.querySelector("[data-do=toggle]");
  expect(button?.getAttribute("aria-label")).toBe(`Start ${FILM.name}`);
  expect(asked).toEqual([`${API}/uploads`]);
  uploader.start();
  await vi.waitFor(() => expect(asked).toContain(`${API}/multipart/init`));
});

test("an upload tells its whole life, with words in the uploader's language", async () => {
  const told: [string, unknown][] = [];
  const names = ["upload-added", "upload-stored", "upload-complete", "upload-error", "upload-removed"] as const;
  for (const name of names) {
    uploader.addEventListener(name, ({ detail }) => told.push([name, "message" in detail ? detail.message : ""]));
  }
  uploader.setAttribute("locale", "de");
  configure();
  uploader.setAttribute("manual-start", "");
  const added: VideoUpload[] = [];
  uploader.addEventListener("upload-added", ({ detail }) => added.push(detail.upload));
  await uploader.add([FILM]);
  for (const upload of added) {
    upload.to("failed", new UploadError("file_unreadable"));
    upload.to("completed");
    upload.to("rejected", { code: "not_a_video" });
    upload.to("cancelled");
  }
  expect(told).toEqual([
    ["upload-added", ""],
    ["upload-error", "Diese Datei wurde verschoben, geändert oder gelöscht. Wählen Sie sie noch einmal aus."],
    ["upload-stored", ""],
    ["upload-complete", "Diese Datei ist kein Video. Wählen Sie eine andere Datei."],
    ["upload-removed", ""],
  ]);
});

test("a message is shown, unless the page prevents it", async () => {
  configure();
  const text = () => uploader.shadowRoot?.querySelector<HTMLElement>("[role=alert]");
  const files = [new File(["x"], "notes.txt"), new File([], "empty.mp4")];
  uploader.addEventListener("uploader-message", (event) => event.preventDefault(), { once: true });
  await uploader.add(files);
  expect(text()?.hidden).toBe(true);
  await uploader.add(files);
  expect(text()?.hidden).toBe(false);
  expect(text()?.textContent).toContain("empty.mp4: This file is empty.");
});

test("texts that come late are in all that is shown, and the others stay", async () => {
  configure();
  await uploader.add([FILM]);
  uploader.texts = { "drop.title": "Films here", "state.sending": "On its way" };
  expect(shown(".for-mouse")).toEqual(["Films here"]);
  expect(shown(".upload .status")).toEqual(["On its way"]);
  expect(shown("label[for=files]")).toEqual(["Choose videos"]);
});

test("a property that was set before the element was there counts", async () => {
  const early = new VideoUploader();
  Object.defineProperty(early, "apiUrl", { value: API, configurable: true, writable: true });
  early.accessToken = async () => "token";
  document.body.append(early);
  await vi.waitFor(() => expect(asked).toEqual([`${API}/uploads`]));
  early.close();
  early.remove();
});

test("what the stage does not accept is neither offered nor taken, by name and by content, in the same formats", async () => {
  const told: string[] = [];
  uploader.addEventListener("upload-refused", ({ detail }) => told.push(detail.message));
  uploader.setAttribute("locale", "en-GB");
  uploader.setAttribute("containers", "mp4,3gpp");
  uploader.setAttribute("manual-start", "");
  configure();
  const picker = uploader.shadowRoot?.querySelector<HTMLInputElement>("#files");
  expect(picker?.accept).toBe(".mp4,.m4v,.3gp,.3gpp,.3g2");
  const named = new File(["OggS"], "film.ogv");
  const filled = new File(["OggS"], "film.mp4");
  await uploader.add([named, filled, FILM]);
  expect(told.map((words) => words.replace(/^.*[.] /, ""))).toEqual(
    Array(2).fill("Choose a video in one of these formats: MP4, 3GP or 3G2."),
  );
  expect(shown(".name")).toEqual([FILM.name]);
  expect(asked).toEqual([`${API}/uploads`]);
  uploader.setAttribute("accept", ".mp4,.mov");
  expect(picker?.accept).toBe(".mp4");
});
