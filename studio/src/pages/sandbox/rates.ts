/* Faults by chance as the sandbox writes them: KIND:SHARE or KIND:SHARE:NUMBER. */

import type { FaultKind } from "$lib/api/types";

export interface Rate {
  kind: string;
  share: number;
  number: string;
}
/** Statuses that are faults too, those that clients meet most. */
export const STATUSES: readonly FaultKind[] = [
  { name: "429", text: "the answer is 429: the rate limit is reached" },
  { name: "500", text: "the answer is 500: the server had an error" },
  { name: "503", text: "the answer is 503: the server is overloaded" },
];
export const USUAL = 0.1;
const NUMBERS: Record<string, string> = { delay: "2" };

export function readRate(text: string): Rate {
  const [kind = "", share = "", number = ""] = text.split(":");
  return { kind, share: Number(share), number };
}
export const writeRate = ({ kind, share, number }: Rate): string =>
  number ? `${kind}:${share}:${number}` : `${kind}:${share}`;

/** The rates with one kind on at this share, or off. */
export function withRate(rates: readonly string[], kind: string, share: number | null): string[] {
  const before = rates.find((rate) => readRate(rate).kind === kind);
  if (share === null) return rates.filter((rate) => readRate(rate).kind !== kind);
  const next = writeRate({ kind, share, number: before ? readRate(before).number : (NUMBERS[kind] ?? "") });
  return before ? rates.map((rate) => (readRate(rate).kind === kind ? next : rate)) : [...rates, next];
}
