import { expect, test } from "vitest";
import { checkTexts } from "../../uploader/tests/text_checks";
import de from "../src/texts/de.json";
import en from "../src/texts/en.json";

const SOURCES = import.meta.glob<string>(["../src/*.ts", "../*.html", "../parts/*.html"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const DOCUMENTS = import.meta.glob<string>("../*.html", { query: "?raw", import: "default", eager: true });
const PARTS = import.meta.glob<string>("../parts/*.html", { query: "?raw", import: "default", eager: true });
const ALL = Object.entries({ ...DOCUMENTS, ...PARTS });
const TOLD_BY_ATTRIBUTES = ["aria-label", "alt", "title", "placeholder"];

checkTexts({ en, de }, SOURCES);

test.each(ALL)("%s leaves its words to the languages", (_, source) => {
  const page = document.createElement("template");
  page.innerHTML = source;
  const words: string[] = [];
  const look = (root: ParentNode) => {
    for (const element of root.querySelectorAll("*")) {
      if (element instanceof HTMLTemplateElement) look(element.content);
      for (const name of TOLD_BY_ATTRIBUTES) words.push(element.getAttribute(name) ?? "");
      for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) words.push(node.textContent ?? "");
    }
  };
  look(page.content);
  const unfilled = words.filter((word) => /\p{L}/u.test(word.replace(/%\w+:[\w.]+%/g, "")));
  expect(unfilled).toEqual([]);
});

function textsNamedIn(source: string): string[] {
  return [...source.matchAll(/(?:data-(?:text|label|placeholder)="|%\w+:)([\w.]+)/g)].map(([, key]) => key ?? "");
}

test.each(ALL)("%s names only texts that there are", (_, source) => {
  expect(textsNamedIn(source).filter((key) => !Object.hasOwn(en, key))).toEqual([]);
});

test.each(Object.entries(DOCUMENTS))("%s names its texts", (_, source) => {
  expect(textsNamedIn(source).length).toBeGreaterThan(2);
});
