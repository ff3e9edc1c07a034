import { tick } from "svelte";
import { post } from "$lib/api/client";
import { isAbort, Problem } from "$lib/api/problem";
import type { Json, PlaygroundRequest, PlaygroundResult } from "$lib/api/types";

/** Short: an answer takes less, and one that is no longer wanted is dropped. */
const PAUSE = 20;

/** A chain that runs while it is typed: a moment after the last key, and never an older answer over a newer one. */
export class LiveRun {
  result = $state.raw<PlaygroundResult | null>(null);
  /** The document that the result is of. */
  given = $state.raw<Json>(null);
  problem = $state.raw<Problem | null>(null);
  running = $state(false);
  /** Milliseconds from asking until the page shows the answer. */
  took = $state(0);

  constructor(request: () => PlaygroundRequest | null) {
    let first = true;
    $effect(() => {
      const asked = request();
      const running = new AbortController();
      const timer = setTimeout(() => void this.#run(asked, running.signal), first ? 0 : PAUSE);
      if (asked) first = false;
      return () => {
        clearTimeout(timer);
        running.abort();
      };
    });
  }

  async #run(asked: PlaygroundRequest | null, signal: AbortSignal): Promise<void> {
    if (!asked) return;
    this.running = true;
    const began = performance.now();
    try {
      const result = await post<PlaygroundResult>("/playground/run", asked, { signal });
      if (signal.aborted) return;
      this.result = result;
      this.given = asked.documents[0] ?? null;
      this.problem = null;
      await tick();
      this.took = performance.now() - began;
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      this.problem = Problem.of(error);
    } finally {
      if (!signal.aborted) this.running = false;
    }
  }
}
