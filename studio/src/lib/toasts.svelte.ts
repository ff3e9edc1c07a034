import { Problem } from "./api/problem";

export interface Toast {
  id: number;
  text: string;
  kind: "done" | "problem";
  problem: Problem | null;
  action: { text: string; run: () => unknown } | null;
}

const STAYS = 7000;

class Toasts {
  list = $state.raw<Toast[]>([]);
  #last = 0;

  /** Says what was done; `undo` takes it back where that is possible. */
  done(text: string, undo?: () => unknown, label = "Undo"): void {
    const id = this.#add({ text, kind: "done", problem: null, action: undo ? { text: label, run: undo } : null });
    setTimeout(() => this.close(id), undo ? 2 * STAYS : STAYS);
  }

  /** Says what failed, why, and what to do; it stays until it is closed. */
  failed(error: unknown): void {
    const problem = Problem.of(error);
    this.#add({ text: problem.sentence, kind: "problem", problem, action: null });
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  #add(toast: Omit<Toast, "id">): number {
    const id = ++this.#last;
    this.list = [...this.list.slice(-3), { ...toast, id }];
    return id;
  }
}

export const toasts = new Toasts();
