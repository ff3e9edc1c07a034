import type { State } from "./api/types";

/** In the order in which a person should look at them. */
export const STATES: readonly State[] = ["failed", "unknown", "processing", "waiting", "new", "finished", "skipped"];

export const MEANING: Record<State, string> = {
  new: "accepted, and not yet begun",
  processing: "being worked on now",
  waiting: "will be tried again, or waits for its turn",
  finished: "done",
  failed: "ended in an error; nothing tries it again by itself",
  unknown: "a call may have taken effect; a person decides",
  skipped: "left out on purpose",
};

export const isState = (text: string): text is State => text in MEANING;
/** States that can be retried by a person. */
export const RETRIABLE: ReadonlySet<State> = new Set(["failed", "unknown", "skipped"]);
