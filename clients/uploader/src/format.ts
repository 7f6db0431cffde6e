/** Sizes, times and dates as people read them, in the reader's language. */

import type { UploaderLanguage } from "./uploader_texts";

type Locale = Pick<UploaderLanguage, "locale">;

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** "23.1 MB", in powers of 1000 as file managers show them. */
export function size(bytes: number, { locale }: Locale): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  const number = value.toLocaleString(locale, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: false,
  });
  return `${number} ${UNITS[unit]}`;
}

/** "1:02:03", as players show it. */
export function duration(seconds: number | null): string {
  if (seconds === null) return "";
  const whole = Math.max(0, Math.round(seconds));
  const two = (number: number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** "about 3 min left", coarser the longer it takes. */
export function timeLeft(seconds: number, language: UploaderLanguage): string {
  if (seconds < 60) return language.text("time.seconds", { count: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return language.text("time.minutes", { count: Math.round(seconds / 60) });
  return language.text("time.hours", { count: Math.round(seconds / 3600) });
}

/** "22 Nov 2026". */
export function day(iso: string, { locale }: Locale): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(iso));
}

/** "22 Nov 2026, 15:04". */
export function date(iso: string, { locale }: Locale): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}
