import { expect, test, vi } from "vitest";
import { Delays } from "../src/retry_delays";

test("a part is tried eight times, with seven delays that double up to a bound", () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  expect([...new Delays().values()]).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000]);
});

test("each count has delays of its own, so that many clients do not come back at once", () => {
  const delays = new Delays();
  expect([...delays.values()]).not.toEqual([...delays.values()]);
});
