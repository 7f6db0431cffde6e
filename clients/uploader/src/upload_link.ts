/** An upload link: what its bearer needs in place of an account. */

import { dropText, storedKeys, storedText, storeText } from "./browser_storage";
import type { NewLinkUpload, OpenedLink, StartedUpload } from "./contract";

/** Memory of an upload by a link in this browser: the platform lists none to a bearer. */
export type BegunByLink = Pick<
  StartedUpload,
  "videoId" | "uploadId" | "fileKey" | "partSizeBytes" | "partCount" | "uploadToken" | "expiresAt"
> &
  Pick<NewLinkUpload, "fileName" | "sizeBytes" | "uploaderName"> & {
    contentType: NewLinkUpload["contentType"];
    correlationId: string;
    startedAt: string;
  };

export type { OpenedLink };

const PREFIX = "video-uploader.link.";

export class UploadLink {
  readonly token: string;
  readonly #prefix: string;
  /** Name that the bearer gave. */
  uploaderName: string;

  constructor(token: string, uploaderName: string) {
    this.token = token;
    this.uploaderName = uploaderName;
    // The MAC tells links apart; a part of it opens nothing.
    this.#prefix = `${PREFIX}${token.slice(-12)}.`;
  }

  /** Uploads that this browser began by the link, newest first. */
  get begun(): BegunByLink[] {
    const keys = storedKeys().filter((key) => key.startsWith(this.#prefix));
    const found = keys.map((key) => parsed(storedText(key))).filter((each) => each !== null);
    return found.sort((one, other) => other.startedAt.localeCompare(one.startedAt));
  }

  remember(begun: BegunByLink): void {
    storeText(this.#prefix + begun.videoId, JSON.stringify(begun));
  }

  forget(videoId: string): void {
    dropText(this.#prefix + videoId);
  }
}

function parsed(text: string | null): BegunByLink | null {
  try {
    return text ? (JSON.parse(text) as BegunByLink) : null;
  } catch {
    return null;
  }
}
