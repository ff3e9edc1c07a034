/* Edits of a value that is only here, such as a form that is being filled in. */

import type { Json } from "$lib/api/types";
import { isObject } from "$lib/shape";
import type { Edit, Path } from "./draft.svelte";

/** A value with one edit made in it; what is not there yet is made on the way. */
export function applied(value: Json | undefined, edit: Edit, path: Path = edit.path): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return edit.op === "remove" ? undefined : (edit.value ?? null);
  const isLast = !rest.length;
  if (Array.isArray(value)) {
    const items = [...value];
    const at = Number(step);
    if (isLast && edit.op === "insert") items.splice(at, 0, edit.value ?? null);
    else if (isLast && edit.op === "remove") items.splice(at, 1);
    else if (isLast && edit.op === "move") items.splice(edit.place ?? 0, 0, ...items.splice(at, 1));
    else items[at] = applied(items[at], edit, rest) ?? null;
    return items;
  }
  if (edit.op === "insert" && isLast) return [edit.value ?? null];
  const members = isObject(value) ? value : {};
  if (isLast && edit.op === "rename")
    return Object.fromEntries(
      Object.entries(members).map(([name, item]) => [name === step ? (edit.name ?? name) : name, item]),
    );
  const made = applied(members[String(step)], edit, rest);
  if (made === undefined) return Object.fromEntries(Object.entries(members).filter(([name]) => name !== step));
  return String(step) in members
    ? Object.fromEntries(Object.entries(members).map(([name, item]) => [name, name === step ? made : item]))
    : { ...members, [step]: made };
}
