/* A diff of two texts by lines (Myers), as people read it: one form for documents and for configurations. */

import type { Json } from "./api/types";
import { isRaw } from "./json";

export interface Line {
  kind: "same" | "added" | "removed";
  text: string;
  before: number | null;
  after: number | null;
}
/** What is shown: lines, or a fold of lines that are the same. */
export type Part = Line | { kind: "fold"; lines: Line[] };

const MOST = 4000;

/** JSON with two spaces; the names of `after` in the order of `before`, so that only what differs shows. */
export function pretty(value: Json): string {
  return JSON.stringify(value, null, 2) ?? "";
}
export function ordered(after: Json, before: Json): Json {
  if (Array.isArray(after)) {
    const old = Array.isArray(before) ? before : [];
    return after.map((item, place) => ordered(item, old[place] ?? null));
  }
  if (after === null || typeof after !== "object" || isRaw(after)) return after;
  const old = before !== null && typeof before === "object" && !Array.isArray(before) ? before : {};
  const names = [
    ...Object.keys(old).filter((name) => Object.hasOwn(after, name)),
    ...Object.keys(after).filter((name) => !Object.hasOwn(old, name)),
  ];
  return Object.fromEntries(names.map((name) => [name, ordered(after[name] ?? null, old[name] ?? null)]));
}

export function diffJson(before: Json, after: Json): Line[] {
  return diffLines(pretty(before), pretty(ordered(after, before)));
}

export function diffLines(before: string, after: string): Line[] {
  const a = before === "" ? [] : before.split("\n");
  const b = after === "" ? [] : after.split("\n");
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const script = shortest(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const lines: Line[] = [];
  let x = 0;
  let y = 0;
  const same = (): number => lines.push({ kind: "same", text: a[x] ?? "", before: ++x, after: ++y });
  for (let i = 0; i < start; i++) same();
  for (const kind of script) {
    if (kind === "same") same();
    else if (kind === "removed") lines.push({ kind, text: a[x] ?? "", before: ++x, after: null });
    else lines.push({ kind, text: b[y] ?? "", before: null, after: ++y });
  }
  for (let i = 0; i < end; i++) same();
  return lines;
}

/** The shortest way from a to b; for very long texts the plain one: all away, all new. */
function shortest(a: readonly string[], b: readonly string[]): Line["kind"][] {
  const plain = (): Line["kind"][] => [...a.map(() => "removed" as const), ...b.map(() => "added" as const)];
  if (!a.length || !b.length || a.length + b.length > MOST) return plain();
  const most = Math.min(a.length + b.length, 1000);
  const offset = most + 1;
  const reach = new Int32Array(2 * most + 3);
  const trail: Int32Array[] = [];
  for (let d = 0; d <= most; d++) {
    trail.push(reach.slice());
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && at(reach, offset + k - 1) < at(reach, offset + k + 1));
      let x = down ? at(reach, offset + k + 1) : at(reach, offset + k - 1) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++;
        y++;
      }
      reach[offset + k] = x;
      if (x >= a.length && y >= b.length) return walkBack(trail, a.length, b.length, offset);
    }
  }
  return plain();
}

function walkBack(trail: readonly Int32Array[], width: number, height: number, offset: number): Line["kind"][] {
  const script: Line["kind"][] = [];
  let x = width;
  let y = height;
  for (let d = trail.length - 1; d >= 0; d--) {
    const reach = trail[d] as Int32Array;
    const k = x - y;
    const down = k === -d || (k !== d && at(reach, offset + k - 1) < at(reach, offset + k + 1));
    const before = down ? k + 1 : k - 1;
    const fromX = at(reach, offset + before);
    const fromY = fromX - before;
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      script.push("same");
      x--;
      y--;
    }
    if (d > 0) {
      script.push(down ? "added" : "removed");
      x = fromX;
      y = fromY;
    }
  }
  return script.reverse();
}
const at = (list: Int32Array, place: number): number => list[place] ?? 0;

/** Folds long runs of lines that are the same, but for a few around each change. */
export function fold(lines: readonly Line[], around = 3): Part[] {
  const keep = new Uint8Array(lines.length);
  lines.forEach((line, place) => {
    if (line.kind === "same") return;
    for (let i = Math.max(0, place - around); i <= Math.min(lines.length - 1, place + around); i++) keep[i] = 1;
  });
  const parts: Part[] = [];
  for (let place = 0; place < lines.length; place++) {
    if (keep[place]) {
      parts.push(lines[place] as Line);
      continue;
    }
    const from = place;
    while (place + 1 < lines.length && !keep[place + 1]) place++;
    const run = lines.slice(from, place + 1);
    if (run.length <= 2) parts.push(...run);
    else parts.push({ kind: "fold", lines: run });
  }
  return parts;
}
