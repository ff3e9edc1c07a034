/* What changes, as the server says it (SSE). However many tabs are open, one of them holds the connection and tells the
   others: browsers open only six to a host. */

import type { Attention, State } from "./api/types";

export interface Happenings {
  counts: Record<string, Partial<Record<State, number>>>;
  tasks: { changed: number[] | "many" };
  routes: unknown;
  config: { etag: string };
  attention: Attention;
  /** Events were lost, or the connection was: whatever is shown may be old. */
  resync: unknown;
}
type Name = keyof Happenings;
const NAMES: readonly Name[] = ["counts", "tasks", "routes", "config", "attention", "resync"];
type Handler<N extends Name> = (data: Happenings[N]) => void;
interface Message {
  name: Name | "state";
  data: unknown;
}

class Events {
  /** Whether changes arrive. */
  live = $state(false);
  #handlers = new Map<Name, Set<Handler<never>>>();
  #channel: BroadcastChannel | null = null;
  #source: EventSource | null = null;
  #stop: AbortController | null = null;
  #lost = false;

  /** Calls the handler whenever something of this name happens; returns what ends that. */
  on<N extends Name>(name: N, handler: Handler<N>): () => void {
    const handlers = this.#handlers.get(name) ?? new Set();
    handlers.add(handler as Handler<never>);
    this.#handlers.set(name, handlers);
    return () => handlers.delete(handler as Handler<never>);
  }

  start(): void {
    if (this.#stop) return;
    this.#stop = new AbortController();
    if (!("locks" in navigator) || !("BroadcastChannel" in window)) return this.#open();
    this.#channel = new BroadcastChannel("studio.events");
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#take(data);
    // A tab that has just opened hears from the leader at its next event; the page's own requests fill it meanwhile.
    this.live = true;
    const signal = this.#stop.signal;
    void navigator.locks
      .request("studio.events", { signal }, () => {
        this.#open();
        return new Promise<void>((done) => signal.addEventListener("abort", () => done()));
      })
      .catch(() => undefined);
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.#source?.close();
    this.#source = null;
    this.#channel?.close();
    this.#channel = null;
    this.live = false;
  }

  #open(): void {
    const source = new EventSource("/api/v1/events");
    this.#source = source;
    source.onopen = () => {
      this.#say({ name: "state", data: true });
      if (this.#lost) this.#say({ name: "resync", data: null });
      this.#lost = false;
    };
    source.onerror = () => {
      this.#lost = true;
      this.#say({ name: "state", data: false });
      if (source.readyState === EventSource.CLOSED && this.#stop) {
        // Refused for good: the browser gives up, and so would the page without this.
        setTimeout(() => this.#stop && this.#open(), 5000);
      }
    };
    for (const name of NAMES) {
      source.addEventListener(name, (event: MessageEvent<string>) => {
        try {
          this.#say({ name, data: JSON.parse(event.data) });
        } catch {
          // Half an event is none; the next request brings the whole.
        }
      });
    }
  }

  #say(message: Message): void {
    this.#take(message);
    this.#channel?.postMessage(message);
  }

  #take({ name, data }: Message): void {
    if (name === "state") this.live = data === true;
    else for (const handler of this.#handlers.get(name) ?? []) handler(data as never);
  }
}

export const events = new Events();

/** While a component lives: calls `refresh` after changes, at most once in `pause` milliseconds. */
export function refreshOn(names: readonly Name[], refresh: () => unknown, pause = 1000): void {
  $effect(() => {
    let last = 0;
    let timer = 0;
    const soon = (): void => {
      if (timer) return;
      timer = window.setTimeout(
        () => {
          timer = 0;
          last = Date.now();
          void refresh();
        },
        Math.max(60, last + pause - Date.now()),
      );
    };
    const ends = [...names, "resync" as const].map((name) => events.on(name, soon));
    return () => {
      clearTimeout(timer);
      for (const end of ends) end();
    };
  });
}
