import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ApiClient, PresignedUrl } from "../src/api";
import { PartUrls } from "../src/part_urls";

const EXPIRES_SECONDS = 900;
const USABLE_MS = (EXPIRES_SECONDS - 20) * 1000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function urlOf(partNumber: number, { expires = String(EXPIRES_SECONDS), round = 0 } = {}): PresignedUrl {
  const query = expires && `?X-Amz-Expires=${expires}`;
  return { partNumber, sizeBytes: 5, url: `https://s3.example/${partNumber}/${round}${query}`, headers: {} };
}

/** An API that signs what it is asked for, and remembers each call. */
function signing(): { api: ApiClient; calls: number[][] } {
  const calls: number[][] = [];
  const signParts = async (_token: string, partNumbers: number[]) => {
    calls.push(partNumbers);
    const round = calls.length;
    return { presignedUrls: partNumbers.map((partNumber) => urlOf(partNumber, { round })) };
  };
  return { api: { signParts } as unknown as ApiClient, calls };
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

test("the first page is used without asking again", async () => {
  const { api, calls } = signing();
  const urls = new PartUrls(api, "token", () => numbers(1, 3));
  urls.keep([1, 2, 3].map((number) => urlOf(number)));
  expect((await urls.get(2)).url).toBe(urlOf(2).url);
  expect(calls).toEqual([]);
});

test("a page is asked for from the wanted part on, for parts that are missing, 500 at most", async () => {
  const { api, calls } = signing();
  const missing = numbers(1, 2000).filter((number) => number % 2 === 0);
  const urls = new PartUrls(api, "token", () => missing);
  await urls.get(11);
  expect(calls[0]).toHaveLength(500);
  expect(calls[0]?.slice(0, 3)).toEqual([11, 12, 14]);
  await urls.get(12);
  expect(calls).toHaveLength(1);
});

test("parts that ask at once wait for one call", async () => {
  const { api, calls } = signing();
  const urls = new PartUrls(api, "token", () => numbers(1, 4));
  await Promise.all(numbers(1, 4).map((number) => urls.get(number)));
  expect(calls).toEqual([[1, 2, 3, 4]]);
});

test("a URL is signed again shortly before it ends", async () => {
  const { api, calls } = signing();
  const urls = new PartUrls(api, "token", () => [1]);
  urls.keep([urlOf(1)]);
  vi.advanceTimersByTime(USABLE_MS - 1);
  await urls.get(1);
  expect(calls).toEqual([]);
  vi.advanceTimersByTime(1);
  await urls.get(1);
  expect(calls).toEqual([[1]]);
});

test("a URL that lives shortly is used for half its life", async () => {
  const { api, calls } = signing();
  const urls = new PartUrls(api, "token", () => [1]);
  urls.keep([urlOf(1, { expires: "10" })]);
  vi.advanceTimersByTime(4999);
  await urls.get(1);
  expect(calls).toEqual([]);
  vi.advanceTimersByTime(1);
  await urls.get(1);
  expect(calls).toEqual([[1]]);
});

test("a URL that does not say when it ends is taken to live for ten minutes", async () => {
  const { api, calls } = signing();
  const urls = new PartUrls(api, "token", () => [1]);
  urls.keep([urlOf(1, { expires: "" })]);
  vi.advanceTimersByTime(579_999);
  await urls.get(1);
  expect(calls).toEqual([]);
  vi.advanceTimersByTime(1);
  await urls.get(1);
  expect(calls).toEqual([[1]]);
});

test("when one was refused, all are signed again", async () => {
  const { api, calls } = signing();
  const urls = new PartUrls(api, "token", () => [1, 2]);
  urls.keep([urlOf(1), urlOf(2)]);
  urls.forgetAll();
  expect((await urls.get(2)).url).toBe(urlOf(2, { round: 1 }).url);
  expect(calls).toEqual([[2]]);
});

test("a call that fails fails the part, and the next part asks again", async () => {
  const signParts = vi
    .fn()
    .mockRejectedValueOnce(new Error("no answer"))
    .mockResolvedValue({ presignedUrls: [urlOf(1)] });
  const urls = new PartUrls({ signParts } as unknown as ApiClient, "token", () => [1]);
  await expect(urls.get(1)).rejects.toThrow("no answer");
  expect((await urls.get(1)).partNumber).toBe(1);
});
