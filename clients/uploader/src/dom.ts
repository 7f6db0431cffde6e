/** Elements made without markup, which a page's policy may forbid. */

/** The first element inside that fits; ask only for what is there. */
export function within<Kind extends HTMLElement = HTMLElement>(root: ParentNode, selector: string): Kind {
  return root.querySelector(selector) as Kind;
}

/** attributes: true sets an empty one, false and undefined none. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string | boolean | undefined> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** An outline icon that is no content. path: in a box of 48 by 48. */
export function icon(path: string): SVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  const line = document.createElementNS(namespace, "path");
  const attributes = { viewBox: "0 0 48 48", width: "48", height: "48", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const stroke = { d: path, fill: "none", stroke: "currentColor", "stroke-width": "3" };
  const ends = { "stroke-linecap": "round", "stroke-linejoin": "round" };
  for (const [name, value] of Object.entries({ ...stroke, ...ends })) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}
