import { router } from "$lib/router.svelte";

/** The names of the address that choose tasks; the API takes the same. */
export const FILTERS = [
  "route",
  "state",
  "key",
  "reason",
  "text",
  "field",
  "created_from",
  "created_to",
  "updated_from",
  "updated_to",
] as const;
const LISTS: ReadonlySet<string> = new Set(["route", "state", "field"]);
export type FilterName = (typeof FILTERS)[number];
export type FilterValues = Record<string, string | string[]>;

/** The filters of an address, as the API takes them in a query; without those that are left out. */
export function filterQuery(query: URLSearchParams, without: readonly FilterName[] = []): URLSearchParams {
  const found = new URLSearchParams();
  for (const name of FILTERS) {
    if (without.includes(name)) continue;
    for (const value of query.getAll(name)) if (value) found.append(name, value);
  }
  return found;
}

/** The same as the API takes them in the body of a bulk action. */
export function filterBody(query: URLSearchParams): FilterValues {
  const body: FilterValues = {};
  for (const name of FILTERS) {
    const values = query.getAll(name).filter(Boolean);
    if (values.length) body[name] = LISTS.has(name) ? values : (values[0] ?? "");
  }
  return body;
}

export const columnsOf = (query: URLSearchParams): string[] => (query.get("columns") ?? "").split(",").filter(Boolean);
export const sortOf = (query: URLSearchParams): string => query.get("sort") ?? "-updated";

/** Adds or removes one value of a name that may stand several times. */
export function toggle(name: FilterName, value: string): void {
  const values = router.query.getAll(name);
  router.set({ [name]: values.includes(value) ? values.filter((one) => one !== value) : [...values, value] });
}
