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
  upload.partStored(3, "etag");
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

test("an upload says what S3 lacks, and what S3 answered to the others", () => {
  const upload = begun();
  upload.holds(stored(3));
  upload.partStored(1, '"one"');
  expect(upload.missing()).toEqual([2]);
  expect(upload.etags()).toEqual([
    { partNumber: 1, etag: '"one"' },
    { partNumber: 3, etag: "" },
  ]);
  expect(upload.partBody(3).size).toBe(2);
});

test("bytes that are due and do not move are a stall after five seconds, until one moves", () => {
  const upload = begun();
  upload.to("sending");
  vi.advanceTimersByTime(4999);
  expect(upload.isStalled).toBe(false);
  vi.advanceTimersByTime(1);
  expect(upload.isStalled).toBe(true);
  upload.partMoved(1, 1);
  expect(upload.isStalled).toBe(false);
  upload.to("paused");
  vi.advanceTimersByTime(60_000);
  expect(upload.isStalled).toBe(false);
});

test("a hold is told when it begins, changes and ends, and ends with its state", () => {
  const upload = begun();
  const told: unknown[] = [];
  upload.addEventListener("hold", () => told.push(upload.hold));
  const hold = { reason: "offline", until: 5 } as const;
  upload.holdFor(hold);
  upload.holdFor({ ...hold });
  upload.holdFor(null);
  expect(told).toEqual([hold, null]);
  upload.holdFor(hold);
  upload.to("paused");
  expect(upload.hold).toBeNull();
});

test.each([
  ["completed", true],
  ["ready", true],
  ["rejected", true],
  ["cancelled", true],
  ["cancelling", false],
  ["sending", false],
  ["failed", false],
] as const)("an upload that is %s: over %s", (state, isOver) => {
  const upload = begun();
  upload.to(state);
  expect(upload.isOver).toBe(isOver);
});
