/** A person's upload links: make, copy, list and revoke. */

import type { ApiClient } from "video-uploader/api";
import type { UploadLink } from "video-uploader/contract";
import { within } from "video-uploader/dom";
import { date, size } from "video-uploader/format";
import { language, message } from "./language";
import { linkAddress } from "./link_bearer";
import { announce, byId, confirmed, fromTemplate, showBanner } from "./page";

const DAY_SECONDS = 24 * 3600;
const GIGABYTE = 1e9;
const STATES = { open: "links.state.open", expired: "links.state.expired", revoked: "links.state.revoked" } as const;

export class LinksView {
  readonly #api: ApiClient;
  readonly #list = byId("links-list");

  constructor(api: ApiClient) {
    this.#api = api;
    byId("links-show").onclick = () => void this.#load();
    byId("link-new").onclick = () => this.#ask();
  }

  show(maxDays: number): void {
    byId<HTMLInputElement>("link-days").max = String(maxDays);
    byId("links").hidden = false;
  }

  /** By the person's wish: most visits are about videos alone. */
  async #load(): Promise<void> {
    try {
      const { links } = await this.#api.links();
      this.#list.replaceChildren(...links.map((link) => this.#row(link)));
      byId("links-empty").hidden = links.length > 0;
    } catch (error) {
      showBanner(message(error));
    }
  }

  #row(link: UploadLink): HTMLElement {
    const row = fromTemplate("link-template");
    within(row, ".name").textContent = link.title;
    within(row, ".facts").textContent = [
      language.text(STATES[link.state]),
      language.text("usage.videos", { used: link.usedVideos, count: link.maxVideos }),
      language.text("usage.space", { used: size(link.usedBytes, language), limit: size(link.maxBytes, language) }),
      language.text("sender.until", { time: date(link.expiresAt, language) }),
    ].join(" · ");
    const { linkToken } = link;
    const copy = within<HTMLButtonElement>(row, "[data-do=copy]");
    copy.hidden = !linkToken;
    copy.setAttribute("aria-label", language.text("links.copy.named", { title: link.title }));
    copy.onclick = () => void this.#copy(linkToken ?? "");
    const revoke = within<HTMLButtonElement>(row, "[data-do=revoke]");
    revoke.hidden = link.state !== "open";
    revoke.setAttribute("aria-label", language.text("links.revoke.named", { title: link.title }));
    revoke.onclick = () => void this.#revoke(link);
    return row;
  }

  async #copy(token: string): Promise<void> {
    const address = linkAddress(token);
    try {
      await navigator.clipboard.writeText(address);
      this.#tell(language.text("links.copied"));
    } catch {
      this.#tell(address); // to be copied by hand
    }
  }

  #tell(text: string): void {
    const told = byId("links-told");
    told.hidden = false;
    told.textContent = text;
  }

  async #revoke(link: UploadLink): Promise<void> {
    const sure = await confirmed({
      title: language.text("links.revoke.title", { title: link.title }),
      text: language.text("links.revoke.text"),
      yes: language.text("links.revoke"),
      no: language.text("delete.no"),
    });
    if (!sure) return;
    try {
      await this.#api.revokeLink(link.linkId);
      announce(language.text("links.revoked", { title: link.title }));
      await this.#load();
    } catch (error) {
      showBanner(message(error));
    }
  }

  #ask(): void {
    const dialog = byId<HTMLDialogElement>("link-maker");
    const form = byId<HTMLFormElement>("link-form");
    const problem = byId("link-problem");
    const make = byId<HTMLButtonElement>("link-make");
    form.reset();
    problem.hidden = true;
    byId("link-cancel").onclick = () => dialog.close();
    form.onsubmit = async (event) => {
      event.preventDefault();
      make.disabled = true;
      try {
        const { linkToken } = await this.#api.makeLink({
          title: typed("link-title"),
          note: typed("link-note") || null,
          validSeconds: Number(typed("link-days")) * DAY_SECONDS,
          maxVideos: Number(typed("link-videos")),
          maxBytes: Number(typed("link-size")) * GIGABYTE,
        });
        dialog.close();
        await this.#load();
        await this.#copy(linkToken ?? "");
      } catch (error) {
        problem.textContent = message(error);
        problem.hidden = false;
      } finally {
        make.disabled = false;
      }
    };
    dialog.showModal();
    byId("link-title").focus();
  }
}

function typed(id: string): string {
  return byId<HTMLInputElement | HTMLTextAreaElement>(id).value.trim();
}
