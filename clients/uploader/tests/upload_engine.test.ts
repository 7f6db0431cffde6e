import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { VideoUpload } from "../src/video_upload";
import { Width } from "../src/width";
import { endAll, FakeNetwork, film, PART_BYTES, pass } from "./fake_network";

const MEGABYTE = 1000; // parts are a thousandth of their size

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  endAll();
  vi.clearAllTimers();
  vi.useRealTimers();
  localStorage.clear();
});

/** States and holds of an upload, in turn. */
function history(upload: VideoUpload): string[] {
  const told: string[] = [];
  upload.addEventListener("state", () => told.push(upload.state));
  upload.addEventListener("hold", () => {
    if (upload.hold) told.push(upload.hold.reason);
  });
  return told;
}

function twice(parts: string[]): string[] {
  return parts.filter((part, index) => parts.indexOf(part) !== index);
}

test("three files arrive over a line that is dead for 70 seconds, and none of them fails", async () => {
  const network = new FakeNetwork(1.5 * MEGABYTE);
  const engine = network.engine();
  const films = ["a.mp4", "b.mp4", "c.mp4"].map((name) => film(name, 6));
  const told = films.map(history);
  for (const each of films) engine.run(each);
  await pass(9000);
  network.isDead = true;
  await pass(70_000);
  expect(films.map(({ state }) => state)).not.toContain("failed");
  network.isDead = false;
  await pass(90_000);
  expect(films.map(({ state }) => state)).toEqual(["completed", "completed", "completed"]);
  expect(told.flat()).toContain("offline");
  expect(told.flat()).not.toContain("failed");
  expect(twice(network.acknowledged)).toEqual([]);
});

test("a line that is away for hours is asked after cheaply, and everything goes on by itself within 20 s", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const engine = network.engine();
  const upload = film("a.mp4", 20);
  engine.run(upload);
  await pass(20_000);
  network.isDead = true;
  await pass(3 * 3600_000);
  expect(upload.hold?.reason).toBe("offline");
  expect(upload.bytesPerSecond).toBe(0);
  expect(network.probes.length).toBeLessThan((3 * 3600) / 10);
  network.isDead = false;
  const before = network.acknowledged.length;
  await pass(20_000 + 12_000);
  expect(network.acknowledged.length).toBeGreaterThan(before);
  await pass(120_000);
  expect(upload.state).toBe("completed");
  expect(twice(network.acknowledged)).toEqual([]);
});

test("a line of 1 MB/s that is cut for a second every 15 s keeps more than half of what it carries", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 15);
  network.engine().run(upload);
  for (let round = 0; round < 6; round += 1) {
    await pass(14_000);
    network.isDead = true;
    network.cut();
    await pass(1000);
    network.isDead = false;
  }
  expect(network.keptBytes()).toBeGreaterThan(45 * MEGABYTE);
  expect(twice(network.acknowledged)).toEqual([]);
  expect(upload.state).not.toBe("failed");
});

test("a pause lets the parts on their way arrive and begins no other, and going on sends the rest", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const engine = network.engine();
  const upload = film("a.mp4", 6);
  engine.run(upload);
  await pass(3000);
  engine.pause(upload);
  expect(upload.state).toBe("pausing");
  const begun = [...network.begun];
  await pass(60_000);
  expect(upload.state).toBe("paused");
  expect(network.begun).toEqual(begun);
  expect(network.acknowledged).toEqual(begun);
  engine.run(upload);
  await pass(60_000);
  expect(upload.state).toBe("completed");
  expect(twice(network.begun)).toEqual([]);
  expect(network.calls).not.toContain("list");
});

test("a second press cuts the parts on their way, and going on sends those alone again", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const engine = network.engine();
  const upload = film("a.mp4", 4);
  engine.run(upload);
  await pass(3000);
  engine.pause(upload);
  engine.pause(upload);
  expect(upload.state).toBe("paused");
  await pass(60_000);
  expect(network.acknowledged).toEqual([]);
  engine.run(upload);
  await pass(60_000);
  expect(upload.state).toBe("completed");
  expect(twice(network.acknowledged)).toEqual([]);
});

test("an upload that is paused while its line is dead is paused at once", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const engine = network.engine();
  const upload = film("a.mp4", 4);
  network.isDead = true;
  engine.run(upload);
  await pass(30_000);
  engine.pause(upload);
  expect([upload.state, upload.hold]).toEqual(["paused", null]);
  network.isDead = false;
  await pass(60_000);
  expect(network.begun).toEqual([]);
});

test("a storage that is busy is given the time that it asks for, and the row says so", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 1);
  const told = history(upload);
  network.answers = [{ status: 503, retryAfterSeconds: 40 }];
  network.engine().run(upload);
  await pass(40_000);
  expect(network.begun).toHaveLength(1);
  expect(told).toContain("busy");
  await pass(20_000);
  expect(upload.state).toBe("completed");
});

test.each([429, 500, 503])("status %d of a part never ends an upload, however often it comes", async (status) => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 2);
  network.answers = Array.from({ length: 40 }, () => ({ status }));
  network.engine().run(upload);
  await pass(3600_000);
  expect(upload.state).toBe("completed");
});

test("a part that the store denies to every fresh URL ends its upload after a few of them", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 1);
  network.answers = Array.from({ length: 40 }, () => ({ status: 403 }));
  network.engine().run(upload);
  await pass(3600_000);
  expect(upload.state).toBe("failed");
  expect(network.begun).toHaveLength(6);
});

test("a network that is away between two denied URLs is no denial", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 1);
  network.answers = Array.from({ length: 40 }, (_, index) => ({ status: index % 10 === 0 ? 403 : 503 }));
  network.engine().run(upload);
  await pass(2 * 3600_000);
  expect(upload.state).toBe("completed");
});

test("a clock that moves between two looks at it strands no part", async () => {
  const network = new FakeNetwork(100 * MEGABYTE);
  const uploads = Array.from({ length: 30 }, (_, index) => film(`${index}.mp4`, 1));
  network.answers = Array.from({ length: 90 }, () => ({ status: 503 }));
  const now = performance.now.bind(performance);
  let looks = 0;
  vi.spyOn(performance, "now").mockImplementation(() => {
    looks += 1;
    return now() + (looks % 10) / 5 - 1;
  });
  for (const upload of uploads) network.engine().run(upload);
  await pass(3600_000);
  expect(new Set(uploads.map(({ state }) => state))).toEqual(new Set(["completed"]));
});

test("an API that fails for minutes ends no upload", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 2);
  const failures = (): [number, string][] => Array.from({ length: 20 }, () => [503, "storage_unavailable"]);
  network.refusals = { init: failures(), sign: failures(), complete: failures() };
  network.engine().run(upload);
  await pass(3600_000);
  expect(upload.state).toBe("completed");
});

test("a part whose answer was lost is looked for before it is sent again", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 3);
  network.lostAnswers = 2;
  network.engine().run(upload);
  await pass(60_000);
  expect(upload.state).toBe("completed");
  expect(network.begun).toHaveLength(3);
});

test("parts that a storage refuses for want of their checksum are sent with it", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 5);
  network.wantsChecksums = true;
  network.engine().run(upload);
  await pass(120_000);
  expect(upload.state).toBe("completed");
  expect(network.begun.length).toBeLessThanOrEqual(5 + 2);
});

test("a part that a storage refuses for no known reason ends the upload in words, after some tries", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 1);
  network.answers = Array.from({ length: 40 }, () => ({ status: 411 }));
  network.engine().run(upload);
  await pass(300_000);
  expect(upload.state).toBe("failed");
  expect(upload.error).toMatchObject({ code: "part_failed" });
  expect(network.begun.length).toBeLessThan(10);
});

test("an upload that was completed elsewhere is a success", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 1);
  network.refusals = { complete: [[409, "upload_completed"]] };
  network.engine().run(upload);
  await pass(30_000);
  expect(upload.state).toBe("completed");
});

test("an upload that S3 dropped fails with its reason", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 1);
  network.answers = [{ status: 404 }];
  network.refusals = { list: [[409, "upload_expired"]] };
  network.engine().run(upload);
  await pass(30_000);
  expect(upload.state).toBe("failed");
  expect(upload.error).toMatchObject({ code: "upload_expired" });
  expect(network.calls.at(-1)).toBe("abort"); // it is listed no more
});

test("an upload that is cancelled on a dead line is aborted once the line is back", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const engine = network.engine();
  const upload = film("a.mp4", 6);
  engine.run(upload);
  await pass(3000);
  network.isDead = true;
  void engine.cancel(upload);
  await pass(60_000);
  expect([upload.state, upload.hold?.reason]).toEqual(["cancelling", "offline"]);
  network.isDead = false;
  await pass(30_000);
  expect(upload.state).toBe("cancelled");
  expect(network.calls.filter((call) => call === "abort").length).toBeGreaterThan(0);
});

test("an upload whose completion came before its cancellation is a success", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const engine = network.engine();
  const upload = film("a.mp4", 6);
  engine.run(upload);
  await pass(3000);
  network.refusals = { abort: [[409, "upload_completed"]], sign: [], list: [[409, "upload_completed"]] };
  network.refusals.complete = [[409, "upload_completed"]];
  await Promise.all([engine.cancel(upload), pass(60_000)]);
  expect(upload.state).toBe("completed");
});

test("parts in flight follow the line: six on a quick one that gains by each, one on a slow one", async () => {
  const slow = new FakeNetwork(0.5 * MEGABYTE);
  const width = new Width();
  const upload = film("a.mp4", 12);
  slow.engine({ width }).run(upload);
  await pass(60_000);
  expect(width.limit).toBe(1);
  await pass(200_000);
  expect(upload.state).toBe("completed");
  expect(slow.mostAtOnce).toBe(2);
});

test("bytes that are under way do not move: a stall is told after five seconds, without a speed", async () => {
  const network = new FakeNetwork(MEGABYTE);
  const upload = film("a.mp4", 6);
  network.engine().run(upload);
  await pass(4000);
  expect(upload.isStalled).toBe(false);
  expect(upload.bytesPerSecond).toBeGreaterThan(0);
  network.isDead = true;
  await pass(5100);
  expect(upload.isStalled).toBe(true);
  expect(upload.bytesPerSecond).toBe(0);
  expect(upload.sentBytes).toBeGreaterThan(PART_BYTES / 2);
});
