/**
 * CRC-64/NVME, S3's whole-object checksum: polynomial ad93d23594c93659, reflected, all ones before and after.
 *
 * Eight bytes a step over eight tables (Kounavis and Berry's slicing-by-8), in halves of 32 bits: BigInt would be twenty
 * times slower, and WebAssembly is not allowed by the page's Content-Security-Policy.
 */

// biome-ignore-all lint/style/noNonNullAssertion: indexes stay within tables and bytes; a check would cost time per byte.

const POLYNOMIAL_HIGH = 0x9a6c9329;
const POLYNOMIAL_LOW = 0xac4bc9b5;
const SLICES = 8;

/** Entry `slice * 256 + byte`. */
const HIGH = new Uint32Array(SLICES * 256);
const LOW = new Uint32Array(SLICES * 256);

for (let byte = 0; byte < 256; byte += 1) {
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    const carry = low & 1;
    low = ((low >>> 1) | (high << 31)) >>> 0;
    high >>>= 1;
    if (carry) {
      high = (high ^ POLYNOMIAL_HIGH) >>> 0;
      low = (low ^ POLYNOMIAL_LOW) >>> 0;
    }
  }
  HIGH[byte] = high;
  LOW[byte] = low;
}
for (let at = 256; at < SLICES * 256; at += 1) {
  const high = HIGH[at - 256] as number;
  const low = LOW[at - 256] as number;
  HIGH[at] = (high >>> 8) ^ (HIGH[low & 255] as number);
  LOW[at] = ((low >>> 8) | (high << 24)) ^ (LOW[low & 255] as number);
}

export class Crc64Nvme {
  #high = 0xffffffff;
  #low = 0xffffffff;

  update(bytes: Uint8Array): void {
    const H = HIGH;
    const L = LOW;
    let high = this.#high;
    let low = this.#low;
    let at = 0;
    for (const end = bytes.length - 7; at < end; at += 8) {
      const a = low ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
      const b = high ^ (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24));
      const i0 = 1792 + (a & 255);
      const i1 = 1536 + ((a >>> 8) & 255);
      const i2 = 1280 + ((a >>> 16) & 255);
      const i3 = 1024 + (a >>> 24);
      const i4 = 768 + (b & 255);
      const i5 = 512 + ((b >>> 8) & 255);
      const i6 = 256 + ((b >>> 16) & 255);
      const i7 = b >>> 24;
      high = H[i0]! ^ H[i1]! ^ H[i2]! ^ H[i3]! ^ H[i4]! ^ H[i5]! ^ H[i6]! ^ H[i7]!;
      low = L[i0]! ^ L[i1]! ^ L[i2]! ^ L[i3]! ^ L[i4]! ^ L[i5]! ^ L[i6]! ^ L[i7]!;
    }
    for (; at < bytes.length; at += 1) {
      const index = (low ^ bytes[at]!) & 255;
      low = ((low >>> 8) | (high << 24)) ^ L[index]!;
      high = (high >>> 8) ^ H[index]!;
    }
    this.#high = high >>> 0;
    this.#low = low >>> 0;
  }

  /** S3's form: base64 of the eight big-endian bytes. */
  base64(): string {
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setUint32(0, ~this.#high >>> 0);
    bytes.setUint32(4, ~this.#low >>> 0);
    return btoa(String.fromCharCode(...new Uint8Array(bytes.buffer)));
  }
}
