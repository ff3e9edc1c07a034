/* What a component asks of the API, one thing at a time: what is under way, and why the last one failed. */
import { Problem } from "./api/problem";

export class Work<What extends string> {
  /** What is under way; "" while nothing is. */
  busy = $state<What | "">("");
  problem = $state.raw<Problem | null>(null);

  /** Does a thing unless another is under way; what it throws becomes the problem. */
  async run(what: What, act: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = what;
    this.problem = null;
    try {
      await act();
    } catch (error) {
      this.problem = Problem.of(error);
    } finally {
      this.busy = "";
    }
  }
}
