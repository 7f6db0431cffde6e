/**
 * Keeps the keyboard's focus in the page: when the focused element is hidden, disabled or removed, browsers let the
 * focus fall to the body, and people without a mouse begin again at the top.
 */

/** Begin; once a document or shadow root. */
export function keepFocus(root: Document | ShadowRoot): void {
  /** The elements around the one with the focus, innermost first; remembered, for a removed one no longer knows them. */
  let around: Element[] = [];
  root.addEventListener("focusin", ({ target }) => {
    around = [];
    for (let each = target as Element | null; each; each = each.parentElement) around.push(each);
  });
  const moveOn = () => {
    const [last, ...outer] = around;
    if (!last || canHoldFocus(last)) return;
    const hasFallen = root.activeElement === last || document.activeElement === document.body;
    if (hasFallen) focusWithin(outer);
  };
  const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden", "disabled"] };
  new MutationObserver(moveOn).observe(root, changes);
}

/** Focus the nearest element that can hold it. elements: innermost first. */
function focusWithin(elements: Element[]): void {
  for (const element of elements) {
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
