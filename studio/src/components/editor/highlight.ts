/* The colours of YAML and JSON: lines of tokens. It reads each line by itself, but for block texts of YAML. */

export type Language = "yaml" | "json" | "text";
export interface Token {
  kind: "plain" | "name" | "string" | "amount" | "literal" | "note" | "sign";
  text: string;
}

/** Above this many characters nothing is coloured: the reader types faster than a browser could colour. */
const MOST = 200_000;

const QUOTED = String.raw`"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?`;
const NUMBER = String.raw`[-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?(?=[\s,\]}]|$)`;
const WORD = String.raw`(?:true|false|null|~|yes|no)(?=[\s,\]}]|$)`;
const JSON_PARTS = new RegExp(
  String.raw`(?<name>"(?:[^"\\]|\\.)*"(?=\s*:))|(?<string>"(?:[^"\\]|\\.)*"?)|(?<amount>${NUMBER})|(?<literal>${WORD})|(?<sign>[{}[\],:])`,
  "gy",
);
const YAML_PARTS = new RegExp(
  String.raw`(?<note>(?<=^|\s)#.*)|(?<name>(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#,[\]{}&*!|>%@\x60-][^\s:,[\]{}]*|-[^\s:,[\]{}]+)(?=\s*:(?:\s|$)))|(?<string>${QUOTED})|(?<amount>(?<=^|[\s,[{:])${NUMBER})|(?<literal>(?<=^|[\s,[{:])${WORD}|(?<=^|\s)[&*!][^\s,\]}]+)|(?<sign>[{}[\],]|:(?=\s|$)|(?<=^\s*(?:- +)*)-(?=\s|$)|(?<=\s)[|>][+-]?\d?(?=\s*$))`,
  "gy",
);
const BLOCK = /(?:^|[\s:-])[|>][+-]?\d?\s*(?:#.*)?$/;

export function highlight(text: string, language: Language): Token[][] {
  const lines = text.split("\n");
  if (language === "text" || text.length > MOST) return lines.map((line) => [{ kind: "plain", text: line }]);
  if (language === "json") return lines.map((line) => read(line, JSON_PARTS));
  let block = -1;
  return lines.map((line) => {
    const indent = line.search(/\S/);
    if (block >= 0 && (indent < 0 || indent > block)) return [{ kind: "string", text: line }];
    block = BLOCK.test(line) ? indent : -1;
    return read(line, YAML_PARTS);
  });
}

function read(line: string, parts: RegExp): Token[] {
  const tokens: Token[] = [];
  let plain = "";
  const flush = (): void => {
    if (plain) tokens.push({ kind: "plain", text: plain });
    plain = "";
  };
  for (let place = 0; place < line.length;) {
    parts.lastIndex = place;
    const found = parts.exec(line);
    if (!found?.[0]) {
      plain += line[place++] ?? "";
      continue;
    }
    flush();
    const [kind] = Object.entries(found.groups ?? {}).find(([, part]) => part) ?? ["plain"];
    tokens.push({ kind: kind as Token["kind"], text: found[0] });
    place += found[0].length;
  }
  flush();
  return tokens;
}
