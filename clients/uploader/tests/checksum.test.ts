import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ChecksumJob, type Checksums } from "../src/checksum";

const SUMS: Checksums = { whole: "AAAAAAAAAAA=", parts: [] };

/** A worker whose answer the test decides. */
class FakeWorker {
  static last: FakeWorker;

  onmessage?: (event: { data: Checksums }) => void;
  onerror?: (event: { preventDefault: () => void }) => void;
  readonly asked: unknown[] = [];
  isOver = false;

  constructor() {
    FakeWorker.last = this;
  }

  postMessage(request: unknown): void {
    this.asked.push(request);
  }

  terminate(): void {
    this.isOver = true;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("Worker", FakeWorker);
});

afterEach(() => {
  vi.useRealTimers();
});

function job(): ChecksumJob {
  return new ChecksumJob({ file: new File(["film"], "film.mp4") });
}

test("checksums that are there in time are the answer, and the worker ends", async () => {
  const within = job().within(3000);
  FakeWorker.last.onmessage?.({ data: SUMS });
  await expect(within).resolves.toEqual(SUMS);
  expect(FakeWorker.last.isOver).toBe(true);
});

test("checksums that take longer are done without", async () => {
  const within = job().within(3000);
  await vi.advanceTimersByTimeAsync(3000);
  await expect(within).resolves.toBeNull();
});

test("a file that cannot be read has none, and no error reaches the page", async () => {
  const preventDefault = vi.fn();
  const within = job().within(3000);
  FakeWorker.last.onerror?.({ preventDefault });
  await expect(within).resolves.toBeNull();
  expect(preventDefault).toHaveBeenCalledOnce();
});

test("an upload that is given up ends the worker", () => {
  job().stop();
  expect(FakeWorker.last.isOver).toBe(true);
});

test("a worker that the browser refuses costs the checksums alone", async () => {
  vi.stubGlobal(
    "Worker",
    class {
      constructor() {
        throw new DOMException("of another origin", "SecurityError");
      }
    },
  );
  const refused = job();
  await expect(refused.within(3000)).resolves.toBeNull();
  refused.stop();
});

test("a worker is started from where the embedding page has its script", () => {
  const asked: unknown[] = [];
  vi.stubGlobal(
    "Worker",
    class extends FakeWorker {
      constructor(url: unknown) {
        super();
        asked.push(url);
      }
    },
  );
  new ChecksumJob({ file: new File(["film"], "film.mp4") }, "/scripts/checksum_worker.js").stop();
  expect(asked).toEqual(["/scripts/checksum_worker.js"]);
});
