import { expect, test } from "vitest";
import type { UnfinishedUploads } from "../src/unfinished_uploads";
import type { UploadEngine } from "../src/upload_engine";
import { UploadError } from "../src/upload_errors";
import { totalsOf } from "../src/upload_totals";
import { Uploads } from "../src/uploads";
import type { UploadState } from "../src/video_upload";

const FILM_BYTES = 1000;
const FILM = "\0\0\0\x18ftyp".padEnd(FILM_BYTES, "\0");

/** An engine that does at once what it is told. */
function listOf(count: number): { uploads: Uploads; ready: Promise<void> } {
  const engine: Pick<UploadEngine, "run" | "pause" | "cancel" | "remove"> = {
    run: (upload) => upload.to("sending"),
    pause: (upload) => upload.to("paused"),
    cancel: async (upload) => upload.to("cancelled"),
    remove: () => {},
  };
  const unfinished: Pick<UnfinishedUploads, "show" | "of" | "dropMine" | "forget"> = {
    show: async () => {},
    of: () => undefined,
    dropMine: () => {},
    forget: () => {},
  };
  const uploads = new Uploads({
    engine: engine as UploadEngine,
    unfinished: () => unfinished as UnfinishedUploads,
    observer: { added: () => {}, changed: () => {}, removed: () => {}, refused: () => {} },
    limits: () => ({ extensions: null, containers: null, maxFiles: Infinity, isManual: false }),
  });
  const files = Array.from({ length: count }, (_, index) => new File([FILM], `${index}.mp4`));
  return { uploads, ready: uploads.add(files) };
}

function states(uploads: Uploads): UploadState[] {
  return uploads.all.map(({ state }) => state);
}

async function listed(count: number): Promise<Uploads> {
  const { uploads, ready } = listOf(count);
  await ready;
  return uploads;
}

test("pausing all begins none of those that wait, and resuming begins one", async () => {
  const uploads = await listed(3);
  expect(states(uploads)).toEqual(["sending", "waiting", "waiting"]);
  uploads.pauseAll();
  expect(states(uploads)).toEqual(["paused", "paused", "paused"]);
  uploads.resumeAll();
  expect(states(uploads)).toEqual(["sending", "waiting", "waiting"]);
});

test("retrying all leaves alone what no other try can mend", async () => {
  const uploads = await listed(3);
  const [first, second, third] = uploads.all;
  first?.to("failed", new UploadError("forbidden"));
  second?.to("failed", new UploadError("internal_error"));
  third?.to("ready");
  uploads.retryAll();
  expect(states(uploads)).toEqual(["failed", "sending", "ready"]);
});

test("cancelling all begins none of them, and finished ones stay", async () => {
  const uploads = await listed(4);
  const begun: string[] = [];
  for (const upload of uploads.all) {
    upload.addEventListener("state", () => upload.state === "sending" && begun.push(upload.file.name));
  }
  uploads.all[3]?.to("ready");
  await uploads.cancelAll();
  expect(states(uploads)).toEqual(["ready"]);
  expect(begun).toEqual([]);
});

test("clearing removes what is ready or rejected, and nothing that still has to be said", async () => {
  const uploads = await listed(4);
  const [first, second, third] = uploads.all;
  first?.to("ready");
  second?.to("rejected");
  third?.to("completed");
  uploads.clearFinished();
  expect(states(uploads)).toEqual(["completed", "sending"]);
});

test("totals count every byte, and tell what may be done", async () => {
  const uploads = await listed(4);
  const [first, second, third] = uploads.all;
  first?.to("completed");
  second?.to("failed", new UploadError("internal_error"));
  third?.to("rejected");
  expect(totalsOf(uploads.all)).toEqual({
    count: 4,
    storedCount: 2,
    sizeBytes: 4 * FILM_BYTES,
    sentBytes: 2 * FILM_BYTES,
    bytesPerSecond: 0,
    secondsLeft: null,
    canPause: true,
    canResume: false,
    canRetry: true,
    canCancel: true,
    canClear: true,
  });
});

test("nothing may be done with an empty list", async () => {
  const totals = totalsOf((await listed(0)).all);
  expect(Object.values(totals).filter((value) => value === true)).toEqual([]);
});
