import type { Explained, Json } from "$lib/api/types";
import { count, money } from "$lib/format";

/** What a second call would do, in words. */
export const EFFECTS: Record<string, string> = {
  none: "changes nothing",
  idempotent: "changes nothing more",
  reconcilable: "can be avoided: the first can be found again",
  opaque: "may be paid for again",
};

/** How a call ended, as the mark that it shares with tasks, and in a word. */
export function endOf(state: string, live = false): { mark: string; word: string } {
  const ends: Record<string, { mark: string; word: string }> = {
    // Without an end: under way while its task is, in doubt afterwards.
    "": live ? { mark: "processing", word: "under way" } : { mark: "unknown", word: "no end" },
    done: { mark: "finished", word: "done" },
    refused: { mark: "failed", word: "refused" },
    "not sent": { mark: "skipped", word: "not sent" },
    not_sent: { mark: "skipped", word: "not sent" },
    unknown: { mark: "unknown", word: "unknown" },
    open: { mark: "unknown", word: "cut off" },
  };
  return ends[state] ?? { mark: "new", word: state };
}

/** "812 in, 64 out": whatever of the usage is a plain number. */
export function usageText(usage: Json): string {
  if (usage === null || typeof usage !== "object" || Array.isArray(usage)) return "";
  const words: Record<string, string> = {
    input: "in",
    output: "out",
    prompt_tokens: "in",
    completion_tokens: "out",
    input_tokens: "in",
    output_tokens: "out",
    cached: "cached",
    reasoning: "reasoning",
  };
  return Object.entries(usage)
    .filter((pair): pair is [string, number] => typeof pair[1] === "number" && pair[0] in words)
    .map(([name, value]) => `${count(value)} ${words[name] ?? name}`)
    .join(", ");
}

/** What a request that was explained costs at most, as a sentence. */
export function costSentence({ most }: Explained): string {
  if (most.amount === null) return `What it costs is not known: ${most.why}.`;
  return most.amount ? `It costs at most ${money(most)}.` : "It costs nothing.";
}
