import { afterEach, expect, test } from "vitest";
import type { UnfinishedUpload } from "../src/api";
import { OtherDevices } from "../src/other_devices";
import { rememberBeginning, rememberSending } from "../src/remembered_files";

const NOBODY: ReadonlySet<string> = new Set();

afterEach(() => localStorage.clear());

function listed(idleSeconds: number | null, receivedBytes: number | null = 5): UnfinishedUpload[] {
  return [{ videoId: "film", correlationId: "asked here", idleSeconds, receivedBytes } as UnfinishedUpload];
}

test.each([
  [0, true],
  [119, true],
  [120, false],
  [null, false],
])("an upload that nobody here sends and that is idle for %s s is on another device: %s", (idleSeconds, expected) => {
  const devices = new OtherDevices();
  devices.look(listed(idleSeconds), NOBODY);
  expect(devices.has("film")).toBe(expected);
  expect(devices.mayChange).toBe(expected);
});

test("an upload of another tab is no other device's", () => {
  const devices = new OtherDevices();
  devices.look(listed(3), new Set(["film"]));
  expect(devices.has("film")).toBe(false);
});

test("what a closed tab of this browser sent a moment ago is no other device's until parts come that nobody here sent", () => {
  rememberSending("film", new File([], "film.mp4"));
  const devices = new OtherDevices();
  devices.look(listed(2, 5), NOBODY);
  devices.look(listed(32, 5), NOBODY);
  expect([devices.has("film"), devices.mayChange]).toEqual([false, true]);
  devices.look(listed(1, 10), NOBODY);
  expect(devices.has("film")).toBe(true);
  devices.look(listed(31, 10), NOBODY);
  expect(devices.has("film")).toBe(true);
});

test("what this browser asked for is no other device's, though its page was closed before the answer", () => {
  rememberBeginning(new File([], "film.mp4"), "video/mp4", "asked here");
  const devices = new OtherDevices();
  devices.look(listed(2, 0), NOBODY);
  expect(devices.has("film")).toBe(false);
  devices.look(listed(1, 10), NOBODY);
  expect(devices.has("film")).toBe(true);
});

test("what another tab of this browser sent between two looks is no other device's", () => {
  rememberSending("film", new File([], "film.mp4"));
  const devices = new OtherDevices();
  devices.look(listed(2, 5), new Set(["film"]));
  devices.look(listed(1, 10), NOBODY);
  expect(devices.has("film")).toBe(false);
});
