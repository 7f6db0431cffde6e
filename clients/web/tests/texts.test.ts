import { expect, test } from "vitest";
import { checkTexts } from "../../uploader/tests/text_checks";
import de from "../src/texts/de.json";
import en from "../src/texts/en.json";

const SOURCES = import.meta.glob<string>(["../src/*.ts", "../*.html"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const DOCUMENTS = import.meta.glob<string>("../*.html", { query: "?raw", import: "default", eager: true });
const TOLD_BY_ATTRIBUTES = ["aria-label", "alt", "title", "placeholder"];

checkTexts({ en, de }, SOURCES);

test.each(Object.entries(DOCUMENTS))("%s leaves its words to the languages", (_, source) => {
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

test.each(Object.entries(DOCUMENTS))("%s names only texts that there are", (_, source) => {
  const named = [...source.matchAll(/(?:data-(?:text|label|placeholder)="|%\w+:)([\w.]+)/g)].map(
    ([, key]) => key ?? "",
  );
  expect(named.filter((key) => !Object.hasOwn(en, key))).toEqual([]);
  expect(named.length).toBeGreaterThan(2);
});
