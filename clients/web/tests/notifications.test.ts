import type { Video } from "video-uploader/api";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Notifications } from "../src/notifications";

/** The browser's notifications: what it shows, and whether the person lets it. */
class FakeNotification {
  static permission: NotificationPermission = "default";
  static answer: NotificationPermission = "granted";
  static questions = 0;
  static shown: { title: string; body?: string; tag?: string }[] = [];

  static async requestPermission(): Promise<NotificationPermission> {
    FakeNotification.questions += 1;
    FakeNotification.permission = FakeNotification.answer;
    return FakeNotification.permission;
  }

  constructor(title: string, options: NotificationOptions) {
    FakeNotification.shown.push({ title, body: options.body, tag: options.tag });
  }
}

const video = (state: Video["state"], videoId = "one") => ({ videoId, state, fileName: `${videoId}.mp4` }) as Video;
const notificationsOf = (subject: string) => new Notifications(subject, ({ state }) => `it is ${state}`);

beforeEach(() => {
  localStorage.clear();
  Object.assign(FakeNotification, { permission: "default", answer: "granted", questions: 0, shown: [] });
  vi.stubGlobal("Notification", FakeNotification);
  hide();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function hide(visibility: DocumentVisibilityState = "hidden"): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(visibility);
}

async function told(): Promise<typeof FakeNotification.shown> {
  await vi.waitFor(() => {}); // what is shown is shown a moment later
  await new Promise((resolve) => setTimeout(resolve));
  return FakeNotification.shown;
}

test("nobody is asked before a click, and nothing is shown to somebody who never clicked", async () => {
  const notifications = notificationsOf("ada");
  notifications.seen(video("processing"));
  notifications.seen(video("ready"));
  expect(await told()).toEqual([]);
  expect(FakeNotification.questions).toBe(0);
  expect(notifications.isOn).toBe(false);
});

test("a hidden tab tells once of a video that gets ready, and of one that is rejected", async () => {
  const notifications = notificationsOf("ada");
  expect(await notifications.turnOn()).toBe(true);
  notifications.seen(video("processing"));
  notifications.expect("two");
  for (let look = 0; look < 2; look += 1) {
    notifications.seen(video("ready"));
    notifications.seen(video("rejected", "two"));
  }
  expect(await told()).toEqual([
    { title: "one.mp4", body: "it is ready", tag: "one" },
    { title: "two.mp4", body: "it is rejected", tag: "two" },
  ]);
});

test("a tab in sight tells nothing, and neither do videos that were ready before", async () => {
  const notifications = notificationsOf("ada");
  await notifications.turnOn();
  notifications.seen(video("ready", "old"));
  hide("visible");
  notifications.seen(video("processing"));
  notifications.seen(video("ready"));
  expect(await told()).toEqual([]);
});

test("the wish is one person's, is remembered, and can be taken back", async () => {
  const notifications = notificationsOf("ada");
  await notifications.turnOn();
  expect(notificationsOf("ada").isOn).toBe(true);
  expect(notificationsOf("bob").isOn).toBe(false);
  notifications.turnOff();
  expect(notificationsOf("ada").isOn).toBe(false);
});

test("a browser that refuses is not on, and says that it is blocked", async () => {
  FakeNotification.answer = "denied";
  const notifications = notificationsOf("ada");
  expect(await notifications.turnOn()).toBe(false);
  expect([notifications.isOn, notifications.isBlocked]).toEqual([false, true]);
});

test("a browser without notifications has no button", () => {
  vi.unstubAllGlobals();
  Reflect.deleteProperty(window, "Notification");
  const notifications = notificationsOf("ada");
  expect([notifications.isSupported, notifications.isOn, notifications.isBlocked]).toEqual([false, false, false]);
});
