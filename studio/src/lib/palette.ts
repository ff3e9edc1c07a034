import { get } from "./api/client";
import type { ChainRow, ConfigState, OperationRow, Page, TaskRow } from "./api/types";
import { events } from "./events.svelte";
import { PAGES } from "../pages";

/** Something that Ctrl-K finds. */
export interface Hit {
  id: string;
  group: string;
  title: string;
  note: string;
  state?: string;
  run: string | (() => void);
}
/** A source of hits: what a page adds with `addSource` is found by Ctrl-K. */
export type Source = (text: string, signal: AbortSignal) => Hit[] | Promise<Hit[]>;

const sources: Source[] = [findPages, findRoutes, findEntries, findChains, findTasks, findOperations];

export function addSource(source: Source): void {
  sources.push(source);
}

/** Asks every source; calls `show` as their answers come, so that the fast ones do not wait for the slow. */
export function findAll(text: string, signal: AbortSignal, show: (hits: Hit[]) => void): void {
  const answers: Hit[][] = sources.map(() => []);
  sources.forEach((source, place) => {
    void Promise.resolve(source(text.trim(), signal))
      .then((hits) => {
        answers[place] = hits;
        if (!signal.aborted) show(answers.flat());
      })
      // A source that cannot answer finds nothing; the others still do.
      .catch(() => undefined);
  });
}

const holds = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase());

function findPages(text: string): Hit[] {
  return PAGES.flatMap(({ path, rail }) =>
    rail && holds(rail.title, text)
      ? [{ id: `page:${path}`, group: "Pages", title: rail.title, note: "", run: path }]
      : [],
  );
}

let routes: string[] = [];
events.on("counts", (counts) => (routes = Object.keys(counts)));

function findRoutes(text: string): Hit[] {
  return routes
    .filter((name) => text && holds(name, text))
    .slice(0, 6)
    .map((name) => ({
      id: `route:${name}`,
      group: "Routes",
      title: name,
      note: "its tasks",
      run: `/tasks?route=${encodeURIComponent(name)}`,
    }));
}

const ENTRIES = ["clients", "incoming", "outgoing", "routes", "chains", "schedules", "storages", "variables"];

async function findEntries(text: string, signal: AbortSignal): Promise<Hit[]> {
  if (text.length < 2) return [];
  const { files } = await get<ConfigState>("/config", undefined, signal);
  const named = files.flatMap(({ values }) =>
    ENTRIES.flatMap((section) => {
      const entries = (values as Record<string, unknown> | null)?.[section];
      return typeof entries === "object" && entries ? Object.keys(entries).map((name) => ({ section, name })) : [];
    }),
  );
  return named
    .filter(({ section, name }) => holds(`${section} ${name}`, text))
    .slice(0, 8)
    .map(({ section, name }) => ({
      id: `entry:${section}:${name}`,
      group: "Connections",
      title: name,
      note: section,
      run: `/connections?${new URLSearchParams({ section, entry: name })}`,
    }));
}

/** Chains by name, and those that ship by what they are for too. */
async function findChains(text: string, signal: AbortSignal): Promise<Hit[]> {
  if (text.length < 2) return [];
  const chains = await get<ChainRow[]>("/playground/chains", undefined, signal);
  return chains
    .filter(({ name, summary }) => holds(name, text) || holds(summary, text))
    .slice(0, 6)
    .map(({ kind, name, summary }) => ({
      id: `chain:${kind}.${name}`,
      group: "Playground",
      title: name,
      note: summary || `the chain of ${kind}`,
      run: `/playground?${new URLSearchParams({ kind, name })}`,
    }));
}

async function findTasks(text: string, signal: AbortSignal): Promise<Hit[]> {
  if (!text) return [];
  const number = /^#?(\d{1,15})$/.exec(text)?.[1];
  const hits: Hit[] = number
    ? [
        {
          id: `task:${number}`,
          group: "Tasks",
          title: `Task ${number}`,
          note: "by its number",
          run: `/tasks/${number}`,
        },
      ]
    : [];
  const found = await get<Page<TaskRow>>("/tasks", { key: text, limit: 5 }, signal);
  for (const { id, key, route, state } of found.items) {
    if (String(id) === number) continue;
    hits.push({
      id: `task:${id}`,
      group: "Tasks",
      title: key || `Task ${id}`,
      note: route,
      state,
      run: `/tasks/${id}`,
    });
  }
  hits.push({
    id: "search",
    group: "Tasks",
    title: `Search documents for “${text}”`,
    note: "",
    run: `/tasks?text=${encodeURIComponent(text)}`,
  });
  return hits;
}

async function findOperations(text: string, signal: AbortSignal): Promise<Hit[]> {
  if (text.length < 2) return [];
  const found = await get<Page<OperationRow>>("/operations", { search: text.slice(0, 200), limit: 6 }, signal);
  return found.items.map(({ name, entity, action, method, path }) => ({
    id: `operation:${name}`,
    group: "Catalogue",
    title: name,
    note: `${method} ${path}`,
    run: `/catalogue/operations/${encodeURIComponent(entity)}/${encodeURIComponent(action)}`,
  }));
}
