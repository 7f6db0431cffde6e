import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { uploaderLanguage } from "../src/uploader_texts";
import { View } from "../src/view";

let host: HTMLElement;
let view: View;

beforeEach(() => {
  host = document.createElement("div");
  document.body.append(host);
  view = new View(host.attachShadow({ mode: "open" }), uploaderLanguage(["en"]), () => false);
});

afterEach(() => host.remove());

function question(title: string): { title: string; text: string; yes: string; no: string } {
  return { title, text: "", yes: "Yes", no: "No" };
}

function dialog(): HTMLDialogElement {
  return view.root.querySelector("dialog") as HTMLDialogElement;
}

function asked(): string {
  return dialog().open ? (dialog().querySelector("h2")?.textContent ?? "") : "";
}

test("the answer to one question does not count for another that comes meanwhile", async () => {
  const discarded = view.confirmed(question("Discard?"));
  const uploadedAgain = view.confirmed(question("Upload again?"));
  await vi.waitFor(() => expect(asked()).toBe("Discard?"));
  dialog().close("no");
  expect(await discarded).toBe(false);
  await vi.waitFor(() => expect(asked()).toBe("Upload again?"));
  dialog().close("yes");
  expect(await uploadedAgain).toBe(true);
});

test("a question whose dialog left the document is answered with no and keeps no other back", async () => {
  const before = view.confirmed(question("Discard?"));
  await vi.waitFor(() => expect(asked()).toBe("Discard?"));
  host.remove();
  view.dismiss();
  expect(await before).toBe(false);
  document.body.append(host);
  const next = view.confirmed(question("Upload again?"));
  await vi.waitFor(() => expect(asked()).toBe("Upload again?"));
  dialog().close("yes");
  expect(await next).toBe(true);
});
