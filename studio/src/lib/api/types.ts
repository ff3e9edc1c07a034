/* What the API under /api/v1 gives; the contract is its OpenAPI document. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface Money {
  amount: number;
  currency: string;
}
/** A price that may be unknown, and then says why. */
export interface Price {
  amount?: number | null;
  currency?: string;
  why?: string;
}

export type Role = "viewer" | "operator" | "editor";
export type State = "new" | "processing" | "waiting" | "finished" | "failed" | "unknown" | "skipped";

export interface Attention {
  failed: number;
  unknown: number;
  paused: number;
}
export type Environment = "sandbox" | "api" | "mixed" | "none";
export interface Session {
  name: string;
  role: Role;
  csrf: string | null;
  configuration: { name: string; path: string };
  environment: Environment;
  runner: { alive: boolean; since: string | null };
  version: string;
  attention: Attention;
}

export interface Page<T> {
  items: T[];
  next: string | null;
  searched?: Searched;
}
/** How far a search went that could not use an index. */
export interface Searched {
  complete: boolean;
  count?: number | null;
}

export interface TaskRow {
  id: number;
  route: string;
  state: State;
  key: string;
  attempts: number;
  reason: string;
  created: string | null;
  updated: string | null;
  due: string | null;
  cost: Price | null;
  columns: Record<string, Json>;
}
export interface Counts {
  by_state: Partial<Record<State, number>>;
  total: number;
  exact: boolean;
}

export interface Call {
  number: number;
  operation: string;
  effect: string;
  state: string;
  started: string | null;
  ended: string | null;
  target?: string;
  request: Json;
  answer: Json;
  evidence: Json;
  usage: Json;
  cost: Price | null;
}
export interface Attempt {
  number: number;
  started: string | null;
  ended: string | null;
  waited: number | null;
  calls: Call[];
}
export interface Task extends Omit<TaskRow, "columns"> {
  document: Json;
  timeline: Attempt[];
  source?: number;
  carrier?: number;
}
export interface Step {
  step: number;
  name: string;
  line?: number | null;
  document: Json;
  error: string | null;
}

/** What a bulk action would do, before it is done. */
export interface Forecast {
  count: number;
  cost: Price | null;
  exact?: boolean;
}

export interface Doubt {
  id: number;
  route: string;
  key: string;
  reason: string;
  updated: string | null;
  document?: Json;
  calls: DoubtfulCall[];
}
export interface DoubtfulCall extends Call {
  attempt?: number;
  repeat_cost?: Price | null;
}

export interface Pause {
  reason: string;
  by: string;
  since: string | null;
  /** Whether a person can end it here; else something must be mended. */
  resumable: boolean;
}
export interface BudgetState {
  period: string;
  spent: Price;
  limit: Price | null;
  tokens: number;
  token_limit: number | null;
  /** Only watched: nothing pauses when it is used up. */
  shadow: boolean;
}
export type StateCounts = Partial<Record<State, number>>;

export interface GraphNode {
  id: string;
  kind: "incoming" | "chain" | "route" | "outgoing" | "answer" | "error";
  name: string;
  text: string;
  counts: StateCounts | null;
  rate: number | null;
  paused: Pause | null;
  budget: BudgetState | null;
}
export interface GraphEdge {
  from: string;
  to: string;
}
export interface Concern {
  kind: "unknown" | "failed" | "paused" | "stalled" | "runner" | "configuration" | "model" | "budget";
  text: string;
  link: string;
}
export interface RouteStatus {
  name: string;
  incoming: string;
  outgoing: string;
  description: string;
  disabled: boolean;
  counts: StateCounts;
  rate: number | null;
  oldest: string | null;
  paused: Pause | null;
  waits: string;
  next_run: string | null;
  budget: BudgetState | null;
  readable: boolean;
}
export interface Overview {
  attention: Concern[];
  routes: RouteStatus[];
  graph: { nodes: GraphNode[]; edges: GraphEdge[] };
}
