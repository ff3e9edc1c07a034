/* Written by `make studio-types` from the document of the API; a test compares. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** What the account's own list of models says. */
export interface AccountModels {
  /** The client that was asked. */
  client: string | null;
  /** Whether the API has answered. */
  asked: boolean;
  /** Why it could not be asked. */
  why: string;
}

/** One attempt at a task, with its calls. */
export interface AttemptView {
  /** The attempt, from 1. */
  number: number;
  /** When its first call began; null when it made none. */
  started: string | null;
  /** When its last call ended. */
  ended: string | null;
  /** Seconds between the attempt before and this one. */
  waited: number | null;
  /** Its calls. */
  calls: CallView[];
}

/** How much needs a person. */
export interface Attention {
  /** Tasks that failed. */
  failed: number;
  /** Tasks whose calls may have taken effect. */
  unknown: number;
  /** Routes that are paused. */
  paused: number;
}

/** One thing that somebody did, or tried. */
export interface AuditEntry {
  /** The entry. */
  id: string;
  /** When. */
  at: string | null;
  /** The name of who did it. */
  who: string;
  /** The role that they had. */
  role: string;
  /** What was done. */
  action: string;
  /** To what. */
  subject: string;
  /** How it ended; refused: the role may not. */
  verdict: "done" | "refused" | "failed";
  /** What changed: a count, a diff, a reason; without secrets. */
  detail: Json;
}

/** What a route may use in a period, and what it has used. */
export interface BudgetState {
  /** The period. */
  period: string;
  /** What was spent in this period. */
  spent: Price;
  /** What may be spent; null without a limit in money. */
  limit: Price | null;
  /** The tokens that were used in this period. */
  tokens: number;
  /** The tokens that may be used; null without such a limit. */
  token_limit: number | null;
  /** What calls under way, and calls without a known end, may still use. */
  reserved: Price;
  /** What would have been stopped, were it not only watched; else null. */
  stopped: Price | null;
  /** Whether it is only watched, and nothing pauses when it is used up. */
  shadow: boolean;
}

/** To how many tasks it was done, or would be. */
export interface BulkAnswer {
  /** How many tasks. */
  count: number;
  /** What it may cost. */
  cost: Price | null;
  /** Whether the count is exact; otherwise it is at least so many. */
  exact: boolean;
  /** Tasks of the filter that it is not done to, by their state. */
  left_out: Partial<Record<TaskState, number>>;
  /** Of skipped tasks, those that waited for an attempt: a retry of these, while skipped, undoes it. One that had failed or is unknown comes back by a retry as well, which is another attempt. */
  undo: number[];
}

/** What is to be done to many tasks: first with `dry_run`, which says to how many; then with that number. */
export interface BulkRequest {
  /** Which tasks. */
  filter: FilterBody;
  /** Only say how many, and what it may cost. */
  dry_run?: boolean;
  /** How many the dry run counted; more are refused. */
  expected?: number | null;
  /** Why; kept with the tasks that are skipped. */
  reason?: string;
  /** Whether tasks are retried whose calls may have taken effect, and be paid for twice. */
  repeat_unknown?: boolean;
}

/** A request of an operation. */
export interface CallRequest {
  /** The request: {path, query, payload, headers}. */
  request?: Record<string, Json>;
  /** A client; needed where there are several. */
  client?: string | null;
}

/** What a call came to. */
export interface CallResult {
  /** done, refused, not_sent or unknown. */
  state: string;
  /** The same in words, with what to do next. */
  sentence: string;
  /** The answer: {status, headers, body, …}, without secrets. */
  outcome: Record<string, Json>;
  /** What it cost, by what the answer reports. */
  cost: Price;
  /** How long it took. */
  seconds: number;
}

/** One call of an attempt. */
export interface CallView {
  /** Which call of the attempt it is, from 0. */
  number: number;
  /** The attempt. */
  attempt: number;
  /** The operation. */
  operation: string;
  /** The client, or the kind of publisher. */
  target: string;
  /** What a second call would do. */
  effect: string;
  /** How it ended; empty while nobody knows. */
  state: string;
  /** When it began. */
  started: string | null;
  /** When its end was seen. */
  ended: string | null;
  /** Whether a person has retried the task since: it keeps nothing from being sent. */
  settled: boolean;
  /** What was sent, without secrets. */
  request: Json;
  /** The body of the answer. */
  answer: Json;
  /** What else is known: status, headers, tries, what was looked for. */
  evidence: Record<string, Json>;
  /** What the answer says was used. */
  usage: Record<string, number> | null;
  /** What it cost; null when it is not paid for, or did nothing. */
  cost: Price | null;
  /** How it was sent, where that is no standard call. */
  transport: string | null;
  /** When and why its batch was cancelled so that another way answers in time; null if it was not. */
  moved_up: string | null;
}

/** A token that may call. */
export interface CallerRow {
  /** Its name. */
  name: string;
  /** What it is for. */
  description: string;
  /** Whether it is refused. */
  disabled: boolean;
  /** The clients that it may use; null for all. */
  clients: string[] | null;
  /** The operations that it may call; null for all. */
  allow: string[] | null;
  /** The models that it may use; null for all. */
  models: string[] | null;
  /** Its limit of requests a minute. */
  requests_per_minute: number | null;
  /** Its limit of tokens a minute. */
  tokens_per_minute: number | null;
  /** Its budget, if it has one. */
  budget: GatewayBudget | null;
  /** Calls by status; null when the gateway could not be asked. */
  calls: Record<string, number> | null;
  /** Calls that were not passed on; null when that is not known. */
  refused: number | null;
  /** What it used, by client and model. */
  used: ModelUse[];
}

/** A test case to write. */
export interface CaseRequest {
  /** The part of the configuration, or `ready` for a chain that ships. */
  kind: "chains" | "ready" | "incoming" | "outgoing" | "routes";
  /** The name of the chain or connection. */
  chain: string;
  /** The name of the case: what it shows. */
  name: string;
  /** The document. */
  input: JsonValue;
  /** What a saved chain is given. */
  parameters?: Record<string, JsonValue>;
  /** The chain as it is typed, not saved yet. */
  text?: string | null;
  /** What the call was answered: an outgoing connection's case needs it. */
  answer?: RecordedAnswer | null;
}

/** A test case. */
export interface CaseView {
  /** Its name. */
  name: string;
  /** Its file; empty for one that ships. */
  file: string;
  /** The document. */
  input: JsonValue;
  /** What the chain is given. */
  parameters: Record<string, JsonValue>;
  /** What must come out: {output, outputs, skipped, failed}. */
  expected: Record<string, JsonValue>;
}

/** A chain as it is written, and what it can be tried with. */
export interface ChainDetail {
  /** The part of the configuration, or `ready` for a chain that ships. */
  kind: "chains" | "ready" | "incoming" | "outgoing" | "routes";
  /** Its name there. */
  name: string;
  /** What it is for; empty where nothing says it. */
  summary: string;
  /** The file that it stands in; null for one that ships. */
  file: string | null;
  /** Its line there. */
  line: number | null;
  /** Its steps as YAML, or `parameters` and `steps` of a saved chain. */
  text: string;
  /** The parameters that it declares. */
  parameters: Record<string, JsonValue>;
  /** Routes whose tasks' documents it is given. */
  routes: string[];
  /** Its test cases. */
  cases: CaseView[];
  /** The file that a new case is written into; null where there is none. */
  cases_file: string | null;
  /** What `If-Match` must say to write one. */
  cases_etag: string;
}

/** A chain in short. */
export interface ChainRow {
  /** The part of the configuration, or `ready` for a chain that ships. */
  kind: "chains" | "ready" | "incoming" | "outgoing" | "routes";
  /** Its name there. */
  name: string;
  /** What it is for; empty where nothing says it. */
  summary: string;
  /** The file that it stands in; null for one that ships. */
  file: string | null;
  /** Its line there. */
  line: number | null;
}

/** Something that needs a person now. */
export interface Concern {
  /** What kind of thing it is; the most urgent ones come first. */
  kind: "unknown" | "failed" | "paused" | "stalled" | "runner" | "configuration" | "model" | "budget";
  /** What it is and what to do, in a sentence. */
  text: string;
  /** The page of the studio that shows it. */
  link: string;
}

/** One file of the configuration; secrets are replaced by markers, which stand for them on saving. */
export interface ConfigFile {
  /** Its name, relative to the configuration's folder. */
  name: string;
  /** What it says. */
  text: string;
  /** What `If-Match` must say to save it. */
  etag: string;
  /** What it says, as values; null when it cannot be read. */
  values: JsonValue;
}

/** The whole configuration. */
export interface ConfigState {
  /** Its files, in the order in which they are read. */
  files: ConfigFile[];
  /** What lint finds in it. */
  faults: FoundFault[];
}

/** Which configuration this is. */
export interface ConfigurationName {
  /** Its short name: the folder's, or the file's where it is not connector.yaml. */
  name: string;
  /** Its file or folder. */
  path: string;
}

/** A value that is too large to be shown whole. */
export interface Cut {
  /** What was shortened. */
  where: string;
  /** How large it is. */
  bytes: number;
  /** Where all of it is read. */
  whole: string;
}

/** One thing that is wrong. */
export interface Detail {
  /** Where it is: a path into what was sent, or a place in a file. */
  where: string;
  /** What was found there. */
  found: string;
  /** What is allowed there. */
  allowed: string;
}

/** The task of one document; it is on disk. */
export interface DocumentTask {
  /** The task; null when it ended so long ago that it is no longer kept. */
  task: number | null;
  /** By what the route knows the document; empty when it knows none. */
  key: string;
  /** Whether the route had this document already, so that nothing new was accepted. */
  known: boolean;
  /** The task's state, when it was waited for. */
  state: string | null;
  /** Why the task is in its state. */
  reason: string;
  /** What its calls were answered, when it was waited for. */
  answers: JsonValue[];
}

/** Documents for a route, as its incoming connection would give them. */
export interface DocumentsRequest {
  /** The documents. */
  documents: JsonValue[];
}

/** A task that is held, since nobody knows what its calls did. */
export interface Doubt {
  /** The task. */
  id: number;
  /** Its route. */
  route: string;
  /** The key of its document. */
  key: string;
  /** Why it is in doubt, and where to look. */
  reason: string;
  /** When its document was accepted. */
  created: string | null;
  /** Since when it is held. */
  updated: string | null;
  /** The document. */
  document: Json;
  /** The calls that may have taken effect. */
  calls: connectorstudioschemasunknownDoubtfulCall[];
  /** Whether `done` can be the verdict: one call, at most, is in doubt. */
  can_be_done: boolean;
  /** What was shortened, and where it is read whole. */
  cut: Cut[];
}

/** One page of tasks in doubt, those held longest first. */
export interface DoubtPage {
  /** The tasks of this page. */
  items: Doubt[];
  /** The cursor of the next page; null on the last one. */
  next: string | null;
  searched: SearchedView;
}

/** One change of a value. */
export interface Edit {
  /** What to do; `insert` makes room in a list, `move` changes an item's place in it. */
  op: "set" | "remove" | "insert" | "move" | "rename";
  /** Where: names of members, places in lists. */
  path: (string | number)[];
  /** The new value. */
  value?: JsonValue;
  /** Where an item is moved to, counted from 0. */
  place?: number;
  /** The new name of a member. */
  name?: string;
}

/** Changes to make in a text; nothing is saved. */
export interface EditRequest {
  /** The file. */
  file: string;
  /** The changes, one after the other; without any, the text is read. */
  edits?: Edit[];
  /** What other files are taken to say. */
  others?: Record<string, string>;
  /** The text to change, by default what is saved. */
  text?: string | null;
}

/** A text with changes that are not saved yet. */
export interface EditResult {
  /** The text. */
  text: string;
  /** The difference from what is saved, as a unified diff. */
  diff: string;
  /** What the text says, as values. */
  values: JsonValue;
  /** Whether it is YAML; what is not has no values. */
  readable: boolean;
  /** Where each entry of each section begins. */
  entries: EntryPlace[];
  /** What lint would find. */
  faults: FoundFault[];
}

/** What a repeat of an operation would do upstream. */
export type Effect = "none" | "idempotent" | "reconcilable" | "opaque";

/** Where an entry stands in its file. */
export interface EntryPlace {
  /** The section. */
  section: string;
  /** The entry; empty for the section itself. */
  name: string;
  /** The line, counted from 1. */
  line: number;
}

/** An example. */
export interface ExampleInfo {
  /** Its name. */
  name: string;
  /** What it is called. */
  title: string;
  /** What it does, in a sentence. */
  text: string;
  /** How many documents it reads. */
  documents: number;
}

/** The examples that can be run from here. */
export interface ExampleList {
  /** The examples. */
  items: ExampleInfo[];
  /** Why there is none to run. */
  why: string;
}

/** An example that is under way. */
export interface ExampleStarted {
  /** Signs in to its own studio, once. It lasts as long as this studio. */
  link: string;
}

/** The exact request, which was not sent. */
export interface Explained {
  /** What would be sent, without secrets, and where each value came from. */
  request: Record<string, Json>;
  /** The same as a command. */
  curl: string;
  /** What a second call would do. */
  effect: Effect;
  /** What a repeat does, in words. */
  repeats: string;
  /** The most that the call costs, as far as its request says. */
  most: Price;
  /** The client that would send it. */
  client: string;
  /** Whether that client calls a sandbox or the API. */
  environment: string;
}

/** A kind of fault that can be switched on. */
export interface FaultKind {
  /** Its name, as in a rate. */
  name: string;
  /** What happens. */
  text: string;
}

/** The faults that a sandbox injects. */
export interface FaultPlan {
  /** Faults by chance: KIND:RATE or KIND:RATE:NUMBER. */
  rates?: string[];
  /** Faults and answers for the requests that fit, as in a script. */
  rules?: (Record<string, Json>)[];
}

/** The faults that are injected now, and those there are. */
export interface FaultState {
  /** Faults by chance. */
  rates: string[];
  /** Faults and answers for the requests that fit. */
  rules: (Record<string, Json>)[];
  /** The named faults; any status from 400 to 599 is one too. */
  kinds: FaultKind[];
}

/** What a filled form becomes; nothing is saved. */
export interface FilledForm {
  /** What is put into the configuration, in this order. */
  values: FormValue[];
  /** The same as YAML. */
  text: string;
  /** What is not as it is there, and what could not be carried over. */
  notes: string[];
  /** What that platform's export would hold; empty where it has none. */
  exported: JsonValue[];
}

/** Which tasks are meant; all given conditions must hold, as in GET /tasks. */
export interface FilterBody {
  /** Only these. */
  ids?: number[];
  /** One of these routes. */
  route?: string[];
  /** One of these states. */
  state?: TaskState[];
  /** The key of the document. */
  key?: string;
  /** A part of the reason. */
  reason?: string;
  /** A part of the document as JSON. */
  text?: string;
  /** Values in places: PATH:VALUE. */
  field?: string[];
  /** Accepted at this time or later. */
  created_from?: string | null;
  /** Accepted before this time. */
  created_to?: string | null;
  /** Changed at this time or later. */
  updated_from?: string | null;
  /** Changed before this time. */
  updated_to?: string | null;
}

/** A form with its fields. */
export interface FormDetail {
  /** Its name. */
  name: string;
  /** The platform. */
  vendor: string;
  /** What it is called there. */
  title: string;
  /** What it does. */
  about: string;
  /** What it becomes a part of. */
  section: "clients" | "incoming" | "outgoing";
  /** The JSON Schema of its fields, with their defaults. */
  schema: Record<string, JsonValue>;
}

/** A filled form. */
export interface FormRequest {
  /** What the new entry is called. */
  entry: string;
  /** The client that it calls with. */
  client?: string;
  /** Whether that client is declared; else it is made along with it. */
  known?: boolean;
  /** The fields; those that are left out have their defaults. */
  values?: Record<string, JsonValue>;
}

/** A form of another platform. */
export interface FormRow {
  /** Its name. */
  name: string;
  /** The platform. */
  vendor: string;
  /** What it is called there. */
  title: string;
  /** What it does. */
  about: string;
  /** What it becomes a part of. */
  section: "clients" | "incoming" | "outgoing";
}

/** A value to put into the configuration. */
export interface FormValue {
  /** Where. */
  path: string[];
  /** What. */
  value: JsonValue;
}

/** One thing that lint finds. */
export interface FoundFault {
  /** The rule. */
  rule: string;
  /** A configuration with errors cannot run. */
  severity: "error" | "warning";
  /** The file, relative to the configuration's folder. */
  file: string;
  /** The line, counted from 1. */
  line: number;
  /** The column, counted from 1. */
  column: number;
  /** The path of the value. */
  where: string;
  /** What was found, what is allowed, and what was meant. */
  text: string;
}

/** What a token may spend in a period, and what it has spent. */
export interface GatewayBudget {
  /** The period. */
  period: string;
  /** What was spent in this period, calls under way included. */
  spent: Price;
  /** What may be spent; null without a limit in money. */
  limit: Price | null;
  /** The tokens that were used; null when that is not known. */
  tokens: number | null;
  /** The tokens that may be used; null without such a limit. */
  token_limit: number | null;
}

/** The gateway and its callers. */
export interface GatewayOverview {
  /** Where it listens. */
  listen: string;
  /** Whether it has answered. */
  running: boolean;
  /** Why its counts are not known. */
  why: string;
  /** Calls under way. */
  in_flight: number | null;
  /** The tokens, in the order of the configuration. */
  callers: CallerRow[];
  /** What was refused, the most frequent first. */
  refusals: RefusalRow[];
  /** How long calls took, by client. */
  latency: LatencyRow[];
}

/** How documents flow. */
export interface Graph {
  /** The stops. */
  nodes: GraphNode[];
  /** The ways between them. */
  edges: GraphEdge[];
}

/** From where to where documents go. */
export interface GraphEdge {
  /** The id of a node. */
  from: string;
  /** The id of a node. */
  to: string;
}

/** One stop of documents on their way. */
export interface GraphNode {
  /** Its id in the graph. */
  id: string;
  /** What it is. */
  kind: "incoming" | "chain" | "route" | "outgoing" | "answer" | "error";
  /** Its name. */
  name: string;
  /** What it does, in short. */
  text: string;
  /** Tasks by state; for routes and answers. */
  counts: Record<string, number> | null;
  /** Tasks that ended per minute, of late. */
  rate: number | null;
  /** Why nothing goes on. */
  paused: PauseInfo | null;
  /** Its budget. */
  budget: BudgetState | null;
}

export type JsonValue = Json;

/** How long calls of a client took until the end of their answers. */
export interface LatencyRow {
  /** The client. */
  client: string;
  /** How many. */
  calls: number;
  /** Seconds on average. */
  mean: number | null;
  /** Seconds within which half of them ended, at most. */
  p50: number | null;
  /** Seconds within which 95 % of them ended, at most. */
  p95: number | null;
}

/** A figure, with how far it may be off. */
export interface Likely {
  /** The middle: it is as often less as more. */
  p50: number;
  /** Nineteen times of twenty it is less than this. */
  p95: number;
}

/** Texts to check in place of those that are saved. */
export interface LintRequest {
  /** What files are taken to say, by their names. */
  texts: Record<string, string>;
}

/** All that is known of a model. */
export interface ModelDetail {
  /** Its name. */
  id: string;
  /** What it makes: text, image, …; null for one that the registry does not know. */
  kind: string | null;
  /** Where it is in its life: it retires within 90 days of its end; null when that is not known. */
  life_cycle: "active" | "retires" | "retired" | null;
  /** The day on which it stops; null when none is announced. */
  shutdown: string | null;
  /** What takes its place. */
  successor: string | null;
  /** USD a million tokens of input; null when that is not known. */
  input: number | null;
  /** USD a million tokens of output; null when that is not known. */
  output: number | null;
  /** Whether the account may use it; null when nobody could be asked. */
  available: boolean | null;
  /** Whether the configuration names it. */
  used: boolean;
  /** Limits, prices of every tier, and what it refuses. */
  described: Record<string, Json>;
}

/** All models that are known. */
export interface ModelList {
  /** The models: those that the account has first. */
  items: ModelRow[];
  /** What the account's own list says. */
  account: AccountModels;
  /** The day of the registry's facts. */
  as_of: string;
}

/** One model in short. */
export interface ModelRow {
  /** Its name. */
  id: string;
  /** What it makes: text, image, …; null for one that the registry does not know. */
  kind: string | null;
  /** Where it is in its life: it retires within 90 days of its end; null when that is not known. */
  life_cycle: "active" | "retires" | "retired" | null;
  /** The day on which it stops; null when none is announced. */
  shutdown: string | null;
  /** What takes its place. */
  successor: string | null;
  /** USD a million tokens of input; null when that is not known. */
  input: number | null;
  /** USD a million tokens of output; null when that is not known. */
  output: number | null;
  /** Whether the account may use it; null when nobody could be asked. */
  available: boolean | null;
  /** Whether the configuration names it. */
  used: boolean;
}

/** What a token used of one model through one client, since the gateway started. */
export interface ModelUse {
  /** The client. */
  client: string;
  /** The model; empty when no answer named one. */
  model: string;
  /** Tokens of input. */
  input: number;
  /** Those of them that were read from a cache. */
  cached: number;
  /** Tokens of output. */
  output: number;
  /** What that cost. */
  cost: Price;
}

/** What calls cost in a time. */
export interface MoneyReport {
  /** By what they are summed up. */
  by: "route" | "model" | "token" | "day";
  /** From when. */
  from: string | null;
  /** Until when. */
  to: string | null;
  /** The sums, the most expensive first; days in their order. */
  rows: MoneyRow[];
  /** The sum of all. */
  total: MoneyRow;
  /** Whether every task of that time was looked at. */
  complete: boolean;
  /** Where the figures come from, and what they do not hold. */
  source: string;
}

/** The sum of some calls. */
export interface MoneyRow {
  /** The route, model, token or day; empty when it is not known. */
  name: string;
  /** How many calls. */
  calls: number;
  /** Tokens of input. */
  input: number;
  /** Tokens of output. */
  output: number;
  /** What they cost; `why` says what the amount leaves out. */
  cost: Price;
}

/** All that is known of an operation. */
export interface OperationDetail {
  /** Its name. */
  name: string;
  /** The entity that it belongs to. */
  entity: string;
  /** What it does with it. */
  action: string;
  /** The HTTP method. */
  method: string;
  /** The path below the base address. */
  path: string;
  /** The area of the API. */
  area: string;
  /** What a second call would do. */
  effect: Effect;
  /** Whether it is deprecated. */
  deprecated: boolean;
  /** Whether the API has removed it. */
  removed: boolean;
  /** What a repeat does, in words. */
  repeats: string;
  /** An example request that is valid. */
  example: Record<string, Json>;
  /** Parameters, payload and answers, as `entities show` prints them. */
  described: Record<string, Json>;
  /** The JSON Schema of the payload; null without one. */
  payload_schema: Record<string, Json> | null;
  /** The JSON Schema of the query. */
  query_schema: Record<string, Json>;
  /** The JSON Schema of the path's parameters. */
  path_schema: Record<string, Json>;
}

/** One operation in short. */
export interface OperationRow {
  /** Its name. */
  name: string;
  /** The entity that it belongs to. */
  entity: string;
  /** What it does with it. */
  action: string;
  /** The HTTP method. */
  method: string;
  /** The path below the base address. */
  path: string;
  /** The area of the API. */
  area: string;
  /** What a second call would do. */
  effect: Effect;
  /** Whether it is deprecated. */
  deprecated: boolean;
  /** Whether the API has removed it. */
  removed: boolean;
}

/** A document for an outgoing connection. */
export interface OutgoingRequest {
  /** The connection. */
  outgoing: string;
  /** The document. */
  document: JsonValue;
  /** A chain in place of its own. */
  text?: string | null;
}

/** The requests that a document becomes; none was sent. */
export interface OutgoingResult {
  /** The requests; none where the chain drops the document. */
  requests: Explained[];
  /** Why there is none; empty otherwise. */
  reason: string;
}

/** A document that is to be sent once. */
export interface OutgoingSend {
  /** The connection. */
  outgoing: string;
  /** The document. */
  document: JsonValue;
  /** A chain in place of its own. */
  text?: string | null;
  /** The effect as it was explained: who sends knows what a repeat would do. */
  confirm: Effect;
  /** Where it goes, as it was explained. */
  environment: "sandbox" | "api";
}

/** Everything at a glance. */
export interface Overview {
  /** What needs a person now, the most urgent first. */
  attention: Concern[];
  /** How each route does. */
  routes: RouteStatus[];
  graph: Graph;
}

export interface PageAuditEntry {
  /** The items of this page, in their order. */
  items: AuditEntry[];
  /** The cursor of the next page; null on the last one. */
  next: string | null;
}

export interface PageOperationRow {
  /** The items of this page, in their order. */
  items: OperationRow[];
  /** The cursor of the next page; null on the last one. */
  next: string | null;
}

/** Why nothing of a route goes on. */
export interface PauseInfo {
  /** Why, in words. */
  reason: string;
  /** Who paused it; empty when it paused by itself. */
  by: string;
  /** Since when. */
  since: string | null;
  /** Whether `POST /routes/{name}/resume` ends it; else something must be mended. */
  resumable: boolean;
}

/** Why a route is paused. */
export interface PauseRequest {
  /** Why; everybody who looks sees it. */
  reason?: string;
}

/** One thing that is wrong with the steps. */
export interface PlaygroundFault {
  /** The place of the step. */
  where: string;
  /** The line of `text`. */
  line: number | null;
  /** What was found there. */
  found: string;
  /** What is allowed there. */
  allowed: string;
}

/** A chain, and documents to send through it. */
export interface PlaygroundRequest {
  /** The chain's steps as YAML, or a saved chain: {parameters, steps}. */
  text?: string | null;
  /** In place of `text`: a saved or ready-made chain's name. */
  chain?: string | null;
  /** The documents. */
  documents: JsonValue[];
  /** Under which name a saved chain is tried. */
  name?: string;
  /** What a saved chain is given. */
  parameters?: Record<string, JsonValue>;
  /** With how many steps of `text`: the document stops there. */
  steps?: number | null;
}

/** What a chain made of its documents. */
export interface PlaygroundResult {
  /** What is wrong with the steps; then no document passes them. */
  faults: PlaygroundFault[];
  /** What became of each document, in their order. */
  samples: SampleResult[];
  /** How many steps `text` has. */
  count: number;
}

/** What one step made of a document. */
export interface PlaygroundStep {
  /** The place of the step. */
  where: string;
  /** The kind of step. */
  step: string;
  /** Which step of `text` it is, from 0; null for one within a named chain. */
  number: number | null;
  /** The line of `text` that it begins on. */
  line: number | null;
  /** Whether it is a part of the step that comes after it. */
  inner: boolean;
  /** The document after it; shortened when it is large. */
  document: JsonValue;
  /** What it did instead, such as skipping the document. */
  note: string;
  /** How long it took, with the steps within it. */
  milliseconds: number;
}

/** An amount of money that may be unknown. */
export interface Price {
  /** The amount; null when it is not known. */
  amount: number | null;
  /** The currency in three letters. */
  currency: string;
  /** Why the amount is not known, or what it leaves out. */
  why: string;
}

/** What went wrong (RFC 9457), and what to do next. */
export interface Problem {
  /** The kind of problem, as a URN. */
  type: string;
  /** The kind of problem, in words. */
  title: string;
  /** The HTTP status. */
  status: number;
  /** What was wrong this time. */
  detail: string;
  /** What to do next. */
  next: string;
  /** Everything that is wrong, one by one. */
  errors: Detail[];
}

/** A document for an outgoing connection. */
export interface PublishRequest {
  /** The document, as a route would give it to the connection's chain. */
  document: JsonValue;
}

/** What a published document has come to. */
export interface PublishedCall {
  /** The number to follow it by. */
  task: number;
  /** `finished`, or `failed` when nothing took effect, or `unknown` when something may have; everything else is not the end. */
  state: string;
  /** Whether this was asked for before, so that nothing was sent now. */
  repeat: boolean;
  /** The answers, after the chain of the connection's `answer`. */
  documents: JsonValue[];
  /** Why it is in its state. */
  reason: string;
  /** The calls that may have taken effect, for `unknown`. */
  doubts: connectorstudioschemaspublishDoubtfulCall[];
}

/** What a call was answered, for a case of an outgoing connection. */
export interface RecordedAnswer {
  /** The status. */
  status?: number;
  /** The body. */
  body?: JsonValue;
}

/** Calls that were not passed on. */
export interface RefusalRow {
  /** Whose; empty for callers that were not known. */
  token: string;
  /** Why. */
  code: string;
  /** How many. */
  number: number;
}

/** An entry to rename; nothing is saved. */
export interface RenameRequest {
  /** Where the entry is. */
  section: "clients" | "incoming" | "outgoing" | "routes" | "chains" | "schedules" | "storages" | "variables";
  /** Its name. */
  name: string;
  /** Its new name. */
  to: string;
  /** What files are taken to say. */
  texts?: Record<string, string>;
}

/** A file that an entry's new name changes. */
export interface RenamedFile {
  /** Its name. */
  name: string;
  /** What it would say. */
  text: string;
}

/** How a task is retried. */
export interface RetryRequest {
  /** Replaces its document; null leaves it as it is. */
  document?: Json;
  /** Which configuration delivers it. */
  configuration?: "original" | "current";
  /** Whether a task is retried whose calls may have taken effect. */
  repeat_unknown?: boolean;
}

/** What a person or a program may do; each role may do what those before it may. */
export type Role = "viewer" | "operator" | "editor";

/** What a route will cost, if it runs now. */
export interface RouteForecast {
  /** Its name. */
  route: string;
  /** The currency of all money. */
  currency: string;
  /** How sure that is, in a word. */
  certainty: "sure" | "rough" | "guess" | "none";
  /** How many documents the reading gives (`read`), how many of them are new, and how many wait. */
  documents: Record<string, number>;
  /** Whether all documents were counted. */
  complete: boolean;
  /** How many calls may be paid for, by model. */
  requests: Record<string, number>;
  /** Tokens of input. */
  input: Likely;
  /** Tokens of output. */
  output: Likely;
  /** The ways in which its requests may go, the route's own first. */
  ways: WayForecast[];
  /** How many past calls were looked at. */
  history: number;
  /** How many documents were looked at. */
  sample: number;
  /** How tokens were counted. */
  counting: string[];
  /** What was taken for granted. */
  assumed: string[];
  /** What the figures do not hold. */
  left_out: string[];
}

/** How a route does. */
export interface RouteStatus {
  /** Its name. */
  name: string;
  /** The incoming connection that it reads. */
  incoming: string;
  /** The outgoing connection that it delivers to. */
  outgoing: string;
  /** What it is for. */
  description: string;
  /** Whether it is left out of runs. */
  disabled: boolean;
  /** Tasks by state, those of implied routes included. */
  counts: Record<string, number>;
  /** Tasks that ended per minute, of late; null while that is not known. */
  rate: number | null;
  /** When its oldest unfinished task was accepted. */
  oldest: string | null;
  /** Why nothing goes on; null when it does. */
  paused: PauseInfo | null;
  /** Why some of its tasks wait, in words. */
  waits: string;
  /** When a schedule reads it next. */
  next_run: string | null;
  /** Its budget, if it has one. */
  budget: BudgetState | null;
  /** Whether `POST /routes/{name}/run` can read it. */
  readable: boolean;
}

/** Whether something delivers the tasks. */
export interface RunnerState {
  /** Whether a run is under way, here or in another process. */
  alive: boolean;
  /** Since when; null when none is. */
  since: string | null;
}

/** What became of one document. */
export interface SampleResult {
  /** The steps that it passed, in their order. */
  steps: PlaygroundStep[];
  /** The documents that came out; shortened when they are large. */
  outputs: JsonValue[];
  /** Why it was dropped. */
  skipped: string[];
  /** Why it failed, and where; empty when it did not. */
  failed: string;
  /** How long it took. */
  milliseconds: number;
}

/** One request that arrived at the sandbox. */
export interface SandboxRequest {
  /** When. */
  time: string | null;
  /** The HTTP method. */
  method: string;
  /** The path. */
  path: string;
  /** The operation; empty when it is none. */
  operation: string;
  /** The status of the answer; null when it was never sent. */
  status: number | null;
  /** The fault that it met. */
  fault: string | null;
  /** The query. */
  query: Json;
  /** The payload, without keys; files by name and size. */
  payload: Json;
  /** The ids of what it created, changed or deleted. */
  effects: string[];
}

/** What arrived, the newest first. */
export interface SandboxRequests {
  /** The requests. */
  items: SandboxRequest[];
  /** How many the sandbox remembers; the oldest go first. */
  total: number;
}

/** A file to save. */
export interface SaveRequest {
  /** The file. */
  file: string;
  /** What it is to say. */
  text: string;
}

/** A test case that was written. */
export interface SavedCase {
  /** The file. */
  file: string;
  /** What `If-Match` must say to write the next one. */
  etag: string;
  /** What was written, as a unified diff. */
  diff: string;
  /** What the case expects: what the chain makes now. */
  expected: Record<string, JsonValue>;
}

/** A file that was saved. */
export interface SavedFile {
  /** The file as it is now. */
  file: ConfigFile;
  /** What was changed, as a unified diff. */
  diff: string;
  /** What lint finds now. */
  faults: FoundFault[];
}

/** How far a search went. */
export interface SearchedView {
  /** Whether nothing was left out; otherwise `next` goes on where time was up. */
  complete: boolean;
  /** How many tasks the search index holds. */
  count: number;
  /** How many tasks there are. */
  stored: number;
  /** Which share of the documents is indexed, from 0 to 1; null while nobody has searched them. */
  documents: number | null;
  /** Seconds since the index was last brought up to date. */
  lag: number;
}

/** A request that is to be sent once. */
export interface SendRequest {
  /** The request: {path, query, payload, headers}. */
  request?: Record<string, Json>;
  /** A client; needed where there are several. */
  client?: string | null;
  /** The effect as `explain` said it: who sends it knows what a repeat would do. */
  confirm: Effect;
}

/** Who is signed in, and what this studio shows. */
export interface SessionInfo {
  /** Who is signed in. */
  name: string;
  /** What they may do. */
  role: Role;
  /** What unsafe requests of the session repeat in X-CSRF-Token; null for tokens. */
  csrf: string | null;
  configuration: ConfigurationName;
  /** Whether the clients call a sandbox, the API, or some of each; none without clients. */
  environment: "sandbox" | "api" | "mixed" | "none";
  runner: RunnerState;
  /** The version of the connector. */
  version: string;
  attention: Attention;
}

/** The verdict on a task in doubt. */
export interface SettleRequest {
  /** repeat: make the call again; skip: end the task; done: the call took effect, go on from there. */
  verdict: "repeat" | "skip" | "done";
  /** With `done`: the body of the API's answer, as far as it is known. */
  answer?: Json;
  /** With `done`: the attempt of the call, if several are in doubt. */
  attempt?: number | null;
  /** With `done`: the call's number in the attempt. */
  number?: number | null;
  /** How you know; kept in the audit log. */
  reason?: string;
}

/** What signs somebody in: the code of a printed link, or a token. */
export interface SignIn {
  /** The code of the link that `openai-connector studio` prints; it works once. */
  code?: string | null;
  /** A token of `studio.tokens`. */
  token?: string | null;
}

/** Why a task is skipped. */
export interface SkipRequest {
  /** Why; kept as the task's reason. */
  reason?: string;
}

/** What one step of a chain made of the document. */
export interface Step {
  /** From 0: the document as it came. */
  step: number;
  /** The step. */
  name: string;
  /** Its place in the configuration. */
  where: string;
  /** Its line in the configuration's file. */
  line: number | null;
  /** The document after it. */
  document: Json;
  /** Why it went no further. */
  error: string | null;
}

/** A chain as it was typed, to put into the configuration. */
export interface TakeRequest {
  /** The part of the configuration, or `ready` for a chain that ships. */
  kind: "chains" | "ready" | "incoming" | "outgoing" | "routes";
  /** Its name there. */
  name: string;
  /** The chain. */
  text: string;
}

/** The file of a chain with the chain as it was typed; nothing is saved. */
export interface TakeResult {
  /** The file. */
  file: string;
  /** What `If-Match` of PUT /config must say to save it. */
  etag: string;
  /** What the file would say. */
  text: string;
  /** What would be changed, as a unified diff. */
  diff: string;
}

/** How many tasks a filter selects. */
export interface TaskCounts {
  /** By state; states without tasks are left out. */
  by_state: Partial<Record<TaskState, number>>;
  /** In all. */
  total: number;
  /** Whether these are all; otherwise at least so many. */
  exact: boolean;
}

/** One page of tasks. */
export interface TaskPage {
  /** The tasks of this page, in their order. */
  items: TaskSummary[];
  /** The cursor of the next page; null on the last one. */
  next: string | null;
  searched: SearchedView;
}

/** The state of a task. */
export type TaskState = "new" | "processing" | "waiting" | "finished" | "failed" | "skipped" | "unknown";

/** A task in a list. */
export interface TaskSummary {
  /** The id. */
  id: number;
  /** Its route. */
  route: string;
  /** Its state. */
  state: TaskState;
  /** The key of its document. */
  key: string;
  /** How many attempts were made that count. */
  attempts: number;
  /** Why it is in this state. */
  reason: string;
  /** When its document was accepted. */
  created: string | null;
  /** When it last changed. */
  updated: string | null;
  /** When a waiting task may go on. */
  due: string | null;
  /** What its calls cost; null when none was paid for. */
  cost: Price | null;
  /** The asked places of the document; null where there is nothing. */
  columns: Record<string, Json>;
}

/** Everything that is known of a task, without secrets. */
export interface TaskView {
  /** The id. */
  id: number;
  /** Its route. */
  route: string;
  /** Its state. */
  state: TaskState;
  /** The key of its document. */
  key: string;
  /** What differs when the document under the key has changed. */
  version: string;
  /** The order key: tasks of one go one after the other. */
  order: string;
  /** How many attempts were made that count. */
  attempts: number;
  /** Why it is in this state. */
  reason: string;
  /** When its document was accepted. */
  created: string | null;
  /** When it last changed. */
  updated: string | null;
  /** When a waiting task may go on. */
  due: string | null;
  /** When its answer is needed; null if its route does not say. */
  needed: string | null;
  /** What its calls cost. */
  cost: Price | null;
  /** The task whose answer it is. */
  source: number | null;
  /** The task that it goes in, as a line goes in a batch. */
  carrier: number | null;
  /** The traceparent of its origin. */
  trace: string;
  /** The document as it was accepted, or as a person last edited it. */
  document: Json;
  /** Its attempts, the first one first. */
  timeline: AttemptView[];
  /** What was shortened, and where it is read whole. */
  cut: Cut[];
}

/** A part of the configuration to try. */
export interface TestRequest {
  /** Where the part is. */
  section: "clients" | "incoming" | "outgoing";
  /** Its name. */
  name: string;
  /** The document that an outgoing connection is given. */
  document?: JsonValue;
  /** What files are taken to say: a change is tried before it is saved, by an editor. */
  texts?: Record<string, string>;
}

/** What came of a trial; nothing was kept, sent or paid for that is not said here. */
export interface TestResult {
  /** Whether it works. */
  works: boolean;
  /** What came of it, in a sentence, and what to do next. */
  text: string;
  /** The first documents that were read. */
  documents: JsonValue[];
  /** The request that would be sent. */
  request: JsonValue;
}

/** A variable; never its value. */
export interface VariableUse {
  /** Its name, as it is written. */
  name: string;
  /** Whether it has a value. */
  state: "set" | "default" | "missing";
  /** Where the value comes from: environment, .env, file, keyring; or nothing. */
  source: string;
  /** Whether it holds a secret. */
  secret: boolean;
  /** What it is for. */
  description: string;
  /** Where it is used. */
  used: string[];
}

/** What a route costs and how long it takes, when its requests go one way. */
export interface WayForecast {
  /** How requests go. */
  way: string;
  /** Whether the route goes this way. */
  chosen: boolean;
  /** What it costs, in the currency; null where a model has no price. */
  money: Likely | null;
  /** How long it takes. */
  seconds: Likely;
}

/** A call that may have taken effect. */
export interface connectorstudioschemaspublishDoubtfulCall {
  /** What was called. */
  operation: string;
  /** What was seen of its end. */
  evidence: string;
}

/** A call that may have taken effect. */
export interface connectorstudioschemasunknownDoubtfulCall {
  /** Which call of the attempt it is, from 0. */
  number: number;
  /** The attempt. */
  attempt: number;
  /** The operation. */
  operation: string;
  /** The client, or the kind of publisher. */
  target: string;
  /** What a second call would do. */
  effect: string;
  /** How it ended; empty while nobody knows. */
  state: string;
  /** When it began. */
  started: string | null;
  /** When its end was seen. */
  ended: string | null;
  /** Whether a person has retried the task since: it keeps nothing from being sent. */
  settled: boolean;
  /** What was sent, without secrets. */
  request: Json;
  /** The body of the answer. */
  answer: Json;
  /** What else is known: status, headers, tries, what was looked for. */
  evidence: Record<string, Json>;
  /** What the answer says was used. */
  usage: Record<string, number> | null;
  /** What it cost; null when it is not paid for, or did nothing. */
  cost: Price | null;
  /** How it was sent, where that is no standard call. */
  transport: string | null;
  /** When and why its batch was cancelled so that another way answers in time; null if it was not. */
  moved_up: string | null;
  /** What it may cost to make it again. */
  repeat_cost: Price;
  /** How large the request was, as it is kept. */
  request_bytes: number;
}
