/**
 * The library's cards under headings by date: today, yesterday, the last 7 days, then month by month; newest first. In any
 * other order there are no headings, and cards stay in the order in which they come.
 */

import { within } from "video-uploader/dom";
import { language } from "./language";
import { fromTemplate } from "./page";

const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;

interface Group {
  heading: string;
  section: HTMLElement;
  cards: { element: HTMLElement; createdAt: string }[];
}

export class VideoGroups {
  readonly #root: HTMLElement;
  #groups: Group[] = [];
  #isByDate = true;

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  /** Remove all cards. isByDate: of those that come. */
  clear(isByDate: boolean): void {
    this.#isByDate = isByDate;
    this.#groups = [];
    this.#root.replaceChildren();
  }

  /** Put a card where its date belongs. createdAt: ISO 8601, as the API tells it. */
  insert(element: HTMLElement, createdAt: string): void {
    const group = this.#groupFor(createdAt);
    const older = this.#isByDate ? group.cards.findIndex((card) => card.createdAt < createdAt) : -1;
    const at = older < 0 ? group.cards.length : older;
    within(group.section, "ul").insertBefore(element, group.cards[at]?.element ?? null);
    group.cards.splice(at, 0, { element, createdAt });
  }

  /** Remove a card, and with its last card a group. Returns the card that takes its place for the focus. */
  remove(element: HTMLElement): HTMLElement | null {
    const before = this.#elements();
    const at = before.indexOf(element);
    element.remove();
    for (const group of this.#groups) group.cards = group.cards.filter((card) => card.element !== element);
    for (const { section } of this.#groups.filter(({ cards }) => cards.length === 0)) section.remove();
    this.#groups = this.#groups.filter(({ cards }) => cards.length > 0);
    return before[at + 1] ?? before[at - 1] ?? null;
  }

  #elements(): HTMLElement[] {
    return this.#groups.flatMap(({ cards }) => cards.map(({ element }) => element));
  }

  #groupFor(createdAt: string): Group {
    const heading = this.#isByDate ? dateHeading(new Date(createdAt), new Date()) : "";
    const known = this.#groups.find((group) => group.heading === heading);
    if (known) return known;
    const section = fromTemplate("group-template");
    within(section, "h3").textContent = heading;
    within(section, "h3").hidden = heading === "";
    const label = heading ? language.text("library.group", { heading }) : language.text("library.sorted");
    within(section, "ul").setAttribute("aria-label", label);
    const group: Group = { heading, section, cards: [] };
    const older = this.#groups.findIndex(({ cards }) => (cards[0]?.createdAt ?? "") < createdAt);
    const at = older < 0 ? this.#groups.length : older;
    this.#root.insertBefore(section, this.#groups[at]?.section ?? null);
    this.#groups.splice(at, 0, group);
    return group;
  }
}

/** "Today", "Yesterday", "Last 7 days" or "January 2026", in the page's language and the reader's time zone. */
export function dateHeading(date: Date, now: Date): string {
  const days = Math.round((midnight(now) - midnight(date)) / DAY_MS);
  if (days <= 1) {
    const word = new Intl.RelativeTimeFormat(language.locale, { numeric: "auto" }).format(-Math.max(0, days), "day");
    return word.charAt(0).toLocaleUpperCase(language.locale) + word.slice(1);
  }
  if (days < WEEK_DAYS) return language.text("library.last_days", { count: WEEK_DAYS });
  return new Intl.DateTimeFormat(language.locale, { month: "long", year: "numeric" }).format(date);
}

function midnight(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
