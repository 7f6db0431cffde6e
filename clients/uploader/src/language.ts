/** Texts in the reader's language: one file a language, the first of the browser's languages that has one. */

export type PluralText = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** Texts by key. A text may hold {placeholders}; one with plural forms is chosen by the value of {count}. */
export type Texts<Key extends string = string> = Record<Key, string | PluralText>;

export type Values = Record<string, string | number>;

const PLACEHOLDER = /\{(\w+)\}/g;

export class Language<Key extends string = string> {
  /** tag for Intl, as in "de-AT" */
  readonly locale: string;
  readonly #texts: Partial<Texts>;
  readonly #plurals: Intl.PluralRules;
  readonly #numbers: Intl.NumberFormat;

  constructor(locale: string, texts: Partial<Texts<Key>>) {
    this.locale = locale;
    this.#texts = texts;
    this.#plurals = new Intl.PluralRules(locale);
    this.#numbers = new Intl.NumberFormat(locale);
  }

  /** The text, its placeholders filled; what has no value stays empty. */
  text(key: Key, values: Values = {}): string {
    const found = Object.hasOwn(this.#texts, key) ? this.#texts[key] : undefined;
    const text = typeof found === "object" ? this.#form(found, Number(values.count)) : (found ?? "");
    return text.replace(PLACEHOLDER, (_, name: string) => this.#shown(values[name] ?? ""));
  }

  /** The text of a key that comes from elsewhere, or the other text where there is none. */
  textOr(key: string, otherwise: Key, values: Values = {}): string {
    return this.text(Object.hasOwn(this.#texts, key) ? (key as Key) : otherwise, values);
  }

  #form(forms: PluralText, count: number): string {
    return forms[this.#plurals.select(count)] ?? forms.other;
  }

  #shown(value: string | number): string {
    return typeof value === "number" ? this.#numbers.format(value) : value;
  }
}

/** The first wanted tag whose language is there: ["fr", "de-AT", "en"] → "de-AT" where there is "de". */
export function chosenLocale<Name extends string>(
  wanted: readonly string[] | undefined,
  languages: Readonly<Record<Name, unknown>>,
  fallback: Name,
): { locale: string; name: Name } {
  for (const locale of wanted ?? []) {
    const name = locale.toLowerCase().split("-")[0] as Name;
    if (Object.hasOwn(languages, name) && isTag(locale)) return { locale, name };
  }
  return { locale: fallback, name: fallback };
}

function isTag(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale).length === 1;
  } catch {
    return false;
  }
}
