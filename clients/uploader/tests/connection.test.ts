import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection } from "../src/connection";

const PROBE_LIMIT_MS = 5000;

let answers: boolean;
let probes: number;
let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  answers = true;
  probes = 0;
  connection = new Connection(async () => {
    probes += 1;
    if (!answers) throw new TypeError("Failed to fetch");
    return true;
  });
});

afterEach(() => {
  connection.close();
  vi.useRealTimers();
});

async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

test("a suspicion that the probe dispels costs one probe and is no outage", async () => {
  connection.suspect();
  connection.suspect();
  expect([connection.isUp, connection.isReady]).toEqual([true, false]);
  await connection.ready(new AbortController().signal);
  expect([connection.isUp, connection.isReady, probes]).toEqual([true, true, 1]);
});

test("a dead line is probed ever more rarely, four times a minute at least, and each next try is told", async () => {
  answers = false;
  const told: number[] = [];
  connection.addEventListener("change", () => told.push(Math.round(connection.nextTryAt - performance.now())));
  connection.suspect();
  await pass(40_000);
  expect(connection.isUp).toBe(false);
  expect(told).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000]);
});

test("the line is back with the first answer, and what waits goes on", async () => {
  answers = false;
  connection.suspect();
  await pass(4000);
  const wentOn = vi.fn();
  connection.ready(new AbortController().signal).then(wentOn);
  answers = true;
  await pass(2999);
  expect(wentOn).not.toHaveBeenCalled();
  await pass(1);
  expect(wentOn).toHaveBeenCalledOnce();
  expect(connection.isUp).toBe(true);
});

test("the browser's word that it is online is worth an immediate probe, and its word that it is not a doubt", async () => {
  answers = false;
  window.dispatchEvent(new Event("offline"));
  await pass(20_000);
  expect(connection.isUp).toBe(false);
  answers = true;
  window.dispatchEvent(new Event("online"));
  await pass(0);
  expect(connection.isUp).toBe(true);
});

test("a probe that gets no answer counts as one that failed", async () => {
  const silent = new Connection(() => new Promise(() => {}));
  silent.suspect();
  await pass(PROBE_LIMIT_MS);
  expect(silent.isUp).toBe(false);
  silent.close();
});

test("a connection that is closed asks no more and listens no more", async () => {
  answers = false;
  connection.suspect();
  await pass(100);
  connection.close();
  window.dispatchEvent(new Event("offline"));
  await pass(60_000);
  expect(probes).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("a wait for the line can be given up", async () => {
  answers = false;
  connection.suspect();
  const control = new AbortController();
  const waiting = expect(connection.ready(control.signal)).rejects.toBe("paused");
  control.abort("paused");
  await waiting;
});
