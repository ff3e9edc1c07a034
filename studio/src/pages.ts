/* The pages of the studio, in the order of the rail. A page is a component and its line here: see README.md. */

import type { Component } from "svelte";
import type { Shape } from "$components/Icon.svelte";
import type { Attention } from "$lib/api/types";

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a page takes the values of its own path, whatever they are
type Loaded = Promise<{ default: Component<any> }>;

/** The state whose colours the count in the rail takes. */
type Tone = "failed" | "unknown" | "waiting";

export interface PageEntry {
  /** Its path; `:id` becomes a property of the component. */
  path: string;
  load: () => Loaded;
  /** How it stands in the rail; a page without this is reached from another one. */
  rail?: {
    title: string;
    icon: Shape;
    group?: "work" | "build" | "watch";
    count?: (attention: Attention) => number;
    tone?: Tone;
  };
  /** The path of the page in the rail to which it belongs. */
  under?: string;
}

export const PAGES: readonly PageEntry[] = [
  {
    path: "/",
    load: () => import("./pages/overview/Overview.svelte"),
    rail: {
      title: "Overview",
      icon: "overview",
      group: "work",
      tone: "waiting",
      count: (attention) => attention.paused,
    },
  },
  {
    path: "/tasks",
    load: () => import("./pages/tasks/Tasks.svelte"),
    rail: { title: "Tasks", icon: "tasks", group: "work", count: (attention) => attention.failed },
  },
  { path: "/tasks/:id", load: () => import("./pages/task/Task.svelte"), under: "/tasks" },
  {
    path: "/unknown",
    load: () => import("./pages/unknown/Unknown.svelte"),
    rail: {
      title: "Unknown",
      icon: "unknown",
      group: "work",
      tone: "unknown",
      count: (attention) => attention.unknown,
    },
  },
  {
    path: "/connections",
    load: () => import("./pages/connections/Connections.svelte"),
    rail: { title: "Connections", icon: "connections", group: "build" },
  },
  {
    path: "/playground",
    load: () => import("./pages/playground/Playground.svelte"),
    rail: { title: "Playground", icon: "playground", group: "build" },
  },
  {
    path: "/catalogue",
    load: () => import("./pages/catalogue/Catalogue.svelte"),
    rail: { title: "Catalogue", icon: "catalogue", group: "build" },
  },
  {
    path: "/catalogue/operations/:entity/:operation",
    load: () => import("./pages/catalogue/Operation.svelte"),
    under: "/catalogue",
  },
  { path: "/models", load: () => import("./pages/catalogue/Models.svelte"), under: "/catalogue" },
  { path: "/models/:id", load: () => import("./pages/catalogue/Model.svelte"), under: "/catalogue" },
  {
    path: "/money",
    load: () => import("./pages/money/Money.svelte"),
    rail: { title: "Money", icon: "money", group: "watch" },
  },
  {
    path: "/gateway",
    load: () => import("./pages/gateway/Gateway.svelte"),
    rail: { title: "Gateway", icon: "gateway", group: "watch" },
  },
  {
    path: "/sandbox",
    load: () => import("./pages/sandbox/Sandbox.svelte"),
    rail: { title: "Sandbox", icon: "sandbox", group: "watch" },
  },
];
