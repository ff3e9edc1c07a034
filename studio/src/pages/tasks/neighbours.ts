/** Which tasks stood before and after one in the list that it was opened from. */
class LastList {
  #ids: number[] = [];
  #query = "";

  remember(ids: number[], query: URLSearchParams): void {
    this.#ids = ids;
    this.#query = query.toString();
  }

  /** Only while the address still carries the filters of that list. */
  around(
    id: number,
    query: URLSearchParams,
  ): { before: number | null; after: number | null; place: number; of: number } {
    const place = this.#query === query.toString() ? this.#ids.indexOf(id) : -1;
    if (place < 0) return { before: null, after: null, place: 0, of: 0 };
    return {
      before: this.#ids[place - 1] ?? null,
      after: this.#ids[place + 1] ?? null,
      place: place + 1,
      of: this.#ids.length,
    };
  }
}

export const lastList = new LastList();
