/** Upload a video in parts by the client that is generated from docs/openapi.json. */

import { createClient } from "./api/client";
import { completeUpload, listParts, showVideo, startUpload } from "./api/sdk.gen";

export async function upload(baseUrl: string, accessToken: string, fileName: string, content: Uint8Array<ArrayBuffer>) {
  const user = createClient({ baseUrl, auth: accessToken });
  const started = await startUpload({
    client: user,
    body: { fileName, contentType: "video/mp4", sizeBytes: content.length },
  });
  if (started.data === undefined) throw new Error(started.error.error.code);
  const { uploadId, fileKey, videoId, partSizeBytes, presignedUrls, uploadToken } = started.data;
  for (const { partNumber, url, sizeBytes, headers } of presignedUrls) {
    const start = (partNumber - 1) * partSizeBytes;
    const sent = await fetch(url, { method: "PUT", body: content.subarray(start, start + sizeBytes), headers });
    if (!sent.ok) throw new Error(await sent.text());
  }
  const owner = createClient({ baseUrl, auth: uploadToken });
  const stored = await listParts({ client: owner });
  if (stored.data === undefined) throw new Error(stored.error.error.code);
  const parts = stored.data.parts.map(({ partNumber, etag }) => ({ partNumber, etag }));
  const completed = await completeUpload({ client: owner, body: { parts, uploadId, fileKey } });
  if (completed.data === undefined) throw new Error(completed.error.error.code);
  const shown = await showVideo({ client: user, path: { videoId } });
  if (shown.data === undefined) throw new Error(shown.error.error.code);
  return { videoId, parts: parts.length, completed: completed.data.status, state: shown.data.state };
}
