/**
 * Keeps the keyboard's focus in the page: when the focused element is hidden, disabled or removed, browsers let the
 * focus fall to the body, and people without a mouse begin again at the top.
 */

/** The elements around the one with the focus, innermost first; remembered, for a removed one no longer knows them. */
let around: Element[] = [];

/** Begin; once a page. */
export function keepFocus(): void {
  document.addEventListener("focusin", ({ target }) => {
    around = [];
    for (let each = target as Element | null; each; each = each.parentElement) around.push(each);
  });
  const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden", "disabled"] };
  new MutationObserver(moveOn).observe(document.body, changes);
}

function moveOn(): void {
  const [last, ...outer] = around;
  const { activeElement } = document;
  if (!last || canHoldFocus(last) || (activeElement !== last && activeElement !== document.body)) return;
  for (const element of outer) {
    if (!element.isConnected || !element.checkVisibility()) continue;
    const next = element.querySelectorAll<HTMLElement>("button, a[href], input, [tabindex]");
    const found = [...next].find((each) => canHoldFocus(each));
    if (!found) continue;
    found.focus();
    return;
  }
}

function canHoldFocus(element: Element): boolean {
  return element.isConnected && element.checkVisibility() && !element.matches(":disabled");
}
