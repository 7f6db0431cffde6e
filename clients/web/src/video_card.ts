/** View of one video in the library. */

import type { Video } from "video-uploader/api";
import { within } from "video-uploader/dom";
import { date, day, duration, size } from "video-uploader/format";
import { language, message } from "./language";
import { fromTemplate } from "./page";
import { cannotPlay, obstacleOf } from "./playability";
import { Preview } from "./preview";

export class VideoCard {
  readonly element = fromTemplate("video-template");
  readonly #play = within<HTMLButtonElement>(this.element, "[data-do=play]");
  readonly #edit = within<HTMLButtonElement>(this.element, "[data-do=edit]");
  readonly #download = within<HTMLButtonElement>(this.element, "[data-do=download]");
  readonly #delete = within<HTMLButtonElement>(this.element, "[data-do=delete]");
  readonly #preview: Preview;

  constructor(actions: {
    play: () => void;
    edit: () => void;
    download: () => void;
    remove: () => void;
    freshThumbnails: () => Promise<string | null>;
  }) {
    this.#preview = new Preview(this.#play, actions.freshThumbnails);
    this.#play.onclick = actions.play;
    this.#edit.onclick = actions.edit;
    this.#download.onclick = actions.download;
    this.#delete.onclick = actions.remove;
  }

  draw(video: Video, before?: Video): void {
    const isReady = video.state === "ready";
    const name = shownName(video);
    this.element.dataset.state = video.state;
    within(this.element, ".name").textContent = name;
    within(this.element, ".name").title = [name, video.description].filter(Boolean).join("\n\n");
    within(this.element, ".tags").textContent = (video.tags ?? []).join(" · ");
    within(this.element, ".tags").hidden = !video.tags?.length;
    within(this.element, ".facts").textContent = facts(video);
    within(this.element, ".facts").title = date(video.createdAt, language);
    within(this.element, ".state").textContent = isReady ? playbackWords(video) : stateWords(video);
    const expiry = expiryWords(video);
    within(this.element, ".expiry").textContent = expiry;
    within(this.element, ".expiry").hidden = expiry === "";
    within(this.element, ".duration").textContent = video.media ? duration(video.media.durationSeconds) : "";
    this.#play.disabled = !isReady;
    this.#play.setAttribute(
      "aria-label",
      language.text(isReady ? "video.play.named" : "video.unplayable.named", { name }),
    );
    this.#edit.setAttribute("aria-label", language.text("video.edit.named", { name }));
    this.#download.hidden = !isReady;
    this.#download.setAttribute("aria-label", language.text("video.download.named", { name }));
    this.#delete.setAttribute("aria-label", language.text("video.delete.named", { name }));
    this.#preview.draw(isReady ? (video.media?.thumbnails ?? null) : null, video.thumbnailsUrl ?? null);
    if (video.posterUrl && !before?.posterUrl) this.#showPoster(video.posterUrl);
  }

  #showPoster(url: string): void {
    const image = within<HTMLImageElement>(this.element, "img");
    image.onload = () => {
      image.hidden = false;
    };
    image.onerror = () => {
      image.hidden = true;
    };
    image.src = url;
  }
}

/** The title, or the file's name where it has none. */
export function shownName(video: Pick<Video, "title" | "fileName">): string {
  return video.title || video.fileName;
}

export function stateWords(video: Video): string {
  if (video.state === "rejected") return message(video.rejection);
  if (video.state === "ready") return language.text("video.ready");
  if (video.waitsFor === "malwareScan") return language.text("video.scanning");
  return language.text(video.state === "completing" ? "video.completing" : "video.processing");
}

/** Note on a ready video that does not play yet, or not at all; empty if this browser plays it. */
function playbackWords(video: Video): string {
  if (video.rendition?.state === "pending") return language.text("video.rendition.pending");
  const obstacle = obstacleOf(video);
  if (obstacle) return cannotPlay(obstacle);
  return video.rendition?.state === "failed" ? language.text("video.rendition.failed") : "";
}

/** The warning before the stage deletes the video; empty while that is far off. */
export function expiryWords(video: Video): string {
  if (!video.expiresSoon || !video.expiresAt) return "";
  return language.text("video.expiry", { day: day(video.expiresAt, language) });
}

function facts(video: Video): string {
  const each = [size(video.sizeBytes, language), day(video.createdAt, language)];
  if (video.uploaderName) each.push(language.text("video.sent_by", { name: video.uploaderName }));
  if (video.media) each.unshift(`${video.media.video.width} × ${video.media.video.height}`);
  return each.map((fact) => fact.replaceAll(" ", "\u00a0")).join(" · ");
}
