/** Rules for the texts of every package. */

import { expect, test } from "vitest";
import { chosenLocale, type PluralText, type Texts } from "../src/language";

const ABOUT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$|(?<=[;{},]) \/\/ .*$/gm;
const LITERAL = /"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;
/** A capital and a small letter as a sentence begins, or words with a space and a mark between them. */
const PROSE = /^[A-ZÄÖÜ][a-zäöü]+(?:[ .:!?…]|$)|[a-zäöü]{2}[.,:!?…]? [a-zäöü]{2,}.*[.!?…]$/;
/** Names of headers, keys and types, and what programmers alone read. */
const NAMES = /^["`](?:Authorization|Bearer |Content-Type|Enter|Escape|Files|Retry-After|Motion JPEG|ProRes)/;
const FOR_PROGRAMMERS = /new (?:TypeError|Error)\($|console\.\w+\($|\.(?:startsWith|includes)\($/;

/** The words in a program that people would read: texts belong into the files of the languages. */
export function proseIn(source: string): string[] {
  const code = source.replace(ABOUT, "");
  const found: string[] = [];
  for (const { 0: literal, index } of code.matchAll(LITERAL)) {
    const before = code.slice(0, index);
    if (PROSE.test(literal.slice(1, -1)) && !NAMES.test(literal) && !FOR_PROGRAMMERS.test(before)) found.push(literal);
  }
  return found;
}

/** Declare the tests of a package's texts. sources: its modules, by path. */
export function checkTexts(languages: { en: Texts } & Record<string, Texts>, sources: Record<string, string>): void {
  const [[, first] = ["", {}], ...others] = Object.entries(languages);

  test.each(others)("%s has the same texts as the first language", (_, texts) => {
    expect(Object.keys(texts).sort()).toEqual(Object.keys(first).sort());
  });

  test.each(others)("%s fills the same placeholders", (_, texts) => {
    const differing = Object.keys(first).filter((key) => placeholders(texts[key]) !== placeholders(first[key]));
    expect(differing).toEqual([]);
  });

  test.each(Object.entries(languages))("%s has the plural forms of its language", (name, texts) => {
    const { pluralCategories } = new Intl.PluralRules(name).resolvedOptions();
    for (const text of Object.values(texts)) {
      if (typeof text === "object") expect(Object.keys(text).sort()).toEqual([...pluralCategories].sort());
    }
  });

  test.each(Object.keys(languages))("%s is taken where the browser wants it, and told as it wants it", (name) => {
    expect(chosenLocale(["xx", `${name}-AT`, "en"], languages, "en")).toEqual({ locale: `${name}-AT`, name });
  });

  test.each(Object.entries(sources))("%s holds no text that people read", (_, source) => {
    expect(proseIn(source)).toEqual([]);
  });

  test("every text is asked for", () => {
    const all = Object.values(sources).join("\n");
    expect(Object.keys(first).filter((key) => !isUsed(key, all))).toEqual([]);
  });
}

/** True if a module names the key, or builds it from its beginning or around its middle. */
function isUsed(key: string, sources: string): boolean {
  if (sources.includes(`"${key}"`) || sources.includes(`:${key}%`)) return true;
  const [begin = "", code, ...end] = key.split(".");
  if (begin === "error" && sources.includes(`"${code}"`)) return true;
  const around = `\`${begin}.\${`;
  const at = sources.indexOf(around);
  return at >= 0 && (end.length === 0 || sources.includes(`}.${end.join(".")}\``));
}

function placeholders(text: string | PluralText | undefined): string {
  const forms = typeof text === "object" ? Object.values(text) : [text ?? ""];
  const names = new Set(forms.flatMap((form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)));
  names.delete("count"); // a form may say the number in words
  return [...names].sort().join();
}
