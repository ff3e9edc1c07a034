/* What the fields of a form share, and the words that they use. */

import { getContext, setContext } from "svelte";
import type { Suggestion } from "$components/Suggest.svelte";
import type { FoundFault, Json } from "$lib/api/types";
import { isObject, membersOf, said, shapesOf, type Kind, type Shape } from "$lib/shape";
import type { Edit, Path } from "./draft.svelte";

export interface Form {
  readonly readonly: boolean;
  readonly faults: readonly FoundFault[];
  /** Changes values; edits with the same mark that follow each other are undone together. */
  edit(edits: readonly Edit[], mark?: string): void;
  /** The names that may stand at a path. */
  names(path: Path): Suggestion[];
  /** The steps that are chains: saved ones, and those that ship with the connector. */
  chains(): string[];
  /** What else is at a path of the configuration. */
  at(path: Path): Json | undefined;
}
const KEY = Symbol("form");
export const setForm = (form: Form): Form => setContext(KEY, form);
export const getForm = (): Form => getContext(KEY);

export const MARKER = /^__SECRET_[0-9a-f]{12}__$/;

const WORDS: Record<Kind, string> = {
  text: "text",
  choice: "one of a list",
  integer: "whole number",
  number: "number",
  boolean: "yes or no",
  object: "settings",
  map: "names and values",
  named: "one",
  list: "list",
  any: "anything",
};

/** What a shape is called where several may be chosen. */
export function wordOf(shape: Shape, among: readonly Shape[]): string {
  if (among.filter(({ kind }) => kind === shape.kind).length < 2) return WORDS[shape.kind];
  const told = tellsApart(shape);
  if (told) return told.choice;
  return shape.description.split(/[.:;]/)[0] || `${WORDS[shape.kind]} ${among.indexOf(shape) + 1}`;
}

/** The member whose one value says which of several objects this is. */
export function tellsApart(shape: Shape): { name: string; choice: string } | null {
  for (const { name, place } of shape.kind === "object" ? membersOf(shape) : []) {
    const { list } = shapesOf(place, undefined);
    const choice = list[0]?.choices[0];
    if (list.length === 1 && list[0]?.choices.length === 1 && typeof choice === "string") return { name, choice };
  }
  return null;
}

/** A value in a few words, for what is folded. */
export function summary(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return `${value.length} ${value.length === 1 ? "item" : "items"}`;
  if (isObject(value)) return Object.keys(value).slice(0, 4).join(", ");
  return String(value);
}
export const shownDefault = (shape: Shape): string =>
  shape.fallback === undefined || shape.fallback === null || shape.fallback === ""
    ? ""
    : typeof shape.fallback === "object"
      ? JSON.stringify(shape.fallback)
      : String(shape.fallback);

export { said };
