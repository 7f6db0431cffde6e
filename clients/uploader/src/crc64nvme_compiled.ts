/** CRC-64/NVME by WebAssembly: sixteen bytes a step over sixteen tables of 64-bit words. */

import { base64Of, type Crc, Crc64Nvme, HIGH, LOW, SLICES } from "./crc64nvme";

const PAGE_BYTES = 64 * 1024;
const TABLE_BYTES = 256 * 8;
/** The tables come first. */
const PIECE_AT = PAGE_BYTES;
const PIECE_BYTES = 16 * PAGE_BYTES;

/** Opcodes and types. Source: WebAssembly Core Specification, "Index of Instructions". */
const BLOCK = [0x02, 0x40];
const LOOP = [0x03, 0x40];
const END = 0x0b;
const BRANCH = 0x0c;
const BRANCH_IF = 0x0d;
const GET = 0x20;
const SET = 0x21;
const LOAD_64 = 0x29;
const LOAD_8 = 0x31;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const I32_GREATER = 0x4b;
const I32_ADD = 0x6a;
const I32_AND = 0x71;
const I64_XOR = 0x85;
const I64_SHIFT_LEFT = 0x86;
const I64_SHIFT_RIGHT = 0x88;
const I32_OF_I64 = 0xa7;
const I32 = 0x7f;
const I64 = 0x7e;

/** Parameters, then variables of `steps`. */
const [FROM, TO, CRC, FIRST, SECOND] = [0, 1, 2, 3, 4];

interface Compiled {
  memory: WebAssembly.Memory;
  /** Sum the bytes of the memory from one address to another. */
  steps(from: number, to: number, crc: bigint): bigint;
}

/** Compile once, and make sums by it, or by the slower steps where the browser or the page's policy forbids it. */
export function crcMaker(): () => Crc {
  const compiled = compile();
  return compiled ? () => new CompiledCrc(compiled) : () => new Crc64Nvme();
}

class CompiledCrc implements Crc {
  readonly #compiled: Compiled;
  #crc = -1n;

  constructor(compiled: Compiled) {
    this.#compiled = compiled;
  }

  update(bytes: Uint8Array): void {
    const { memory, steps } = this.#compiled;
    const room = new Uint8Array(memory.buffer, PIECE_AT, PIECE_BYTES);
    for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
      const piece = bytes.subarray(from, from + PIECE_BYTES);
      room.set(piece);
      this.#crc = steps(PIECE_AT, PIECE_AT + piece.length, this.#crc);
    }
  }

  base64(): string {
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setBigUint64(0, BigInt.asUintN(64, ~this.#crc));
    return base64Of(bytes);
  }
}

function compile(): Compiled | null {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code()));
    const compiled = exports as unknown as Compiled;
    const table = new Int32Array(compiled.memory.buffer, 0, 2 * SLICES * 256);
    for (let entry = 0; entry < SLICES * 256; entry += 1) {
      table[2 * entry] = LOW[entry] as number;
      table[2 * entry + 1] = HIGH[entry] as number;
    }
    return compiled;
  } catch {
    return null;
  }
}

function code(): Uint8Array<ArrayBuffer> {
  const signature = [0x60, 3, I32, I32, I64, 1, I64];
  const body = [1, 2, I64, ...loop(SLICES, steps()), ...loop(1, byteStep()), GET, CRC, END];
  return Uint8Array.from([
    ...[0, ...letters("asm"), 1, 0, 0, 0],
    ...section(1, [1, ...signature]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...integer((PIECE_AT + PIECE_BYTES) / PAGE_BYTES)]),
    ...section(7, [2, ...named("memory"), 2, 0, ...named("steps"), 0, 0]),
    ...section(10, [1, ...integer(body.length), ...body]),
  ]);
}

/** Rounds of so many bytes, as long as they last. */
function loop(bytes: number, round: number[]): number[] {
  const next = [GET, FROM, I32_CONST, ...integer(bytes), I32_ADD];
  return [
    ...[...BLOCK, ...LOOP, ...next, GET, TO, I32_GREATER, BRANCH_IF, 1],
    ...[...round, ...next, SET, FROM, BRANCH, 0, END, END],
  ];
}

function steps(): number[] {
  const entries = Array.from({ length: SLICES }, (_, at) => entry(at < 8 ? FIRST : SECOND, at % 8, SLICES - 1 - at));
  return [
    ...[GET, CRC, GET, FROM, LOAD_64, 0, 0, I64_XOR, SET, FIRST],
    ...[GET, FROM, LOAD_64, 0, 8, SET, SECOND],
    ...entries.flat(),
    ...entries.slice(1).map(() => I64_XOR),
    ...[SET, CRC],
  ];
}

function byteStep(): number[] {
  return [
    ...[GET, CRC, GET, FROM, LOAD_8, 0, 0, I64_XOR, SET, FIRST],
    ...entry(FIRST, 0, 0),
    ...[GET, CRC, I64_CONST, ...integer(8), I64_SHIFT_RIGHT, I64_XOR, SET, CRC],
  ];
}

/** The entry of a table for one byte of a variable. */
function entry(variable: number, byte: number, slice: number): number[] {
  // The byte times eight is an entry's address.
  const shift = byte ? [...integer(8 * byte - 3), I64_SHIFT_RIGHT] : [...integer(3), I64_SHIFT_LEFT];
  return [
    ...[GET, variable, I64_CONST, ...shift, I32_OF_I64],
    ...[I32_CONST, ...integer(TABLE_BYTES - 8), I32_AND],
    ...[LOAD_64, 3, ...integer(slice * TABLE_BYTES)],
  ];
}

function section(id: number, content: number[]): number[] {
  return [id, ...integer(content.length), ...content];
}

function named(name: string): number[] {
  return [name.length, ...letters(name)];
}

function letters(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0));
}

/** LEB128: seven bits a byte, the lowest first. The last byte leaves the sign's bit free, where one is read. */
function integer(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...integer(value >>> 7)];
}
