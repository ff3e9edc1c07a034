/* The sections of a configuration: what they are called, what a new entry begins with, which names they refer to. */

import type { FoundFault, Json } from "$lib/api/types";
import { isObject } from "$lib/shape";
import type { Path } from "./draft.svelte";

export interface Template {
  title: string;
  text: string;
  value: Json;
}
export interface Section {
  id: string;
  title: string;
  /** One entry of it. */
  one: string;
  text: string;
  templates: readonly Template[];
}

const template = (title: string, text: string, value: Json): Template => ({ title, text, value });
const openai = (parameters: Json = {}): Json => ({
  prototype: "openai",
  parameters: isObject(parameters) ? { client: "", ...parameters } : {},
});

/** Sections with named entries, in the order in which they are made. */
export const SECTIONS: readonly Section[] = [
  {
    id: "clients",
    title: "Clients",
    one: "client",
    text: "Which API is called, with which credentials.",
    templates: [
      template("OpenAI", "the API itself", {
        prototype: "openai",
        parameters: { token: "${OPENAI_API_KEY}" },
      }),
      template("Azure OpenAI", "an endpoint of your own", {
        prototype: "azure-openai",
        parameters: { endpoint: "${AZURE_OPENAI_ENDPOINT}", api_key: "${AZURE_OPENAI_API_KEY}" },
      }),
      template("Compatible", "another server with the same API", {
        prototype: "openai-compatible",
        parameters: { base_uri: "${MODEL_SERVER}" },
      }),
      template("HTTP", "any other API", { prototype: "http", parameters: { base_uri: "${API_ADDRESS}" } }),
    ],
  },
  {
    id: "incoming",
    title: "Incoming",
    one: "incoming connection",
    text: "Where documents come from.",
    templates: [
      template("File", "lines, rows or documents of files", {
        subscriber: { prototype: "file", parameters: { url: "documents.jsonl" } },
      }),
      template("Folder", "whole files", { subscriber: { prototype: "folder", parameters: { url: "inbox/*" } } }),
      template("OpenAI", "a list of the API", {
        subscriber: openai({ entity: "files", action: "list" }),
      }),
      template("HTTP", "pages of another API", {
        subscriber: { prototype: "http", parameters: { client: "", request: { path: "/" } } },
      }),
      template("Database", "rows of a query", {
        subscriber: {
          prototype: "sql",
          parameters: { url: "${DATABASE_URL}", query: "SELECT * FROM documents" },
        },
      }),
      template("Webhook", "signed events that others send", {
        subscriber: { prototype: "webhook", parameters: { path: "/hooks/openai", secret: "${OPENAI_WEBHOOK_SECRET}" } },
      }),
    ],
  },
  {
    id: "outgoing",
    title: "Outgoing",
    one: "outgoing connection",
    text: "How documents become requests, and where the answers go.",
    templates: [
      template("Chat completion", "a prompt for each document", {
        chain: [{ "chat-prompt": { model: "", prompt: "&{@}" } }],
        publisher: openai({ entity: "chat completions", action: "create" }),
      }),
      template("Any operation", "of the OpenAI API", {
        publisher: openai({ entity: "responses", action: "create" }),
      }),
      template("HTTP", "a request to another API", {
        publisher: { prototype: "http", parameters: { client: "" } },
      }),
      template("File", "documents as lines of a file", {
        publisher: { prototype: "file", parameters: { url: "results.jsonl" } },
      }),
      template("Nothing", "only the chain runs", { publisher: { prototype: "none" } }),
    ],
  },
  {
    id: "routes",
    title: "Routes",
    one: "route",
    text: "Which incoming connection feeds which outgoing one.",
    templates: [template("Route", "from an incoming to an outgoing connection", { incoming: "", outgoing: "" })],
  },
  {
    id: "chains",
    title: "Chains",
    one: "chain",
    text: "Saved steps, which other chains use by name.",
    templates: [
      template("Chain", "steps by name", [{ "value-setter": { configurations: [{ key: "name", value: "value" }] } }]),
    ],
  },
  {
    id: "schedules",
    title: "Schedules",
    one: "schedule",
    text: "What starts by itself, and when.",
    templates: [
      template("Every so often", "an interval or cron fields", { every: "15m", run: [""] }),
      template("After a route", "when another route has ended", { after: [""], run: [""] }),
    ],
  },
  {
    id: "storages",
    title: "Storages",
    one: "storage",
    text: "Where chains keep documents between runs.",
    templates: [template("Storage", "for chains", { description: "" })],
  },
  {
    id: "variables",
    title: "Variables",
    one: "variable",
    text: "Values that chains read as @{variables.NAME}.",
    templates: [template("Value", "a text", "")],
  },
  {
    id: "prices",
    title: "Prices",
    one: "price",
    text: "What a million tokens cost, where the registry does not know it.",
    templates: [template("Price", "of a model's tokens", { input: 0, output: 0 })],
  },
];

/** Sections that are one part each. */
export const PARTS: readonly { id: string; title: string }[] = [
  { id: "engine", title: "Engine" },
  { id: "retention", title: "Retention" },
  { id: "gateway", title: "Gateway" },
  { id: "studio", title: "Studio" },
  { id: "mcp", title: "MCP" },
  { id: "telemetry", title: "Telemetry" },
  { id: "currency", title: "Currency" },
  { id: "entities", title: "Catalogue" },
];

/** The sections whose names may stand at a path; none where names mean nothing. */
export function namedAt(path: Path): string[] {
  const name = String(path.at(-1));
  const holder = path.at(-2);
  if (name === "client" || holder === "clients") return path.length > 2 ? ["clients"] : [];
  if (name === "storage") return ["storages"];
  if (path[0] === "routes" && path.length === 3 && (name === "incoming" || name === "outgoing")) return [name];
  if (path[0] === "schedules") {
    if (name === "run" || holder === "run") return ["routes", "incoming"];
    if (name === "after" || holder === "after") return ["routes"];
    if (name === "route" || name === "incoming") return [name === "route" ? "routes" : name];
  }
  if (path[0] === "mcp" && holder === "outgoing") return ["outgoing"];
  if (name === "route" && path.at(-2) === "parameters") return ["routes"];
  return [];
}

/** A name that the section does not have yet. */
export function freeName(wanted: string, taken: readonly string[]): string {
  let name = wanted;
  for (let number = 2; taken.includes(name); number++) name = `${wanted}-${number}`;
  return name;
}

/** A new entry with the names filled in of which there is only one, or which come first. */
export function filled(value: Json, names: (section: string) => string[], path: Path): Json {
  if (Array.isArray(value)) return value.map((item, at) => filled(item, names, [...path, at]));
  if (!isObject(value)) return value === "" ? (namedAt(path).flatMap(names)[0] ?? value) : value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filled(item, names, [...path, name])]));
}

/** A path as lint writes it: `outgoing.reply.chain[0]`. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(step.replaceAll(/[-$]/g, "_"))) text += `.${step}`;
    else text += `[${JSON.stringify(step.length <= 60 ? step : `${step.slice(0, 57)}...`)}]`;
  }
  return text.replace(/^\./, "");
}

/** What a fault says, without the place where it is shown. */
export const wordsOf = ({ where, text }: FoundFault): string =>
  text.startsWith(`${where}: `) ? text.slice(where.length + 2) : text;
export const faultsAt = (faults: readonly FoundFault[], path: Path): FoundFault[] => {
  const text = pathText(path);
  return faults.filter((fault) => fault.where === text);
};
export const faultsBelow = (faults: readonly FoundFault[], path: Path): FoundFault[] => {
  const text = pathText(path);
  return faults.filter(({ where }) => where === text || where.startsWith(`${text}.`) || where.startsWith(`${text}[`));
};
