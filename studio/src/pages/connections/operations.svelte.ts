/* The catalogue as forms need it: all operations by name, and the schemas of those that are in use. */

import { SvelteMap } from "svelte/reactivity";
import { get } from "$lib/api/client";
import type { Json, OperationDetail, OperationRow } from "$lib/api/types";
import { isObject, type Place, type Schema } from "$lib/shape";
import { fieldsOf, findOperations, operationPath } from "../catalogue/catalogue";

class Operations {
  rows = $state.raw<OperationRow[]>([]);
  #details = new SvelteMap<string, OperationDetail | null>();
  #asked = new Set<string>();
  #loading = false;

  load(): void {
    if (this.#loading) return;
    this.#loading = true;
    findOperations("", new AbortController().signal)
      .then((rows) => (this.rows = rows))
      .catch(() => (this.#loading = false));
  }

  /** What may stand in path, query and payload of an operation; null until it is known. */
  parts(row: OperationRow): Record<string, Place> | null {
    const detail = this.#details.get(row.name);
    if (detail) return partsOf(detail);
    if (!this.#asked.has(row.name)) {
      this.#asked.add(row.name);
      get<OperationDetail>(operationPath(row))
        .then((found) => this.#details.set(row.name, found))
        .catch(() => this.#asked.delete(row.name));
    }
    return null;
  }
}
const cache = new WeakMap<OperationDetail, Record<string, Place>>();

function partsOf(detail: OperationDetail): Record<string, Place> {
  const known = cache.get(detail);
  if (known) return known;
  const words = new Map(fieldsOf(detail.described).map((field) => [`${field.in} ${field.name}`, field.description]));
  const parts: Record<string, Place> = {};
  for (const [name, schema] of [
    ["path", detail.path_schema],
    ["query", detail.query_schema],
    ["payload", detail.payload_schema],
  ] as const)
    if (schema) parts[name] = { schema: withWords(name, schema, words), root: schema };
  cache.set(detail, parts);
  return parts;
}

/** The schema of a part with the sentences of its members, which the catalogue keeps apart. Templates fill in what is
 *  needed, so nothing is asked for here. */
function withWords(part: string, schema: Record<string, Json>, words: ReadonlyMap<string, string>): Schema {
  const properties: Schema = {};
  for (const [key, description] of words) {
    const [place, ...name] = key.split(" ");
    if (place === part && description) properties[name.join(" ")] = { description };
  }
  return { allOf: [schema], properties };
}

export const operations = new Operations();

/** The operation that `entity` and `action` name. */
export function operationOf(value: Json | undefined): OperationRow | null {
  if (!isObject(value)) return null;
  const { entity, action } = value;
  return operations.rows.find((row) => row.entity === entity && row.action === action) ?? null;
}
