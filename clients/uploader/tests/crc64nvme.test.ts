import { describe, expect, test, vi } from "vitest";
import { type Crc, Crc64Nvme } from "../src/crc64nvme";
import { crcMaker } from "../src/crc64nvme_compiled";

const ALL_ONES = (1n << 64n) - 1n;

/** The same polynomial a bit at a time, as its definition has it. */
function slowly(bytes: Uint8Array): string {
  let crc = ALL_ONES;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ 0x9a6c9329ac4bc9b5n : crc >> 1n;
  }
  const hex = (crc ^ ALL_ONES).toString(16).padStart(16, "0");
  return btoa(String.fromCharCode(...(hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))));
}

function noise(length: number): Uint8Array {
  let state = length + 1;
  return Uint8Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state >>> 16;
  });
}

const IMPLEMENTATIONS: [string, () => Crc][] = [
  ["by steps in JavaScript", () => new Crc64Nvme()],
  ["by compiled steps", crcMaker()],
];

describe.each(IMPLEMENTATIONS)("%s", (_, newCrc) => {
  function base64Of(...pieces: Uint8Array[]): string {
    const crc = newCrc();
    for (const piece of pieces) crc.update(piece);
    return crc.base64();
  }

  test("the check value of the catalogue of CRCs is met", () => {
    // "123456789" has ae8b14860a799888.
    expect(base64Of(new TextEncoder().encode("123456789"))).toBe("rosUhgp5mIg=");
  });

  test("nothing has the checksum 0", () => {
    expect(base64Of()).toBe("AAAAAAAAAAA=");
  });

  test("every length around a step agrees with the definition", () => {
    for (let length = 0; length <= 49; length += 1) expect(base64Of(noise(length))).toBe(slowly(noise(length)));
  });

  test("bytes may come in pieces of any size", () => {
    const bytes = noise(1000);
    for (const cut of [1, 7, 8, 9, 15, 16, 17, 500, 999]) {
      expect(base64Of(bytes.subarray(0, cut), bytes.subarray(cut))).toBe(base64Of(bytes));
    }
  });

  test("a checksum can be read before the end, and goes on", () => {
    const crc = newCrc();
    crc.update(noise(10));
    expect(crc.base64()).toBe(crc.base64());
    crc.update(noise(20));
    expect(crc.base64()).toBe(base64Of(noise(10), noise(20)));
  });

  test("sums under way do not mix", () => {
    const [one, other] = [newCrc(), newCrc()];
    one.update(noise(20));
    other.update(noise(30));
    one.update(noise(10));
    expect(one.base64()).toBe(base64Of(noise(20), noise(10)));
  });
});

test("the compiled steps sum pieces that are larger than their memory", () => {
  const bytes = noise(1024 * 1024 + 21);
  const [crc, slow] = [crcMaker()(), new Crc64Nvme()];
  for (const each of [crc, slow]) each.update(bytes);
  expect(crc).not.toBeInstanceOf(Crc64Nvme);
  expect(crc.base64()).toBe(slow.base64());
});

test("where nothing may be compiled, the sums are the slower steps'", () => {
  vi.stubGlobal("WebAssembly", {
    Module: class {
      constructor() {
        throw new EvalError("refused by the Content-Security-Policy");
      }
    },
  });
  expect(crcMaker()()).toBeInstanceOf(Crc64Nvme);
});
