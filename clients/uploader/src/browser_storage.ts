/** localStorage that may be blocked or full: reads then find nothing, and writes are lost. */

export function storedText(key: string): string | null {
  return orNull(() => localStorage.getItem(key));
}

export function storeText(key: string, text: string): void {
  orNull(() => localStorage.setItem(key, text));
}

export function dropText(key: string): void {
  orNull(() => localStorage.removeItem(key));
}

export function storedKeys(): string[] {
  return orNull(() => Object.keys(localStorage)) ?? [];
}

function orNull<Answer>(ask: () => Answer): Answer | null {
  try {
    return ask();
  } catch {
    return null;
  }
}
