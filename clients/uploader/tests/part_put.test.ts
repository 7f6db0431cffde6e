import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PutError, putPart } from "../src/part_put";

const DOUBT_MS = 5000;
const STALL_MS = 15_000;
const ANSWER_LIMIT_MS = 45_000;

/** A request whose answer the test decides. */
class Request {
  static last: Request;

  status = 0;
  responseHeaders = "";
  readonly sentHeaders: Record<string, string> = {};
  readonly upload: { onprogress?: (event: { loaded: number }) => void } = {};
  onloadend?: () => void;
  method = "";
  url = "";
  sent: unknown = null;
  wasAborted = false;

  constructor() {
    Request.last = this;
  }

  open(method: string, url: string): void {
    this.method = method;
    this.url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.sentHeaders[name] = value;
  }

  send(body: unknown): void {
    this.sent = body;
  }

  abort(): void {
    this.wasAborted = true;
    this.onloadend?.();
  }

  answer(status: number, responseHeaders = ""): void {
    this.status = status;
    this.responseHeaders = responseHeaders;
    this.onloadend?.();
  }

  getAllResponseHeaders(): string {
    return this.responseHeaders;
  }

  getResponseHeader(name: string): string | null {
    return new RegExp(`^${name}: (.*)$`, "im").exec(this.responseHeaders)?.[1] ?? null;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("XMLHttpRequest", Request);
});

afterEach(() => {
  vi.useRealTimers();
});

function put({
  moved = (_bytes: number) => {},
  stalled = () => {},
  signal,
}: {
  moved?: (bytes: number) => void;
  stalled?: () => void;
  signal?: AbortSignal;
} = {}) {
  const body = new Blob(["12345"]);
  return putPart({
    url: "https://s3.example/part",
    headers: { "x-amz-checksum": "sum" },
    body,
    moved,
    stalled,
    signal,
  });
}

test("a part is sent with its headers and answers with its ETag", async () => {
  const sent = put();
  Request.last.answer(200, 'content-length: 0\r\netag: "abc"');
  await expect(sent).resolves.toBe('"abc"');
  expect([Request.last.method, Request.last.url]).toEqual(["PUT", "https://s3.example/part"]);
  expect(Request.last.sentHeaders).toEqual({ "x-amz-checksum": "sum" });
  expect(Request.last.sent).toBeInstanceOf(Blob);
});

test("an ETag that the storage does not show is not asked for", async () => {
  const asked = vi.spyOn(Request.prototype, "getResponseHeader");
  const sent = put();
  Request.last.answer(200, "content-length: 0");
  await expect(sent).resolves.toBe("");
  expect(asked).not.toHaveBeenCalled();
});

test.each([0, 204, 307, 403, 503])("status %d is an error that carries it", async (status) => {
  const sent = put();
  Request.last.answer(status);
  await expect(sent).rejects.toMatchObject({ status });
  await expect(sent).rejects.toBeInstanceOf(PutError);
});

test("progress is told, never more than the part has", async () => {
  const moved = vi.fn();
  const sent = put({ moved });
  Request.last.upload.onprogress?.({ loaded: 3 });
  Request.last.upload.onprogress?.({ loaded: 500 });
  Request.last.answer(200);
  await sent;
  expect(moved.mock.calls).toEqual([[3], [5]]);
});

test("a part that moves no byte is ended, and each byte restarts its time", async () => {
  const sent = put();
  const ended = expect(sent).rejects.toBeInstanceOf(PutError);
  vi.advanceTimersByTime(STALL_MS - 1);
  Request.last.upload.onprogress?.({ loaded: 1 });
  vi.advanceTimersByTime(STALL_MS - 1);
  expect(Request.last.wasAborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(Request.last.wasAborted).toBe(true);
  await ended;
});

test("a part that moves no byte for a while casts doubt on the line, again and again", async () => {
  const stalled = vi.fn();
  const sent = put({ stalled });
  vi.advanceTimersByTime(DOUBT_MS - 1);
  Request.last.upload.onprogress?.({ loaded: 1 });
  vi.advanceTimersByTime(DOUBT_MS - 1);
  expect(stalled).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(stalled).toHaveBeenCalledOnce();
  Request.last.upload.onprogress?.({ loaded: 5 });
  vi.advanceTimersByTime(3 * DOUBT_MS);
  expect(stalled).toHaveBeenCalledTimes(4);
  Request.last.answer(200);
  await sent;
});

test("a part whose bytes have all left is given time for its answer", async () => {
  const sent = put();
  const ended = expect(sent).rejects.toBeInstanceOf(PutError);
  Request.last.upload.onprogress?.({ loaded: 5 });
  vi.advanceTimersByTime(ANSWER_LIMIT_MS - 1);
  expect(Request.last.wasAborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(Request.last.wasAborted).toBe(true);
  await ended;
});

test("a storage that is busy may say for how long", async () => {
  const sent = put();
  Request.last.answer(503, "retry-after: 7");
  await expect(sent).rejects.toMatchObject({ status: 503, retryAfterMs: 7000 });
});

test("a part that is over keeps no timer", async () => {
  const sent = put();
  Request.last.answer(200);
  await sent;
  expect(vi.getTimerCount()).toBe(0);
});

test("a part is called off under way, and one that was called off before is not begun", async () => {
  const control = new AbortController();
  const ended = expect(put({ signal: control.signal })).rejects.toMatchObject({ status: 0 });
  const { last } = Request;
  control.abort();
  expect(last.wasAborted).toBe(true);
  await ended;
  await expect(put({ signal: control.signal })).rejects.toBeInstanceOf(PutError);
  expect(Request.last).toBe(last);
});
