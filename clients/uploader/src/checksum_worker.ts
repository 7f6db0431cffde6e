/** Reads a file once, beside the upload, and answers with its checksums. */

import type { ChecksumRequest, Checksums } from "./checksum";
import { crcMaker } from "./crc64nvme_compiled";
import { piecesOf } from "./file_pieces";

const newCrc = crcMaker();

// biome-ignore lint/suspicious/noGlobalAssign: a worker hears of its work by this handler.
onmessage = async ({ data: { file, partSizeBytes } }: MessageEvent<ChecksumRequest>) => {
  const answer: Checksums = { whole: await checksum(file), parts: [] };
  if (partSizeBytes) {
    for (let from = 0; from < file.size; from += partSizeBytes) {
      answer.parts.push(await checksum(file.slice(from, from + partSizeBytes)));
    }
  }
  postMessage(answer);
};

async function checksum(bytes: Blob): Promise<string> {
  const crc = newCrc();
  for await (const piece of piecesOf(bytes)) crc.update(piece);
  return crc.base64();
}

// Without it a file that cannot be read would end in silence.
addEventListener("unhandledrejection", (event) => {
  throw event.reason;
});
