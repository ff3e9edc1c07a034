import type { Json, PlaygroundStep, SampleResult } from "$lib/api/types";
import type { Line } from "$lib/diff";

/** A step as the text names it, with the steps within it, and the document that it was given. */
export interface Shown {
  step: PlaygroundStep;
  inner: PlaygroundStep[];
  before: Json;
}

/** The steps of the text in their order; those of a named chain come before it, and belong to it. */
export function shownSteps(sample: SampleResult, given: Json): Shown[] {
  const shown: Shown[] = [];
  let inner: PlaygroundStep[] = [];
  sample.steps.forEach((step, place) => {
    if (step.inner && place < sample.steps.length - 1) {
      inner.push(step);
      return;
    }
    shown.push({ step, inner, before: beforeOf(shown, step, given) });
    inner = [];
  });
  return shown;
}

/** Where a step made several documents, the next one is given each of them in turn. */
function beforeOf(shown: readonly Shown[], step: PlaygroundStep, given: Json): Json {
  const earlier = shown.findLast((one) => one.step.number !== step.number);
  const before = earlier ? earlier.step.document : given;
  const turn = shown.filter((one) => one.step.number === step.number && one !== earlier).length;
  return turn > 0 && Array.isArray(before) ? (before[turn] ?? null) : before;
}

/** The lines of a unified diff, as the view of differences shows them. */
export function unifiedLines(diff: string): Line[] {
  const lines: Line[] = [];
  let [before, after] = [0, 0];
  for (const text of diff.split("\n").slice(2)) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(text);
    if (hunk) [before, after] = [Number(hunk[1]) - 1, Number(hunk[2]) - 1];
    else if (text.startsWith("+")) lines.push({ kind: "added", text: text.slice(1), before: null, after: ++after });
    else if (text.startsWith("-")) lines.push({ kind: "removed", text: text.slice(1), before: ++before, after: null });
    else if (text.startsWith(" ")) lines.push({ kind: "same", text: text.slice(1), before: ++before, after: ++after });
  }
  return lines;
}

export const milliseconds = (value: number): string =>
  value >= 100 ? `${Math.round(value)} ms` : value >= 1 ? `${value.toFixed(1)} ms` : `${value.toFixed(2)} ms`;
