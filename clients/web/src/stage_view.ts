/**
 * The administrators' view: search, play and delete the videos of all users, and see the stage's usage.
 *
 * Each call is on record at the operators': nothing is loaded before the person asks for it.
 */

import { type ApiClient, ApiError } from "video-uploader/api";
import type { ListedVideo, StageUsage } from "video-uploader/contract";
import { within } from "video-uploader/dom";
import { date, day, size } from "video-uploader/format";
import { pause } from "video-uploader/waiting";
import { language, message } from "./language";
import { announce, byId, confirmed, fromTemplate, showBanner } from "./page";
import { obstacleOf } from "./playability";
import { play } from "./player";
import { shownName } from "./video_card";

const PAUSE_AFTER_EMPTY_PAGE_MS = 250;
const STATES = {
  uploading: "stage.state.uploading",
  completing: "stage.state.completing",
  processing: "stage.state.processing",
  rejected: "stage.state.rejected",
  aborted: "stage.state.aborted",
  expired: "stage.state.expired",
} as const;

export class StageView {
  readonly #api: ApiClient;
  readonly #list = byId("stage-videos");
  readonly #more = byId<HTMLButtonElement>("stage-more");
  readonly #search = byId<HTMLButtonElement>("stage-search");
  #wanted = { owner: "", query: "" };
  #cursor: string | null = null;

  constructor(api: ApiClient) {
    this.#api = api;
    byId<HTMLFormElement>("stage-form").onsubmit = (event) => {
      event.preventDefault();
      this.#wanted = { owner: typed("stage-owner"), query: typed("stage-name") };
      this.#cursor = null;
      this.#list.replaceChildren();
      void this.#load();
      void this.#drawUsage();
    };
    this.#more.onclick = () => void this.#load();
  }

  show(): void {
    byId("stage").hidden = false;
  }

  async #load(): Promise<void> {
    this.#search.disabled = true;
    this.#more.disabled = true;
    byId("stage-empty").hidden = true;
    try {
      // A call looks at a limited number of videos: a page without one is not the end.
      while (!(await this.#loadPage())) await pause(PAUSE_AFTER_EMPTY_PAGE_MS);
      const count = this.#list.childElementCount;
      byId("stage-empty").hidden = count > 0;
      announce(language.text("library.count", { count }));
    } catch (error) {
      showBanner(message(error));
    } finally {
      this.#search.disabled = false;
      this.#more.disabled = false;
      this.#more.hidden = this.#cursor === null;
    }
  }

  async #loadPage(): Promise<boolean> {
    const { videos, nextCursor } = await this.#api.stageVideos(this.#wanted, this.#cursor);
    this.#cursor = nextCursor;
    this.#list.append(...videos.map((video) => this.#row(video)));
    return videos.length > 0 || nextCursor === null;
  }

  #row(video: ListedVideo): HTMLElement {
    const row = fromTemplate("stage-video-template");
    const name = shownName(video);
    within(row, ".name").textContent = name;
    const isReady = video.state === "ready";
    const state = video.state === "ready" ? "" : language.text(STATES[video.state]);
    const facts = [size(video.sizeBytes, language), day(video.createdAt, language), state].filter(Boolean);
    within(row, ".facts").textContent = facts.join(" · ");
    within(row, ".owner").textContent = language.text("stage.of_owner", { owner: video.owner });
    const playButton = within<HTMLButtonElement>(row, "[data-do=play]");
    playButton.hidden = !isReady;
    playButton.setAttribute("aria-label", language.text("video.play.named", { name }));
    playButton.onclick = () => void this.#play(video);
    const deleteButton = within<HTMLButtonElement>(row, "[data-do=delete]");
    deleteButton.setAttribute("aria-label", language.text("video.delete.named", { name }));
    deleteButton.onclick = () => void this.#delete(video, row);
    return row;
  }

  async #play({ owner, videoId }: ListedVideo): Promise<void> {
    try {
      const video = await this.#api.stageVideo(owner, videoId);
      if (!video.playbackUrl || !video.downloadUrl) return;
      play({
        title: shownName(video),
        fileName: video.fileName,
        url: video.playbackUrl,
        freshUrl: async () => (await this.#api.stageVideo(owner, videoId)).playbackUrl,
        downloadUrl: video.downloadUrl,
        obstacle: obstacleOf(video),
        expiry: "",
      });
    } catch (error) {
      showBanner(message(error));
    }
  }

  async #delete(video: ListedVideo, row: HTMLElement): Promise<void> {
    const name = shownName(video);
    const sure = await confirmed({
      title: language.text("delete.title", { name }),
      text: language.text("stage.delete.text", { owner: video.owner }),
      yes: language.text("delete.yes"),
      no: language.text("delete.no"),
    });
    if (!sure) return;
    try {
      await this.#api.deleteStageVideo(video.owner, video.videoId);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "video_not_found")) {
        showBanner(language.text("message.of_file", { name, message: message(error) }));
        return;
      }
    }
    row.remove();
    this.#search.focus();
    announce(language.text("video.deleted", { name }));
  }

  /** Never rejects: without figures the line stays as it is. */
  async #drawUsage(): Promise<void> {
    try {
      const line = byId("stage-usage");
      line.textContent = usageWords(await this.#api.stageUsage());
      line.hidden = false;
    } catch {
      // The list tells when the API cannot be reached.
    }
  }
}

function typed(id: string): string {
  return byId<HTMLInputElement>(id).value.trim();
}

function usageWords({ storedBytes, storedVideos, countedAt, maxStoredBytes }: StageUsage): string {
  if (storedBytes === null || storedVideos === null || countedAt === null) return language.text("stage.uncounted");
  const used = size(storedBytes, language);
  const limit = maxStoredBytes === null ? "" : size(maxStoredBytes, language);
  const space = limit ? language.text("usage.space", { used, limit }) : language.text("stage.space", { used });
  const counted = language.text("stage.counted", { time: date(countedAt, language) });
  return [space, language.text("library.count", { count: storedVideos }), counted].join(" · ");
}
