/* Two changes of one text, brought together line by line; where both changed the same lines, a person decides. */

import { diffLines } from "$lib/diff";

export interface Conflict {
  mine: string[];
  theirs: string[];
}
export type Chunk = { kind: "settled"; lines: string[] } | ({ kind: "conflict" } & Conflict);
export type Decision = "mine" | "theirs" | "both";

interface Hunk {
  from: number;
  to: number;
  lines: string[];
}

function hunks(base: string, after: string): Hunk[] {
  const found: Hunk[] = [];
  let at = 0;
  let open: Hunk | null = null;
  for (const line of diffLines(base, after)) {
    if (line.kind === "same") {
      open = null;
      at++;
      continue;
    }
    if (!open) {
      open = { from: at, to: at, lines: [] };
      found.push(open);
    }
    if (line.kind === "removed") open.to = ++at;
    else open.lines.push(line.text);
  }
  return found;
}

/** What a text becomes when both changes of it are made. */
export function merge(base: string, mine: string, theirs: string): Chunk[] {
  const lines = base.split("\n");
  const own = hunks(base, mine);
  const other = hunks(base, theirs);
  const chunks: Chunk[] = [];
  const settle = (text: readonly string[]): void => {
    const last = chunks.at(-1);
    if (last?.kind === "settled") last.lines.push(...text);
    else if (text.length) chunks.push({ kind: "settled", lines: [...text] });
  };
  let at = 0;
  while (own.length || other.length) {
    const from = Math.min(own[0]?.from ?? Infinity, other[0]?.from ?? Infinity);
    settle(lines.slice(at, from));
    let to = from;
    const group = { mine: [] as Hunk[], theirs: [] as Hunk[] };
    for (let grown = true; grown;) {
      grown = false;
      for (const [side, queue] of [
        ["mine", own],
        ["theirs", other],
      ] as const) {
        const next = queue[0];
        if (next && (next.from < to || next.from === from)) {
          group[side].push(next);
          queue.shift();
          to = Math.max(to, next.to);
          grown = true;
        }
      }
    }
    const a = applied(lines, from, to, group.mine);
    const b = applied(lines, from, to, group.theirs);
    if (!group.theirs.length || a.join("\n") === b.join("\n")) settle(a);
    else if (!group.mine.length) settle(b);
    else chunks.push({ kind: "conflict", mine: a, theirs: b });
    at = to;
  }
  settle(lines.slice(at));
  return chunks;
}

function applied(lines: readonly string[], from: number, to: number, changes: readonly Hunk[]): string[] {
  const made: string[] = [];
  let at = from;
  for (const change of changes) {
    made.push(...lines.slice(at, change.from), ...change.lines);
    at = change.to;
  }
  return [...made, ...lines.slice(at, to)];
}

export function resolve(chunks: readonly Chunk[], decisions: readonly (Decision | undefined)[]): string {
  let conflict = 0;
  return chunks
    .flatMap((chunk) => {
      if (chunk.kind === "settled") return chunk.lines;
      const decision = decisions[conflict++] ?? "theirs";
      return decision === "both" ? [...chunk.theirs, ...chunk.mine] : chunk[decision];
    })
    .join("\n");
}
