import { type ApiClient, ApiError, type ProgressBatch, type Video } from "video-uploader/api";
import { PROGRESS } from "video-uploader/contract";
import { UploadError } from "video-uploader/upload_errors";
import { PartsDiffered, VideoUpload } from "video-uploader/video_upload";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { version } from "../package.json";
import { Telemetry } from "../src/telemetry";

const INTERVAL_MS = 30_000;

/** The API as telemetry sees it: remembers what it is told, and fails as often as it is told to. */
class Sink {
  readonly batches: (ProgressBatch & { isLeaving: boolean })[] = [];
  failures: unknown[] = [];

  async tellProgress(batch: ProgressBatch, { isLeaving }: { isLeaving: boolean }): Promise<void> {
    this.batches.push({ ...batch, isLeaving });
    const failure = this.failures.shift();
    if (failure) throw failure;
  }

  get events(): string[] {
    return this.batches.flatMap(({ events }) =>
      events.map((told) => ("state" in told ? `${told.event} ${told.state}` : told.event)),
    );
  }
}

let sink: Sink;
let telemetry: Telemetry;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "debug").mockImplementation(() => {});
  localStorage.clear();
  sink = new Sink();
  telemetry = new Telemetry(sink);
  telemetry.isOn = true;
});

afterEach(() => {
  telemetry.isOn = false; // a page that is over tells nothing of the next one's uploads
  vi.useRealTimers();
});

function watched(videoId = "video"): VideoUpload {
  const upload = new VideoUpload(new File(["0123456789"], "my holiday.mp4"), "video/mp4");
  telemetry.watch(upload);
  const opened = { videoId, uploadId: "id", fileKey: "key", uploadToken: "token" };
  upload.begun({ ...opened, partSizeBytes: 5, partCount: 2 }, [], {} as ApiClient);
  upload.to("sending");
  return upload;
}

async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

function hide(): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange"));
}

test("an upload's beginning is told within the interval, with sizes and times and without names", async () => {
  const upload = watched();
  await pass(INTERVAL_MS - 1);
  expect(sink.batches).toEqual([]);
  await pass(1);
  const [batch] = sink.batches;
  expect(batch?.client).toBe(`web/${version}`);
  expect(batch?.events).toEqual([
    {
      event: "uploadBegan",
      at: expect.any(Number),
      videoId: "video",
      correlationId: upload.correlationId,
      sizeBytes: 10,
      sentBytes: 0,
      partCount: 2,
    },
  ]);
  expect(JSON.stringify(sink.batches)).not.toMatch(/holiday|token/);
});

test("what ends an upload is told at once, with its code", async () => {
  watched().to("failed", new UploadError("part_failed"));
  await pass(0);
  expect(sink.events).toEqual(["uploadBegan", "uploadState failed"]);
  expect(sink.batches[0]?.events[1]).toMatchObject({ code: "part_failed" });
});

test("an error that carries no code of ours is told without its words", async () => {
  watched().to("failed", Object.assign(new Error("secret"), { code: "not a code" }));
  await pass(0);
  expect(JSON.stringify(sink.batches)).not.toMatch(/secret|not a code/);
});

test("everything that the platform counts is told", async () => {
  const upload = watched();
  upload.partFailed(2);
  upload.dispatchEvent(new PartsDiffered([1]));
  upload.to("completed");
  watched("second").to("failed");
  watched("third").to("cancelled");
  await pass(INTERVAL_MS);
  const happened = sink.events.map((event) => event.replace("uploadState ", ""));
  expect(happened).toEqual(expect.arrayContaining(PROGRESS.counted));
});

test("a state that stays is told once", async () => {
  const upload = watched();
  upload.to("paused");
  upload.to("paused");
  upload.to("sending");
  upload.to("paused");
  await pass(INTERVAL_MS);
  expect(sink.events).toEqual(["uploadBegan", "uploadState paused", "uploadState paused"]);
});

test("progress is told every interval, however often it happens", async () => {
  const upload = watched();
  for (let second = 0; second < 95; second += 1) {
    upload.partMoved(1, second % 5);
    await pass(1000);
  }
  await pass(INTERVAL_MS);
  expect(sink.events.filter((event) => event === "uploadProgress")).toHaveLength(3);
});

test("failures and differing parts are told within the API's bounds", async () => {
  const upload = watched();
  upload.partFailed(2);
  upload.dispatchEvent(new PartsDiffered(Array.from({ length: 50 }, (_, index) => index + 1)));
  await pass(INTERVAL_MS);
  expect(sink.batches[0]?.events[1]).toMatchObject({ event: "partRetried", partNumber: 2, failures: 1 });
  expect(sink.batches[0]?.events[2]).toHaveProperty("partNumbers.length", 20);
});

test("what became of a video is told once, of those uploaded here", async () => {
  watched();
  telemetry.processed({ videoId: "another", state: "ready" } as Video);
  telemetry.processed({ videoId: "video", state: "processing" } as Video);
  telemetry.processed({ videoId: "video", state: "ready" } as Video);
  telemetry.processed({ videoId: "video", state: "ready" } as Video);
  await pass(INTERVAL_MS);
  expect(sink.events).toEqual(["uploadBegan", "uploadState ready"]);
});

test("a call holds 25 events at most, and the rest follows", async () => {
  const upload = watched();
  for (let failure = 0; failure < 40; failure += 1) upload.partFailed(1);
  await pass(INTERVAL_MS);
  await pass(INTERVAL_MS);
  expect(sink.batches.map(({ events }) => events.length)).toEqual([25, 16]);
});

test("a page that is hidden tells what it knows by a call that outlives it", async () => {
  watched();
  hide();
  await pass(0);
  expect(sink.batches.map(({ isLeaving }) => isLeaving)).toEqual([true]);
});

test("what did not arrive waits ever longer and is told in order", async () => {
  sink.failures = [new ApiError({ status: 503, code: "busy" }), new TypeError("failed to fetch")];
  const upload = watched();
  await pass(INTERVAL_MS);
  expect(sink.batches).toHaveLength(1);
  await pass(2 * INTERVAL_MS - 1);
  expect(sink.batches).toHaveLength(1);
  await pass(1);
  expect(sink.batches).toHaveLength(2);
  await pass(4 * INTERVAL_MS);
  expect(sink.batches).toHaveLength(3);
  expect(sink.batches[2]?.events).toEqual(sink.batches[0]?.events);
  expect(console.debug).toHaveBeenCalledOnce();

  upload.partFailed(1);
  await pass(INTERVAL_MS);
  expect(sink.batches).toHaveLength(4);
});

test("the server's wish to wait is followed where it is longer", async () => {
  sink.failures = [new ApiError({ status: 429, code: "busy", retryAfterMs: 300_000 })];
  watched();
  await pass(INTERVAL_MS);
  await pass(299_999);
  expect(sink.batches).toHaveLength(1);
  await pass(1);
  expect(sink.batches).toHaveLength(2);
});

test("a batch that is refused permanently is dropped", async () => {
  sink.failures = [new ApiError({ status: 400, code: "invalid_request" })];
  watched();
  await pass(INTERVAL_MS);
  await pass(1_000_000);
  expect(sink.batches).toHaveLength(1);
});

test("a user who switches it off sends no more, also on the next visit", async () => {
  const upload = watched();
  telemetry.isOn = false;
  upload.to("failed");
  hide();
  await pass(INTERVAL_MS);
  expect(sink.batches).toEqual([]);
  expect(new Telemetry(sink).isOn).toBe(false);
  telemetry.isOn = true;
  expect(new Telemetry(sink).isOn).toBe(true);
});

test("a browser that cannot remember the wish tells nothing until it is asked to", () => {
  const refuse = () => {
    throw new DOMException("storage is forbidden", "SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: refuse, setItem: refuse, removeItem: refuse });
  const forbidden = new Telemetry(sink);
  expect(forbidden.isOn).toBe(false);
  forbidden.isOn = true;
  expect(forbidden.isOn).toBe(true);
});
