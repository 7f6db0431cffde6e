/** The line above the library: how much of the person's limits is used. */

import type { ApiClient } from "video-uploader/api";
import type { Usage } from "video-uploader/contract";
import { size } from "video-uploader/format";
import { language } from "./language";
import { byId } from "./page";

export class UsageLine {
  readonly #api: ApiClient;
  readonly #line = byId("usage");

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** Never rejects: without figures the line stays as it is. */
  async refresh(): Promise<void> {
    try {
      const words = usageWords(await this.#api.usage());
      this.#line.textContent = words;
      this.#line.hidden = words === "";
    } catch {
      // The library tells when the API cannot be reached.
    }
  }
}

function usageWords(usage: Usage): string {
  const space = usage.maxStoredBytes && {
    used: size(usage.storedBytes + usage.reservedBytes, language),
    limit: size(usage.maxStoredBytes, language),
  };
  const videos = usage.maxStoredVideos && {
    used: usage.storedVideos + usage.reservedVideos,
    count: usage.maxStoredVideos,
  };
  return [space && language.text("usage.space", space), videos && language.text("usage.videos", videos)]
    .filter(Boolean)
    .join(" · ");
}
