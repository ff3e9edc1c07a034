/* What the keys do to a text: where it is replaced, by what, and what is chosen afterwards. */

export interface Selected {
  text: string;
  start: number;
  end: number;
}
export interface Change {
  from: number;
  to: number;
  insert: string;
  start: number;
  end: number;
}

const STEP = "  ";
const lineStart = (text: string, place: number): number => text.lastIndexOf("\n", place - 1) + 1;
const lineEnd = (text: string, place: number): number => {
  const found = text.indexOf("\n", place);
  return found < 0 ? text.length : found;
};

/** Two spaces at the caret, or before every chosen line; `back` takes them away. Null when nothing changes. */
export function indent({ text, start, end }: Selected, back: boolean): Change | null {
  if (!back && start === end) {
    const missing = STEP.slice((start - lineStart(text, start)) % 2);
    return { from: start, to: start, insert: missing, start: start + missing.length, end: start + missing.length };
  }
  const from = lineStart(text, start);
  // A line of which only its beginning is reached is not chosen.
  const to = lineEnd(text, end > start && text[end - 1] === "\n" ? end - 1 : end);
  const lines = text.slice(from, to).split("\n");
  const moved = lines.map((line) => (back ? line.replace(/^ {1,2}/, "") : line && STEP + line));
  const insert = moved.join("\n");
  if (insert === text.slice(from, to)) return null;
  const first = (moved[0]?.length ?? 0) - (lines[0]?.length ?? 0);
  const begins = Math.max(from, start + first);
  return { from, to, insert, start: begins, end: Math.max(begins, end + insert.length - (to - from)) };
}

const OPENS = { yaml: /(?::|[|>][+-]?|[[{])\s*$/, json: /[[{]\s*$/, text: /^\b$/ } as const;

/** A new line with the indentation of this one, one step deeper where this one opens something. */
export function breakLine({ text, start, end }: Selected, language: keyof typeof OPENS): Change {
  const before = text.slice(lineStart(text, start), start);
  const lead = /^\s*(?:- +)*/.exec(before)?.[0].replaceAll("-", " ") ?? "";
  const item = language === "yaml" ? lead : (/^\s*/.exec(before)?.[0] ?? "");
  const insert = `\n${item}${OPENS[language].test(before) ? STEP : ""}`;
  return { from: start, to: end, insert, start: start + insert.length, end: start + insert.length };
}
