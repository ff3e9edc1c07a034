import type { Json } from "./api/types";

const MOST = 200;

/** The paths of the plain values in a document, as columns and filters name them: `customer.country`, `items[0].id`. */
export function paths(document: Json): string[] {
  const found: string[] = [];
  const walk = (value: Json, path: string, depth: number): void => {
    if (found.length >= MOST || depth > 8) return;
    if (Array.isArray(value)) value.slice(0, 1).forEach((item, place) => walk(item, `${path}[${place}]`, depth + 1));
    else if (value !== null && typeof value === "object") {
      for (const [name, item] of Object.entries(value))
        if (/^[\w-]+$/.test(name)) walk(item, path ? `${path}.${name}` : name, depth + 1);
    } else if (path) found.push(path);
  };
  walk(document, "", 0);
  return found;
}
