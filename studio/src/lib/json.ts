import type { Json } from "./api/types";

interface Source {
  source?: string;
}
const { isRawJSON, rawJSON } = JSON as { isRawJSON?: (value: unknown) => boolean; rawJSON?: (text: string) => unknown };
const LONG = /\d{16}/;
const WHOLE = /^-?\d+$/;

/** Reads JSON; a whole number of more digits than a browser can hold is kept as it was written, and written so again. */
export function parse(text: string): Json {
  if (!rawJSON || !LONG.test(text)) return JSON.parse(text) as Json;
  const keep = (_: string, value: unknown, context?: Source): unknown => {
    const source = context?.source ?? "";
    return typeof value === "number" && !Number.isSafeInteger(value) && WHOLE.test(source) ? rawJSON(source) : value;
  };
  return JSON.parse(text, keep as (name: string, value: unknown) => unknown) as Json;
}
/** Whether a value is such a number. */
export const isRaw = (value: Json): boolean => isRawJSON?.(value) ?? false;

/** Where a text stops being JSON; null when it is JSON. */
export interface JsonFault {
  line: number;
  column: number;
  text: string;
}

export function faultOf(text: string): JsonFault | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const place = /position (\d+)/.exec(said)?.[1];
    const at = place === undefined ? text.length : Number(place);
    const before = text.slice(0, at).split("\n");
    const words = said
      .replace(/^JSON\.parse: /, "")
      .replace(/ \(line \d+ column \d+\)/, "")
      .replace(/ in JSON at position \d+.*/s, "")
      .replace(/, \.*"[\s\S]*" is not valid JSON.*/, "");
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, text: words };
  }
}
