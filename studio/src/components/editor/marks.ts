import { faultOf } from "$lib/json";
import type { Language } from "./highlight";

/** Something that was found in a text, with its line. */
export interface LineMark {
  /** From 1. */
  line: number;
  /** From 1, where it is known. */
  column?: number;
  text: string;
  severity: "error" | "warning";
}
/** Looks a text over; what it is asked for an older text is aborted. */
export type Lint = (text: string, signal: AbortSignal) => readonly LineMark[] | Promise<readonly LineMark[]>;

// Signs that show nothing and let a line read otherwise than it is.
const TURNS = /[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff]/;
const MOST = 50;

/** What an editor sees by itself: JSON that is none, and signs that show nothing. */
export function ownMarks(text: string, language: Language): LineMark[] {
  const marks: LineMark[] = [];
  const fault = language === "json" && text.trim() ? faultOf(text) : null;
  if (fault) marks.push({ ...fault, severity: "error" });
  if (TURNS.test(text))
    for (const [place, line] of text.split("\n").entries()) {
      const found = TURNS.exec(line);
      if (!found) continue;
      const code = found[0].charCodeAt(0).toString(16).toUpperCase();
      const words = `U+${code} shows nothing here, and may let the line read otherwise than it is`;
      marks.push({ line: place + 1, column: found.index + 1, text: words, severity: "warning" });
      if (marks.length >= MOST) break;
    }
  return marks;
}

/** In the order of their lines, each once. */
export function sorted(marks: readonly LineMark[]): LineMark[] {
  const once = new Map(marks.map((mark) => [`${mark.line}:${mark.column ?? 0}:${mark.text}`, mark]));
  return [...once.values()].sort((a, b) => a.line - b.line || (a.column ?? 0) - (b.column ?? 0));
}
