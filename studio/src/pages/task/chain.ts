import type { Step } from "$lib/api/types";

/** A step as the configuration names it, with the steps of the ready-made chain behind it. */
export interface Outer {
  place: number;
  step: Step;
  inner: { place: number; step: Step }[];
}

/** Groups the steps: those of a ready-made chain belong to the step that named it, which comes after them. */
export function grouped(steps: readonly Step[]): Outer[] {
  const found: Outer[] = [];
  let inner: Outer["inner"] = [];
  steps.forEach((step, place) => {
    const last = place === steps.length - 1;
    if (step.where.startsWith("transformers.") && !last) {
      inner.push({ place, step });
      return;
    }
    found.push({ place, step, inner });
    inner = [];
  });
  return found;
}

/** The document that a step was given, as one compares: a configured step with the configured one before. */
export function given(steps: readonly Step[], groups: readonly Outer[], place: number): Step | undefined {
  const outer = groups.findIndex((group) => group.place === place);
  return outer > 0 ? groups[outer - 1]?.step : outer === 0 ? undefined : steps[place - 1];
}
