import { post } from "$lib/api/client";
import type { Forecast, TaskRow } from "$lib/api/types";
import { confirmation } from "$lib/confirmation.svelte";
import { many, money } from "$lib/format";
import { toasts } from "$lib/toasts.svelte";
import type { FilterValues } from "./filters";

export type Bulk = "retry" | "skip" | "purge";

const QUESTIONS = {
  retry: {
    title: (what: string) => `Retry ${what}`,
    effect: "They wait for their next attempt, at once. Calls of them that were done are not made again.",
    action: "Retry",
    done: (text: string) => `${text} wait for their next attempt`,
  },
  skip: {
    title: (what: string) => `Skip ${what}`,
    effect: "They end without another attempt. It can be undone for those that wait; failed ones come back by a retry.",
    action: "Skip",
    done: (text: string) => `${text} skipped`,
  },
  purge: {
    title: (what: string) => `Remove ${what}`,
    effect: "They and everything that is kept of their calls are removed from the store for good.",
    action: "Remove",
    done: (text: string) => `${text} removed`,
  },
} as const;

/** Counts first, asks, then does it to exactly as many; returns whether it was done. */
export async function actOn(action: Bulk, filter: FilterValues | { ids: number[] }, what: string): Promise<boolean> {
  const words = QUESTIONS[action];
  const consent = await confirmation.ask({
    title: words.title(what),
    effect: words.effect,
    forecast: (doubtful) =>
      post<Forecast>(`/tasks/${action}`, { filter, dry_run: true, ...(doubtful ? { repeat_unknown: true } : {}) }),
    mayRepeat: action === "retry",
    action: (forecast) => {
      const price = action === "retry" && forecast ? money(forecast.cost) : "";
      return `${words.action} ${forecast ? many(forecast.count, "task") : ""}${price ? ` · up to ${price}` : ""}`.trim();
    },
    danger: action === "purge",
    ...(action === "purge" ? { typed: "remove" } : {}),
    ...(action === "skip" ? { reason: { label: "Why (kept with the tasks)", needed: false } } : {}),
  });
  if (!consent?.forecast) return false;
  try {
    const answer = await post<Forecast>(`/tasks/${action}`, {
      filter,
      expected: consent.forecast.count,
      ...(consent.doubtful ? { repeat_unknown: true } : {}),
      ...(consent.reason ? { reason: consent.reason } : {}),
    });
    const back = answer.undo?.length ?? 0;
    const rest =
      action === "skip" && back < answer.count ? `; ${back ? "the others" : "they"} come back by a retry` : "";
    toasts.done(words.done(many(answer.count, "task")) + rest, back ? () => undoSkip(answer.undo ?? []) : undefined);
    return true;
  } catch (error) {
    toasts.failed(error);
    return false;
  }
}

/** Tasks that waited for an attempt wait again; one that has been retried meanwhile is left as it is. */
async function undoSkip(ids: number[]): Promise<void> {
  try {
    const body = { filter: { ids, state: ["skipped"] }, expected: ids.length };
    const answer = await post<Forecast>("/tasks/retry", body);
    toasts.done(`${many(answer.count, "task")} put back: what waited, waits for its next attempt again`);
  } catch (error) {
    toasts.failed(error);
  }
}

/** How a row is called in a sentence. */
export const nameOf = (row: Pick<TaskRow, "id" | "key">): string =>
  row.key ? `${row.key} (task ${row.id})` : `task ${row.id}`;
