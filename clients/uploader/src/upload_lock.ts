/** One tab alone sends an upload; the browser frees what a closed one held. */

import { UploadError } from "./upload_errors";
import type { VideoUpload } from "./video_upload";

const PREFIX = "upload ";

/** Two tabs must not send one upload at once. Resolves to what ends it; raises UploadError "sent_elsewhere". */
export function lock(videoId: string): Promise<() => void> {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(PREFIX + videoId, { ifAvailable: true }, (held) => {
        if (!held) throw new UploadError("sent_elsewhere");
        return new Promise<void>((unlock) => resolve(unlock));
      })
      .catch(reject);
  });
}

/** Another tab may go on with it. */
export function letGo(upload: VideoUpload): void {
  upload.unlock?.();
  upload.unlock = null;
}

/** Ids of the videos that tabs of this browser hold, this one included. */
export async function heldVideoIds(): Promise<ReadonlySet<string>> {
  const held = (await navigator.locks?.query())?.held ?? [];
  const names = held.map(({ name = "" }) => name).filter((name) => name.startsWith(PREFIX));
  return new Set(names.map((name) => name.slice(PREFIX.length)));
}
