/** `<video-uploader>`: the custom element. README.md tells its attributes, events, texts and styles. */

import { ApiClient, ApiError, type UnfinishedUpload, type Video } from "./api";
import { ChecksumJob, type ChecksumRequest } from "./checksum";
import type { Probe } from "./connection";
import { acceptDrops, acceptPastes, type Gathered, videosIn } from "./dropped_files";
import { Duplicates, type KnownVideo } from "./duplicates";
import { canPick, pickedFiles } from "./file_handles";
import { message } from "./messages";
import { ScreenWakeLock } from "./screen_wake_lock";
import css from "./style.css?inline";
import { UnfinishedUploads } from "./unfinished_uploads";
import { UploadEngine } from "./upload_engine";
import { codeOf } from "./upload_errors";
import { UploadLink } from "./upload_link";
import { UploadList } from "./upload_list";
import { UploadSummary } from "./upload_summary";
import { detail, type VideoUploaderEventMap } from "./uploader_events";
import { type UploaderTexts, uploaderLanguage } from "./uploader_texts";
import { type Limits, type Problem, Uploads } from "./uploads";
import { VideoLooks } from "./video_looks";
import { ACCEPT, extensionsIn, typeLabels } from "./video_types";
import type { VideoUpload } from "./video_upload";
import { View } from "./view";

/** Gives an access token of the platform. renew: the one before was refused. */
export type AccessToken = (options?: { renew?: boolean }) => Promise<string>;

type Detail<Name extends keyof VideoUploaderEventMap> = VideoUploaderEventMap[Name]["detail"];

const SHOWN_REFUSED = 4;
const PROGRESS_EVERY_MS = 100;
/** Properties that a page may have set before the element was defined. */
const PROPERTIES = ["accessToken", "apiUrl", "texts"] as const;

export class VideoUploader extends HTMLElement {
  static readonly observedAttributes = ["api-url", "accept", "containers", "max-files", "locale"];

  /** True if the uploader asks the platform what became of the videos; false: the page tells it by `processed`. */
  followsProcessing = true;
  /** True if the browser asks before the page is left while uploads run. */
  warnsBeforeLeaving = true;
  /** Videos of the library that the page knows; a person is asked before one of them is uploaded again. */
  knownVideos: () => Iterable<KnownVideo> = () => [];
  /** Asks for something small to learn whether the line is there. Rejects as fetch does. */
  probe: Probe = (signal) =>
    fetch(`${this.apiUrl}/health`, { mode: "no-cors", cache: "no-store", signal }).then(() => true);
  readonly #view: View;
  readonly #sum = (request: ChecksumRequest) => new ChecksumJob(request, this.getAttribute("worker-url") ?? "");
  #language = uploaderLanguage(navigator.languages);
  #accessToken: AccessToken | null = null;
  #texts: UploaderTexts = {};
  #link: UploadLink | null = null;
  #uploads: Uploads | null = null;
  #unfinished: UnfinishedUploads | null = null;
  #list: UploadList | null = null;
  #summary: UploadSummary | null = null;
  #wakeLock: ScreenWakeLock | null = null;
  #looks: VideoLooks | null = null;
  #engine: UploadEngine | null = null;
  #whileConnected = new AbortController();
  #isConfigured = () => {};
  readonly #configured = new Promise<void>((resolve) => {
    this.#isConfigured = resolve;
  });

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    this.#view = new View(root, this.#language, (text) => !this.#tell("uploader-message", { text }));
    const { picker, camera, folder } = this.#view;
    for (const input of [picker, camera]) {
      input.onchange = () => {
        void this.add([...(input.files ?? [])]);
        input.value = ""; // so that the same file can be chosen again
      };
    }
    picker.onclick = (event) => this.#pick(event);
    folder.onchange = () => {
      void this.#gathered(videosIn(folder.files ?? []));
      folder.value = "";
    };
  }

  /** Address of the API, without a slash at its end; it stays what it was when the first call was made. */
  get apiUrl(): string {
    const given = this.getAttribute("api-url");
    return given === null ? "" : new URL(given, location.href).href.replace(/\/$/, "");
  }

  set apiUrl(url: string) {
    this.setAttribute("api-url", url);
  }

  /** Gives the access token of the person who uploads. Nothing is asked of the platform before it is set. */
  get accessToken(): AccessToken | null {
    return this.#accessToken;
  }

  set accessToken(give: AccessToken | null) {
    this.#accessToken = give;
    this.#configure();
  }

  /** Begin uploads by an upload link, in place of an account; the platform tells no bearer what became of a video. */
  bearLink(token: string, uploaderName: string): void {
    this.#link = new UploadLink(token, uploaderName);
    this.followsProcessing = false;
    this.#configure();
  }

  /** Texts that replace the uploader's own, by the keys of texts/en.json. */
  get texts(): UploaderTexts {
    return this.#texts;
  }

  set texts(texts: UploaderTexts) {
    this.#texts = texts;
    this.#speak();
  }

  /** True if leaving the page would end something. */
  get isBusy(): boolean {
    return this.#uploads?.isBusy ?? false;
  }

  /** True if leaving the page would end something, or lose the file of an upload that could go on. */
  get isNeeded(): boolean {
    return this.#uploads?.isNeeded ?? false;
  }

  /** True if the person is signed in. While not, `accessToken` may wait, and rows of uploads that are to begin say so. */
  set isSignedIn(isSignedIn: boolean) {
    if (this.#uploads) this.#uploads.isSignedIn = isSignedIn;
  }

  connectedCallback(): void {
    for (const name of PROPERTIES) this.#takeOver(name);
    this.#whileConnected = new AbortController();
    const { signal } = this.#whileConnected;
    this.#acceptFiles(signal);
    this.#wakeLock = new ScreenWakeLock(() => this.isBusy, signal);
    window.addEventListener(
      "beforeunload",
      (event) => {
        if (this.warnsBeforeLeaving && this.isBusy) event.preventDefault();
      },
      { signal },
    );
    this.#speak();
    this.#configure();
  }

  /** Uploads go on: an element that is moved is disconnected as well. */
  disconnectedCallback(): void {
    this.#whileConnected.abort();
    this.#view.dismiss();
  }

  attributeChangedCallback(name: string): void {
    if (name === "api-url") this.#configure();
    else this.#speak();
  }

  /** Upload files, or go on with those that wait. Resolves when they are in the list or refused. */
  async add(files: Iterable<File>): Promise<void> {
    const chosen = [...files];
    await this.#configured;
    const duplicates = new Duplicates(this.knownVideos(), this.#sum);
    const doubtful = chosen.filter((file) => duplicates.mayBe(file));
    // Reading and asking take a while: the others begin meanwhile.
    await this.#uploads?.add(chosen.filter((file) => !doubtful.includes(file)));
    if (doubtful.length) await this.#uploads?.add(await this.#wanted(doubtful, await duplicates.among(doubtful)));
  }

  /** Begin what was added; needed with `manual-start` alone. */
  start(): void {
    this.#uploads?.start();
  }

  /** Tell what the page knows of a video; the row of its upload shows it. */
  processed(video: Video): void {
    this.#uploads?.processed(video);
  }

  /** Tell that a video is no longer there. */
  deleted(videoId: string): void {
    this.#uploads?.deleted(videoId);
  }

  /** Stop everything; what the platform has of an upload waits to go on. */
  close(): void {
    this.#engine?.close();
    this.#looks?.close();
  }

  override addEventListener<Name extends keyof VideoUploaderEventMap>(
    name: Name,
    listener: (this: VideoUploader, event: VideoUploaderEventMap[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    name: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(name: string, listener: never, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(name, listener, options);
  }

  override focus(options?: FocusOptions): void {
    this.#view.picker.focus(options);
  }

  /** A property that was set before the element was defined hides the accessor. */
  #takeOver(name: (typeof PROPERTIES)[number]): void {
    if (!Object.hasOwn(this, name)) return;
    const value = Reflect.get(this, name);
    Reflect.deleteProperty(this, name);
    Reflect.set(this, name, value);
  }

  /** Once both are known: where the API is, and whose videos these are. */
  #configure(): void {
    if (this.#uploads || !this.isConnected || !this.hasAttribute("api-url")) return;
    if (!this.#accessToken && !this.#link) return;
    const token: AccessToken = (options) => this.#accessToken?.(options) ?? Promise.reject({ code: "unauthorized" });
    const api = new ApiClient(this.apiUrl, token, "", undefined, this.#link);
    const engine = new UploadEngine(api, (signal) => this.probe(signal), { sum: this.#sum });
    const uploads: Uploads = new Uploads({
      engine,
      unfinished: (of) => {
        const onChosen = (files: ReadonlyMap<File, UnfinishedUpload>) => void of.resume(files);
        this.#unfinished = new UnfinishedUploads(api, this.#view, (videoId) => of.has(videoId), onChosen);
        return this.#unfinished;
      },
      observer: {
        added: (upload) => this.#added(upload),
        changed: (upload) => this.#changed(upload),
        removed: (upload) => {
          this.#list?.remove(upload);
          this.#summary?.draw();
          this.#tell("upload-removed", detail(upload));
        },
        refused: (problems) => this.#refused(problems),
      },
      limits: () => this.#limits(),
    });
    this.#engine = engine;
    this.#uploads = uploads;
    this.#list = new UploadList(this.#view, uploads);
    this.#summary = new UploadSummary(this.#view, uploads);
    this.#looks = new VideoLooks(
      () => this.#followed(),
      (videoId) => this.#look(api, videoId),
    );
    this.#isConfigured();
    this.#unfinished?.show().catch((error: unknown) => this.#view.tell(message(error, this.#language)));
  }

  #speak(): void {
    const locale = this.getAttribute("locale");
    this.#language = uploaderLanguage(locale ? [locale] : navigator.languages, this.#texts);
    const { extensions, maxFiles } = this.#limits();
    this.#view.picker.accept = extensions?.join() ?? ACCEPT;
    this.#view.picker.multiple = maxFiles > 1;
    this.#view.formats.textContent = this.#types();
    this.#view.speak(this.#language);
    this.#list?.draw();
    this.#summary?.draw();
    this.#unfinished?.draw();
  }

  #limits(): Limits {
    const wanted = listed(this.getAttribute("accept"));
    const containers = listed(this.getAttribute("containers"));
    const taken = containers && extensionsIn(containers);
    const extensions = wanted && taken ? wanted.filter((each) => taken.includes(each)) : (wanted ?? taken);
    const maxFiles = Number(this.getAttribute("max-files") ?? Infinity);
    return {
      extensions,
      containers,
      maxFiles: maxFiles > 0 ? maxFiles : Infinity,
      isManual: this.hasAttribute("manual-start"),
    };
  }

  #added(upload: VideoUpload): void {
    this.#list?.add(upload);
    this.#summary?.draw();
    this.#wakeLock?.update();
    this.#tell("upload-added", detail(upload));
    let isDue = false;
    upload.addEventListener("progress", () => {
      this.#summary?.drawSoon();
      if (isDue) return;
      isDue = true;
      setTimeout(() => {
        isDue = false;
        const { sentBytes, bytesPerSecond, file } = upload;
        this.#tell("upload-progress", { ...detail(upload), sentBytes, sizeBytes: file.size, bytesPerSecond });
      }, PROGRESS_EVERY_MS);
    });
  }

  #changed(upload: VideoUpload): void {
    const { state, error } = upload;
    this.#summary?.drawSoon();
    this.#wakeLock?.update();
    this.#tell("upload-state", detail(upload));
    if (state === "completed") {
      this.#tell("upload-stored", detail(upload));
      this.#looks?.soon();
    }
    if (state === "failed") this.#tell("upload-error", { ...detail(upload), ...this.#words(error) });
    if (state === "ready") this.#tell("upload-complete", { ...detail(upload), state, code: "", message: "" });
    if (state === "rejected") this.#tell("upload-complete", { ...detail(upload), state, ...this.#words(error) });
  }

  #refused(problems: ReadonlyMap<File, Problem>): void {
    const lines: string[] = [];
    for (const [file, { code, details }] of problems) {
      const words = message({ code, details }, this.#language, this.#types());
      this.#tell("upload-refused", { file, code, message: words });
      lines.push(this.#language.text("message.of_file", { name: file.name, message: words }));
    }
    const count = lines.splice(SHOWN_REFUSED).length;
    if (count) lines.push(this.#language.text("message.more", { count }));
    this.#view.tell(lines.join("\n"));
  }

  /** Ids of the videos of which the platform has not told the end. */
  #followed(): string[] {
    if (!this.followsProcessing) return [];
    const stored = this.#uploads?.all.filter(({ state }) => state === "completed") ?? [];
    return stored.map(({ videoId }) => videoId).filter((videoId) => videoId !== null);
  }

  async #look(api: ApiClient, videoId: string): Promise<void> {
    try {
      this.processed(await api.video(videoId));
    } catch (error) {
      if (error instanceof ApiError && error.code === "video_not_found") this.deleted(videoId);
    }
  }

  #words(error: unknown): { code: string; message: string } {
    return { code: codeOf(error), message: message(error, this.#language, this.#types()) };
  }

  /** For people: what is accepted here. */
  #types(): string {
    return typeLabels(this.#language.locale, this.#limits().extensions ?? undefined);
  }

  /** On the element, or anywhere on the page: there, a file that misses the element would replace the page. */
  #acceptFiles(signal: AbortSignal): void {
    const area = this.hasAttribute("whole-page-drop") ? document : this;
    const { drop } = this.#view;
    acceptDrops(area, {
      over: (isOver) => drop.classList.toggle("over", isOver),
      dropped: (found) => void this.#gathered(found),
      failed: () => this.#view.tell(this.#language.text("error.file_unreadable")),
      signal,
    });
    acceptPastes(area, (files) => void this.add(files), signal);
  }

  /** The files that are to be uploaded; of those that the library has already, what the person says. */
  async #wanted(files: readonly File[], duplicates: ReadonlySet<File>): Promise<readonly File[]> {
    const [first] = duplicates;
    if (!first) return files;
    const language = this.#language;
    const isWanted = await this.#view.confirmed({
      title: language.text("duplicates.title", { name: first.name, count: duplicates.size }),
      text: language.text("duplicates.text", { count: duplicates.size }),
      yes: language.text("duplicates.yes"),
      no: language.text("duplicates.no"),
      deletes: false,
    });
    if (isWanted) return files;
    const words = this.#words({ code: "already_uploaded" });
    for (const file of duplicates) this.#tell("upload-refused", { file, ...words });
    return files.filter((file) => !duplicates.has(file));
  }

  /** By handles, where the browser has them: after a reload the files need not be searched. */
  #pick(event: Event): void {
    if (!event.isTrusted || !canPick()) return;
    event.preventDefault();
    const { extensions, maxFiles } = this.#limits();
    void pickedFiles(extensions ? [...extensions] : ACCEPT.split(","), maxFiles > 1).then((files) => {
      if (files) return this.add(files);
      this.#view.picker.click();
    });
  }

  async #gathered({ files, skippedCount }: Gathered): Promise<void> {
    if (skippedCount) this.#view.tell(this.#language.text("drop.skipped", { count: skippedCount }));
    await this.add(files);
  }

  /** False when the page prevented it. */
  #tell<Name extends keyof VideoUploaderEventMap>(name: Name, told: Detail<Name>): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail: told, bubbles: true, cancelable: true }));
  }
}

/** The entries of an attribute, in small letters; null without it. */
function listed(attribute: string | null): string[] | null {
  return attribute?.split(",").map((each) => each.trim().toLowerCase()) ?? null;
}

declare global {
  interface HTMLElementTagNameMap {
    "video-uploader": VideoUploader;
  }
}

if (!customElements.get("video-uploader")) customElements.define("video-uploader", VideoUploader);
