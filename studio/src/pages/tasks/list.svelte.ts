import { get } from "$lib/api/client";
import { isAbort, Problem } from "$lib/api/problem";
import type { Page, Searched, TaskRow } from "$lib/api/types";

const PAGE = 100;
const MOST = 500;
const SOON = 700;
const TRIES = 2;

/** The tasks of one query: page after page as they are scrolled to. */
export class TaskList {
  rows = $state.raw<TaskRow[]>([]);
  next = $state.raw<string | null>(null);
  searched = $state.raw<Searched | null>(null);
  busy = $state(false);
  /** Whether the first answer is here. */
  ready = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** Something changed that is not shown yet. */
  stale = $state(false);
  /** Whether the index is still being brought up to date with what is stored: more may fit than is shown. */
  indexing = $state(false);
  /** Called when the list asks again by itself. */
  onrepeat: () => unknown = () => undefined;
  #again = 0;
  #tries = 0;
  #query = new URLSearchParams();
  #running: AbortController | null = null;

  async start(query: URLSearchParams): Promise<void> {
    this.#query = query;
    this.#tries = 0;
    this.ready = false;
    this.rows = [];
    this.next = null;
    await this.#fetch(PAGE, null);
  }

  /** Fetches what is shown anew, in its place. */
  refresh = async (): Promise<void> => {
    this.stale = false;
    await this.#fetch(Math.min(MOST, Math.max(PAGE, this.rows.length)), null);
  };

  more = async (): Promise<void> => {
    if (!this.busy && this.next) await this.#fetch(2 * PAGE, this.next);
  };

  #repeat = (): void => {
    void this.refresh();
    this.onrepeat();
  };

  stop(): void {
    clearTimeout(this.#again);
    this.#running?.abort();
  }

  async #fetch(limit: number, cursor: string | null): Promise<void> {
    clearTimeout(this.#again);
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.busy = true;
    const query = new URLSearchParams(this.#query);
    query.set("limit", String(limit));
    if (cursor) query.set("cursor", cursor);
    try {
      const page = await get<Page<TaskRow>>("/tasks", query, running.signal);
      if (cursor) {
        const known = new Set(this.rows.map(({ id }) => id));
        this.rows = [...this.rows, ...page.items.filter(({ id }) => !known.has(id))];
      } else this.rows = page.items;
      this.next = page.next;
      this.searched = page.searched ?? null;
      this.problem = null;
      this.ready = true;
      this.indexing = page.searched !== undefined && page.searched.count < page.searched.stored;
      // An index that has just been opened may not know yet how much is stored: what is empty is asked for again.
      const early = this.rows.length === 0 && this.#tries++ < TRIES;
      if (early || (this.indexing && this.rows.length < PAGE)) this.#again = window.setTimeout(this.#repeat, SOON);
    } catch (error) {
      if (running.signal.aborted || isAbort(error)) return;
      this.problem = Problem.of(error);
      this.next = null;
    } finally {
      if (this.#running === running) this.busy = false;
    }
  }
}
