import { ask, get, setCsrf, setSignedOut } from "./api/client";
import { Problem } from "./api/problem";
import type { Attention, Role, Session } from "./api/types";

const RANK: Record<Role, number> = { viewer: 0, operator: 1, editor: 2 };

class SessionStore {
  current = $state.raw<Session | null>(null);
  /** "out" shows the page that says how to sign in. */
  phase = $state<"starting" | "in" | "out" | "away">("starting");
  problem = $state.raw<Problem | null>(null);
  attention = $state.raw<Attention>({ failed: 0, unknown: 0, paused: 0 });

  /** Redeems the code of the printed link, if there is one, and learns who this is. */
  async start(): Promise<void> {
    setSignedOut(() => (this.phase = "out"));
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    // Out of the address at once: it is in no history and in no link that is shared.
    if (code) history.replaceState(null, "", location.pathname + location.search);
    try {
      if (code) await ask("/session", { method: "POST", body: { code } });
    } catch (error) {
      this.problem = Problem.of(error);
    }
    await this.refresh();
  }

  /** Signs in with a token of the configuration; raises the Problem. */
  async signIn(token: string): Promise<void> {
    await ask("/session", { method: "POST", body: { token } });
    await this.refresh();
  }

  async refresh(): Promise<void> {
    try {
      const session = await get<Session>("/session");
      setCsrf(session.csrf ?? "");
      this.current = session;
      this.attention = session.attention;
      this.phase = "in";
      this.problem = null;
    } catch (error) {
      const problem = Problem.of(error);
      if (problem.status === 401 || problem.status === 403) this.phase = "out";
      else {
        this.problem = problem;
        if (this.phase === "starting") this.phase = "away";
      }
    }
  }

  async end(): Promise<void> {
    await ask("/session", { method: "DELETE" }).catch(() => undefined);
    this.current = null;
    this.phase = "out";
  }

  /** Whether this person may do what a role may. */
  may(role: Role): boolean {
    return this.current !== null && RANK[this.current.role] >= RANK[role];
  }
}

export const session = new SessionStore();
