import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiClient, ApiError } from "../src/api";

const BASE = "https://site.example/api";

interface Sent {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: unknown;
  keepalive: boolean;
  at: number;
}

/** Answers to `fetch`, in turn; the last one is repeated. */
function answered(...answers: (Response | Error)[]): Sent[] {
  const sent: Sent[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    init.signal?.throwIfAborted();
    sent.push({
      method: String(init.method),
      url,
      headers: init.headers as Record<string, string>,
      body: init.body ? JSON.parse(String(init.body)) : undefined,
      keepalive: Boolean(init.keepalive),
      at: performance.now(),
    });
    const answer = answers[Math.min(sent.length, answers.length) - 1];
    if (answer instanceof Error || !answer) throw answer;
    return answer.clone();
  };
  vi.stubGlobal("fetch", fetch);
  return sent;
}

function ok(body: object = {}, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status: 200, headers });
}

function refused(status: number, code: string, headers: Record<string, string> = {}): Response {
  const error = { code, message: `it is ${code}`, details: { field: "size" } };
  return new Response(JSON.stringify({ error }), { status, headers });
}

function client(accessToken: (options?: { renew?: boolean }) => Promise<string> = async () => "access"): ApiClient {
  return new ApiClient(BASE, accessToken);
}

/** Settle a call whose pauses the fake clock has to pass. */
async function afterPauses<Answer>(call: Promise<Answer>): Promise<Answer> {
  let isSettled = false;
  const settled = () => {
    isSettled = true;
  };
  call.then(settled, settled);
  // Bodies are read in real time, which may take more turns of the loop than `runAllTimersAsync` waits for.
  while (!isSettled) await vi.advanceTimersToNextTimerAsync();
  return call;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0);
});

afterEach(() => {
  vi.useRealTimers();
});

test("a call carries the user's token, a body, and the id of its upload", async () => {
  const sent = answered(ok({ videoId: "video" }));
  const file = { fileName: "film.mp4", contentType: "video/mp4", sizeBytes: 5 };
  const started = await client().forUpload({ correlationId: "upload-1" }).startUpload(file);
  expect(started.videoId).toBe("video");
  expect(sent[0]).toMatchObject({ method: "POST", url: `${BASE}/multipart/init`, body: file });
  expect(sent[0]?.headers).toEqual({
    Authorization: "Bearer access",
    "Content-Type": "application/json",
    "X-Correlation-Id": "upload-1",
  });
});

test("an upload's own calls carry its token, and a GET neither body nor type", async () => {
  const sent = answered(ok({ state: "uploading", parts: [] }));
  await client().storedParts("upload-token");
  expect(sent[0]).toMatchObject({ method: "GET", url: `${BASE}/multipart/parts`, body: undefined });
  expect(sent[0]?.headers).toEqual({ Authorization: "Bearer upload-token" });
});

test("a page of the library is asked for by its cursor, whatever is in it", async () => {
  const sent = answered(ok({ videos: [], nextCursor: null }));
  await client().videos(null);
  await client().videos("a&b=c");
  expect(sent.map(({ url }) => url)).toEqual([`${BASE}/videos?limit=24`, `${BASE}/videos?limit=24&cursor=a%26b%3Dc`]);
});

test.each([429, 500, 502, 503, 504])(
  "status %d is tried again, five times in all, with growing pauses",
  async (status) => {
    const sent = answered(refused(status, "busy"));
    await expect(afterPauses(client().unfinishedUploads())).rejects.toMatchObject({ status, code: "busy" });
    expect(sent.map(({ at }, index) => at - (sent[index - 1]?.at ?? at))).toEqual([0, 250, 500, 1000, 2000]);
  },
);

test("no answer at all is tried again and then called a network error", async () => {
  const sent = answered(new TypeError("failed to fetch"));
  await expect(afterPauses(client().videos(null))).rejects.toMatchObject({ status: 0, code: "network_error" });
  expect(sent).toHaveLength(5);
});

test.each([
  [{ code: "forbidden", requestId: "r-1" }, {}, "r-1"],
  [{ code: "forbidden", requestId: "" }, { "x-amz-cf-id": "edge-1" }, "edge-1"],
  [{ code: "forbidden" }, {}, ""],
])("a refusal %o with headers %o is told with the id %s of its request", async (error, headers: object, requestId) => {
  answered(new Response(JSON.stringify({ error }), { status: 403, headers: { ...headers } }));
  await expect(client().videos(null)).rejects.toMatchObject({ code: "forbidden", requestId });
});

test("a call that gets through after all is answered", async () => {
  const sent = answered(new TypeError("failed to fetch"), refused(503, "busy"), ok({ uploads: [] }));
  await expect(afterPauses(client().unfinishedUploads())).resolves.toMatchObject({ uploads: [] });
  expect(sent).toHaveLength(3);
});

test("the server's wish to wait is followed where it is longer, and told with an answer", async () => {
  const sent = answered(
    refused(503, "busy", { "Retry-After": "7" }),
    ok({ status: "completing" }, { "Retry-After": "3" }),
  );
  const completion = await afterPauses(client().completeUpload("token", { parts: [] }));
  expect((sent[1]?.at ?? 0) - (sent[0]?.at ?? 0)).toBe(7000);
  expect(completion).toEqual({ status: "completing", retryAfterSeconds: 3 });
});

test.each([
  [429, "too_many_open_uploads"],
  [429, "reserved_bytes_exceeded"],
  [429, "too_many_stored_videos"],
  [429, "stored_bytes_exceeded"],
  [429, "stage_full"],
  [400, "invalid_request"],
  [403, "forbidden"],
  [404, "video_not_found"],
  [409, "upload_aborted"],
  [413, "file_too_large"],
])("%d %s is not tried again: no wait ends it", async (status, code) => {
  const sent = answered(refused(status, code));
  const error = await afterPauses(client().startUpload({ fileName: "", contentType: "", sizeBytes: 0 })).catch(
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status, code, message: `it is ${code}`, details: { field: "size" } });
  expect(sent).toHaveLength(1);
});

test("an answer that is no JSON has a code all the same", async () => {
  answered(new Response("<html>", { status: 403 }));
  await expect(client().videos(null)).rejects.toMatchObject({ status: 403, code: "internal_error", details: {} });
});

test("a token that is refused is renewed once", async () => {
  const asked: unknown[] = [];
  const accessToken = async (options?: { renew?: boolean }) => {
    asked.push(options);
    return options?.renew ? "fresh" : "stale";
  };
  const sent = answered(refused(401, "unauthorized"), ok({ uploads: [] }));
  await client(accessToken).unfinishedUploads();
  expect(asked).toEqual([undefined, { renew: true }]);
  expect(sent.map(({ headers }) => headers.Authorization)).toEqual(["Bearer stale", "Bearer fresh"]);

  answered(refused(401, "unauthorized"));
  await expect(client(accessToken).unfinishedUploads()).rejects.toMatchObject({ status: 401 });
});

test("an upload token that is refused is not renewed: the user's own would open nothing", async () => {
  const accessToken = vi.fn(async () => "access");
  const sent = answered(refused(401, "unauthorized"));
  await expect(client(accessToken).abortUpload("upload-token")).rejects.toMatchObject({ status: 401 });
  expect(sent).toHaveLength(1);
  expect(accessToken).not.toHaveBeenCalled();
});

test("a call that is given up ends with the reason, on its way and in a pause", async () => {
  const control = new AbortController();
  answered(refused(503, "busy"));
  const ended = expect(client().storedParts("token", control.signal)).rejects.toBe("given up");
  await vi.advanceTimersByTimeAsync(100);
  control.abort("given up");
  await ended;
  await expect(client().storedParts("token", control.signal)).rejects.toBe("given up");
});

test("a call that is given up at its last try ends with the reason as well", async () => {
  const control = new AbortController();
  let tries = 0;
  vi.stubGlobal("fetch", async () => {
    tries += 1;
    if (tries === 5) control.abort("given up");
    throw new TypeError("failed to fetch");
  });
  await expect(afterPauses(client().storedParts("token", control.signal))).rejects.toBe("given up");
  expect(tries).toBe(5);
});

test("progress is told once, and outlives a page that is left", async () => {
  const sent = answered(refused(503, "busy"));
  const told = client().tellProgress({ client: "web/1", events: [] }, { isLeaving: true });
  await expect(told).rejects.toMatchObject({ status: 503 });
  expect(sent).toHaveLength(1);
  expect(sent[0]?.keepalive).toBe(true);
});
