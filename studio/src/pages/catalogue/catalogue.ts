import { get } from "$lib/api/client";
import type { Json, OperationRow, Page } from "$lib/api/types";

const PAGE = 500;

export const operationPath = ({ entity, action }: Pick<OperationRow, "entity" | "action">): string =>
  `/operations/${encodeURIComponent(entity)}/${encodeURIComponent(action)}`;
export const operationLink = (row: Pick<OperationRow, "entity" | "action">): string =>
  `/catalogue${operationPath(row)}`;
export const modelLink = (id: string): string => `/models/${encodeURIComponent(id)}`;

export const tabs = (on: "operations" | "models"): { title: string; href: string; on: boolean }[] => [
  { title: "Operations", href: "/catalogue", on: on === "operations" },
  { title: "Models", href: "/models", on: on === "models" },
];

/** All operations that hold the words of a search. */
export async function findOperations(search: string, signal: AbortSignal): Promise<OperationRow[]> {
  const found: OperationRow[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<OperationRow> = await get("/operations", { search, cursor, limit: PAGE }, signal);
    found.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return found;
}

/** One parameter, or one part of the payload. */
export interface Field {
  in: string;
  name: string;
  type: string;
  required: boolean;
  default: Json | undefined;
  description: string;
}
const PLACES: Record<string, string> = {
  path_parameters: "path",
  query: "query",
  headers: "header",
  payload: "payload",
};

/** What an operation takes, the required ones of each place first. */
export function fieldsOf(described: Record<string, Json>): Field[] {
  return Object.entries(PLACES).flatMap(([name, place]) => {
    const entries = described[name];
    const fields = (Array.isArray(entries) ? entries : []).flatMap((entry) => {
      if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return [];
      const word = (key: string): string => (typeof entry[key] === "string" ? entry[key] : "");
      return [
        {
          in: place,
          name: word("name"),
          type: word("type"),
          required: entry["required"] === true || place === "path",
          default: entry["default"],
          description: word("description"),
        },
      ];
    });
    return fields.sort((one, other) => Number(other.required) - Number(one.required));
  });
}

/** The kinds of answers with the names of their fields. */
export function answersOf(described: Record<string, Json>): { kind: string; schema: string; fields: string }[] {
  const answers = described["answer"];
  return (Array.isArray(answers) ? answers : []).flatMap((answer) => {
    if (typeof answer !== "object" || answer === null || Array.isArray(answer)) return [];
    const { kind, schema, fields } = answer;
    return [
      {
        kind: typeof kind === "string" ? kind : "",
        schema: typeof schema === "string" ? schema : "",
        fields: Array.isArray(fields) ? fields.filter((name) => typeof name === "string").join(", ") : "",
      },
    ];
  });
}
