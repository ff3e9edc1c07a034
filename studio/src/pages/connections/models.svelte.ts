/* Models as proposals: those of the account first, each with where it is in its life and what it costs. */

import type { Suggestion } from "$components/Suggest.svelte";
import { get } from "$lib/api/client";
import type { ModelList, ModelRow } from "$lib/api/types";
import { money } from "$lib/format";

class Models {
  rows = $state.raw<ModelRow[]>([]);
  why = $state("");
  #asked = false;

  load(): void {
    if (this.#asked) return;
    this.#asked = true;
    get<ModelList>("/models")
      .then((found) => {
        this.why = found.account.why;
        const rank = (row: ModelRow): number => (row.available ? 0 : 1) + (row.life_cycle === "retired" ? 2 : 0);
        this.rows = [...found.items].sort((a, b) => rank(a) - rank(b));
      })
      .catch(() => (this.#asked = false));
  }
  options(): Suggestion[] {
    return this.rows.map((row) => ({ value: row.id, note: describe(row) }));
  }
  note(name: string): string {
    const row = this.rows.find(({ id }) => id === name);
    return row ? `${describe(row)}.` : "";
  }
}

function describe(row: ModelRow): string {
  const life =
    row.life_cycle === "retired"
      ? `retired${row.shutdown ? ` on ${row.shutdown}` : ""}`
      : row.shutdown
        ? `retires on ${row.shutdown}`
        : (row.life_cycle ?? "life cycle not known");
  const price =
    row.input === null
      ? ""
      : `${money({ amount: row.input })} in, ${money({ amount: row.output })} out a million tokens`;
  const account = row.available === false ? "not in this account" : row.available ? "in this account" : "";
  return [account, life, row.successor ? `then ${row.successor}` : "", price].filter(Boolean).join(" · ");
}

export const models = new Models();
