import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ApiClient, StoredPart } from "../src/api";
import { PartRetried, VideoUpload } from "../src/video_upload";

const PART_BYTES = 4;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Ten bytes in parts of four, four and two. */
function begun(): VideoUpload {
  const upload = new VideoUpload(new File(["0123456789"], "film.mp4"), "video/mp4");
  const opened = { videoId: "video", uploadId: "id", fileKey: "key", uploadToken: "token" };
  upload.begun({ ...opened, partSizeBytes: PART_BYTES, partCount: 3 }, [], {} as ApiClient);
  return upload;
}

function stored(...partNumbers: number[]): StoredPart[] {
  return partNumbers.map((partNumber) => ({ partNumber, sizeBytes: PART_BYTES, etag: "" }));
}

test("the last part is what is left of the file", () => {
  const upload = begun();
  expect([1, 2, 3].map((number) => upload.partSize(number))).toEqual([4, 4, 2]);
});

test("an upload that has not begun knows no parts", () => {
  const upload = new VideoUpload(new File(["film"], "film.mp4"), "video/mp4");
  expect(upload.videoId).toBeNull();
  expect(upload.sentBytes).toBe(0);
  expect(() => upload.partSize(1)).toThrow("has not begun");
});

test("what left counts while it is under way, and a part that stops counts no more", () => {
  const upload = begun();
  upload.holds(stored(1));
  upload.partMoved(2, 3);
  expect(upload.sentBytes).toBe(7);
  upload.partStopped(2);
  expect(upload.sentBytes).toBe(4);
  upload.partMoved(3, 1);
  upload.partStored(3);
  expect(upload.sentBytes).toBe(6);
  upload.holds(stored(3));
  expect(upload.sentBytes).toBe(2);
});

test("a failed upload counts what S3 holds alone", () => {
  const upload = begun();
  upload.holds(stored(1));
  upload.partMoved(2, 3);
  upload.to("failed", new Error("no line"));
  expect(upload.sentBytes).toBe(4);
  expect(upload.error).toBeInstanceOf(Error);
});

test("URLs are asked for parts that S3 does not hold", async () => {
  const upload = begun();
  const asked: number[][] = [];
  const api = {
    signParts: async (_token: string, numbers: number[]) => {
      asked.push(numbers);
      return { presignedUrls: numbers.map((partNumber) => ({ partNumber, sizeBytes: 4, url: "https://s3.example/" })) };
    },
  };
  upload.begun({ ...upload.known }, [], api as unknown as ApiClient);
  upload.holds(stored(2));
  await upload.known.urls.get(1);
  expect(asked).toEqual([[1, 3]]);
});

test("speed is taken over the last ten seconds, and unknown at the beginning and after a pause", () => {
  const upload = begun();
  upload.to("sending");
  expect(upload.bytesPerSecond).toBe(0);
  for (let second = 0; second <= 4; second += 1) {
    upload.partMoved(1, second);
    vi.advanceTimersByTime(1000);
  }
  expect(upload.bytesPerSecond).toBeCloseTo(1);
  upload.to("paused");
  upload.to("sending");
  expect(upload.bytesPerSecond).toBe(0);
  for (let second = 0; second < 30; second += 1) {
    upload.partMoved(1, 4);
    vi.advanceTimersByTime(1000);
  }
  expect(upload.bytesPerSecond).toBe(0);
});

test("bytes that are taken back do not make the speed negative", () => {
  const upload = begun();
  upload.to("sending");
  upload.partMoved(1, 4);
  vi.advanceTimersByTime(1000);
  upload.partStopped(1);
  expect(upload.bytesPerSecond).toBe(0);
});

test("each failure of a part is told with their number", () => {
  const upload = begun();
  const told: [number, number][] = [];
  upload.addEventListener(PartRetried.NAME, (event) => {
    if (event instanceof PartRetried) told.push([event.partNumber, event.failures]);
  });
  upload.partFailed(2);
  upload.partFailed(2);
  upload.partFailed(3);
  expect(told).toEqual([
    [2, 1],
    [2, 2],
    [3, 1],
  ]);
});

test("work waits while an upload is paused, and ends when it is given up", async () => {
  const upload = begun();
  upload.to("paused");
  const first = vi.fn();
  const waiting = Promise.all([upload.whileNotPaused().then(first), upload.whileNotPaused()]);
  await Promise.resolve();
  expect(first).not.toHaveBeenCalled();
  upload.to("sending");
  await waiting;
  expect(first).toHaveBeenCalledOnce();

  upload.to("paused");
  const ended = expect(upload.whileNotPaused()).rejects.toMatchObject({ code: "upload_aborted" });
  upload.to("cancelling");
  await ended;
});

test.each([
  ["completed", true, false],
  ["cancelled", true, true],
  ["cancelling", false, true],
  ["sending", false, false],
  ["failed", false, false],
] as const)("an upload that is %s: over %s, given up %s", (state, isOver, isGivenUp) => {
  const upload = begun();
  upload.to(state);
  expect([upload.isOver, upload.isGivenUp]).toEqual([isOver, isGivenUp]);
});
