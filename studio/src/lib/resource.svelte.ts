import { isAbort, Problem } from "./api/problem";

const SLOW = 400;

/** Something that the server is asked for: its value, whether it is on its way, what went wrong. */
export class Resource<K, T> {
  value = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(true);
  /** Under way for so long that the page should say it. */
  slow = $state(false);
  #key: () => K | null;
  #load: (key: K, signal: AbortSignal) => Promise<T>;
  #running: AbortController | null = null;
  #shown = "";

  constructor(key: () => K | null, load: (key: K, signal: AbortSignal) => Promise<T>) {
    this.#key = key;
    this.#load = load;
    $effect(() => {
      const wanted = this.#key();
      void this.#run(wanted);
      return () => this.#running?.abort();
    });
  }

  /** Asks again; what is shown stays until the answer is here. */
  async reload(): Promise<void> {
    await this.#run(this.#key());
  }

  async #run(key: K | null): Promise<void> {
    this.#running?.abort();
    if (key === null) {
      this.value = null;
      this.loading = false;
      return;
    }
    const mark = JSON.stringify(key);
    if (mark !== this.#shown) this.value = null;
    const running = new AbortController();
    this.#running = running;
    this.loading = true;
    const timer = setTimeout(() => (this.slow = true), SLOW);
    try {
      const value = await this.#load(key, running.signal);
      if (running.signal.aborted) return;
      this.value = value;
      this.#shown = mark;
      this.problem = null;
    } catch (error) {
      if (running.signal.aborted || isAbort(error)) return;
      this.problem = Problem.of(error);
    } finally {
      clearTimeout(timer);
      if (this.#running === running) {
        this.loading = false;
        this.slow = false;
      }
    }
  }
}

/** Made while a component starts: asks whenever the key changes, never twice at a time. */
export function resource<K, T>(key: () => K | null, load: (key: K, signal: AbortSignal) => Promise<T>): Resource<K, T> {
  return new Resource(key, load);
}
