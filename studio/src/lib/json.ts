/** Where a text stops being JSON; null when it is JSON. */
export interface JsonFault {
  line: number;
  column: number;
  text: string;
}

export function faultOf(text: string): JsonFault | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const place = /position (\d+)/.exec(said)?.[1];
    const at = place === undefined ? text.length : Number(place);
    const before = text.slice(0, at).split("\n");
    const words = said
      .replace(/^JSON\.parse: /, "")
      .replace(/ \(line \d+ column \d+\)/, "")
      .replace(/ in JSON at position \d+.*/s, "")
      .replace(/, \.*"[\s\S]*" is not valid JSON.*/, "");
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, text: words };
  }
}
