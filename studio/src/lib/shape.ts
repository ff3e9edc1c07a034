/* A JSON Schema as a form needs it: which shapes a value may have, and the members of each. */

import type { Json } from "./api/types";
import { isRaw } from "./json";

export interface Schema {
  [word: string]: unknown;
}
/** A schema and the document in which its references are looked up. */
export interface Place {
  schema: Schema | boolean;
  root: Schema;
}
export type Kind = "text" | "choice" | "integer" | "number" | "boolean" | "object" | "map" | "named" | "list" | "any";

/** One shape that a value may have, without references, conditions and unions. */
export interface Shape {
  kind: Kind;
  schema: Schema;
  root: Schema;
  description: string;
  fallback: Json | undefined;
  choices: Json[];
  examples: string[];
}
export interface Shapes {
  list: Shape[];
  /** Whether a text with a variable or a placeholder may stand in place of a number or choice. */
  open: boolean;
  nullable: boolean;
}
export interface Member {
  name: string;
  place: Place;
  needed: boolean;
}

const VARIABLE = new Set(["\\$\\{", "[$&?@]\\{"]);
const DEEPEST = 12;
const SAID = ["description", "default", "examples", "deprecated", "doNotSuggest"];

export const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isRaw(value as Json);

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** The shapes that a value at a place may have; conditions are decided by the value that is there. */
export function shapesOf({ schema, root }: Place, value: Json | undefined): Shapes {
  const flats = expand(schema, root, value, 0);
  const open = flats.some(isVariable);
  const rest = flats.filter((flat) => !isVariable(flat) && flat["type"] !== "null" && flat["maxItems"] !== 0);
  const found = (rest.length ? rest : flats.filter((flat) => flat["type"] !== "null")).map((flat) =>
    toShape(flat, root),
  );
  const unique = found.filter(
    (shape, at) => shape.kind !== "choice" || found.findIndex(({ kind }) => kind === "choice") === at,
  );
  return {
    list: unique.map((shape) =>
      shape.kind === "choice"
        ? { ...shape, choices: found.flatMap((one) => (one.kind === "choice" ? one.choices : [])) }
        : shape,
    ),
    open,
    nullable: flats.some((flat) => flat["type"] === "null"),
  };
}

const isVariable = (flat: Schema): boolean => VARIABLE.has(String(flat["pattern"] ?? ""));

/** The place in `shapes` of the one that a value has; the first one for a value that is not there. */
export function fit(shapes: readonly Shape[], value: Json | undefined): number {
  if (value === undefined || value === null) return 0;
  const at = shapes.findIndex((shape) => suits(shape, value));
  return Math.max(at, 0);
}

export function suits(shape: Shape, value: Json): boolean {
  switch (shape.kind) {
    case "any":
      return true;
    case "choice":
      return shape.choices.includes(value);
    case "text":
      return typeof value === "string";
    case "integer":
    case "number":
      return typeof value === "number" || isRaw(value);
    case "boolean":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    case "named":
      return isObject(value) && !("prototype" in value);
    case "object":
      return isObject(value) && list(shape.schema["required"]).every((name) => String(name) in value);
    case "map":
      return isObject(value);
  }
}

/** The members of an object in the order in which they are declared. */
export function membersOf(shape: Shape): Member[] {
  const needed = new Set(list(shape.schema["required"]).map(String));
  const properties = shape.schema["properties"];
  if (!isSchema(properties)) return [];
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    place: { schema: isSchema(schema) ? schema : {}, root: shape.root },
    needed: needed.has(name),
  }));
}

export const isProposed = ({ place }: Member): boolean => isSchema(place.schema) && !place.schema["doNotSuggest"];

export function itemsOf(shape: Shape): Place {
  const items = shape.schema["items"];
  return { schema: isSchema(items) ? items : {}, root: shape.root };
}

export function othersOf(shape: Shape): Place {
  const others = shape.schema["additionalProperties"];
  return { schema: isSchema(others) ? others : {}, root: shape.root };
}

/** What is said of a place, even if its shape says nothing. */
export function said(place: Place, word: "description"): string {
  if (!isSchema(place.schema)) return "";
  const own = place.schema[word];
  if (typeof own === "string") return own;
  for (const branch of [...list(place.schema["anyOf"]), place.schema["then"]])
    if (isSchema(branch)) {
      const found = said({ schema: branch, root: place.root }, word);
      if (found) return found;
    }
  const target = place.schema["$ref"] ? lookUp(String(place.schema["$ref"]), place.root) : null;
  return target ? said({ schema: target, root: place.root }, word) : "";
}

/** Bounds and forms in words: "1 to 100", "at most 20 characters". */
export function bounds(shape: Shape): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, maxLength, minItems, maxItems } = shape.schema;
  const parts: string[] = [];
  if (minimum !== undefined && maximum !== undefined) parts.push(`${String(minimum)} to ${String(maximum)}`);
  else if (minimum !== undefined) parts.push(`at least ${String(minimum)}`);
  else if (maximum !== undefined && exclusiveMinimum === undefined) parts.push(`at most ${String(maximum)}`);
  if (exclusiveMinimum !== undefined)
    parts.push(`more than ${String(exclusiveMinimum)}${maximum === undefined ? "" : `, at most ${String(maximum)}`}`);
  if (exclusiveMaximum !== undefined) parts.push(`less than ${String(exclusiveMaximum)}`);
  if (maxLength !== undefined) parts.push(`at most ${String(maxLength)} characters`);
  if (minItems !== undefined) parts.push(`at least ${String(minItems)} ${minItems === 1 ? "item" : "items"}`);
  if (maxItems !== undefined) parts.push(`at most ${String(maxItems)} items`);
  return parts.join("; ");
}

/** Why a text is no number of this shape; "" when it is one. */
export function numberFault(shape: Shape, text: string): string {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) return "not a number";
  if (shape.kind === "integer" && !Number.isInteger(value)) return "not a whole number";
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = shape.schema as Record<string, number | undefined>;
  const inside =
    (minimum === undefined || value >= minimum) &&
    (maximum === undefined || value <= maximum) &&
    (exclusiveMinimum === undefined || value > exclusiveMinimum) &&
    (exclusiveMaximum === undefined || value < exclusiveMaximum);
  return inside ? "" : `out of bounds: ${bounds(shape)}`;
}

/** What a new value of a shape begins with. */
export function fresh(shape: Shape, depth = 0): Json {
  if (shape.fallback !== undefined && shape.fallback !== null) return shape.fallback;
  switch (shape.kind) {
    case "choice":
      return shape.choices[0] ?? "";
    case "integer":
    case "number":
      return Number(shape.schema["minimum"] ?? 0);
    case "boolean":
      return false;
    case "list":
      return [];
    case "map":
      return {};
    case "named": {
      const name = membersOf(shape)[0]?.name;
      return name ? { [name]: {} } : {};
    }
    case "object": {
      const needed = membersOf(shape).filter((member) => member.needed);
      if (depth > 3) return {};
      return Object.fromEntries(
        needed.map(({ name, place }) => {
          const first = shapesOf(place, undefined).list[0];
          return [name, first ? fresh(first, depth + 1) : ""];
        }),
      );
    }
    default:
      return "";
  }
}

function expand(schema: Schema | boolean | unknown, root: Schema, value: Json | undefined, depth: number): Schema[] {
  if (!isSchema(schema) || depth > DEEPEST) return [{}];
  const { $ref, if: condition, then, else: other, anyOf, oneOf, allOf, ...own } = schema;
  let found: Schema[] = [own];
  const cross = (branches: Schema[]): void => {
    found = found.flatMap((flat) => branches.map((branch) => merge(branch, flat)));
  };
  if (typeof $ref === "string") cross(expand(lookUp($ref, root) ?? {}, root, value, depth + 1));
  if (isSchema(condition)) {
    const type = Object.keys(condition).length === 1 ? condition["type"] : undefined;
    const holding = expand(then ?? {}, root, value, depth + 1);
    if (typeof type === "string")
      cross([...holding.map((flat) => ({ type, ...flat })), ...expand(other ?? {}, root, value, depth + 1)]);
    else cross(holds(condition, value) ? holding : expand(other ?? {}, root, value, depth + 1));
  }
  for (const union of [anyOf, oneOf]) {
    const branches = list(union).filter((branch) => !isSchema(branch) || Object.keys(branch).join() !== "required");
    if (branches.length) cross(branches.flatMap((branch) => expand(branch, root, value, depth + 1)));
  }
  for (const part of list(allOf)) {
    const branches = expand(part, root, value, depth + 1);
    if (branches.length) cross(branches);
  }
  return found.flatMap(byType);
}

const byType = (flat: Schema): Schema[] =>
  Array.isArray(flat["type"]) ? flat["type"].map((type: unknown) => ({ ...flat, type })) : [flat];

/** Two schemas that both hold; what `over` says of a value goes before. */
function merge(under: Schema, over: Schema): Schema {
  const merged: Schema = { ...under, ...over };
  for (const word of SAID) if (over[word] === undefined && under[word] !== undefined) merged[word] = under[word];
  if (isSchema(under["properties"]) && isSchema(over["properties"])) {
    const properties: Schema = { ...under["properties"] };
    for (const [name, schema] of Object.entries(over["properties"])) {
      const known = properties[name];
      properties[name] = isSchema(known) && isSchema(schema) ? { ...schema, ...known } : schema;
    }
    merged["properties"] = properties;
  }
  const needed = [...list(under["required"]), ...list(over["required"])];
  if (needed.length) merged["required"] = [...new Set(needed)];
  return merged;
}

function holds(condition: Schema, value: Json | undefined): boolean {
  for (const [word, wanted] of Object.entries(condition)) {
    if (word === "required" && !list(wanted).every((name) => isObject(value) && String(name) in value)) return false;
    if (word === "const" && value !== wanted) return false;
    if (word === "enum" && !list(wanted).includes(value)) return false;
    if (word === "type" && typeName(value) !== wanted) return false;
    if (word === "properties" && isObject(value))
      for (const [name, inner] of Object.entries(wanted as Schema))
        if (name in value && !holds(inner as Schema, value[name])) return false;
  }
  return true;
}

const typeName = (value: Json | undefined): string =>
  value === null || value === undefined ? "null" : Array.isArray(value) ? "array" : typeof value;

function lookUp(reference: string, root: Schema): Schema | null {
  let found: unknown = root;
  for (const step of reference.replace(/^#\/?/, "").split("/").filter(Boolean)) {
    const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    found = isSchema(found) ? found[name] : undefined;
  }
  return isSchema(found) ? found : null;
}

function toShape(schema: Schema, root: Schema): Shape {
  const description = typeof schema["description"] === "string" ? schema["description"] : "";
  const choices = "const" in schema ? [schema["const"] as Json] : (list(schema["enum"]) as Json[]);
  const examples = list(schema["examples"]).map(String);
  return {
    kind: kindOf(schema),
    schema,
    root,
    description,
    fallback: schema["default"] as Json | undefined,
    choices,
    examples,
  };
}

function kindOf(schema: Schema): Kind {
  if ("enum" in schema || "const" in schema) return "choice";
  const { type, properties } = schema;
  if (isSchema(properties) && (type === undefined || type === "object"))
    return schema["maxProperties"] === 2 ? "named" : "object";
  if (type === "object") return isSchema(schema["additionalProperties"]) || !properties ? "map" : "object";
  if (type === "array" || (type === undefined && "items" in schema)) return "list";
  if (type === "string") return "text";
  if (type === "integer" || type === "number" || type === "boolean") return type;
  return "any";
}
