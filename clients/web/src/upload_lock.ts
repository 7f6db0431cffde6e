/** One tab alone sends an upload; the browser frees what a closed one held. */

import { UploadError } from "./upload_errors";
import type { VideoUpload } from "./video_upload";

/** Two tabs must not send one upload at once. Resolves to what ends it; raises UploadError "sent_elsewhere". */
export function lock(name: string): Promise<() => void> {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, { ifAvailable: true }, (held) => {
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
