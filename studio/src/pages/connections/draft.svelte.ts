/* What is changed and not saved yet: the texts of the configuration's files, and what they say. It lives as long as the
 * page is open in the browser, so that looking at another page of the studio loses nothing. */

import { ask, get, post } from "$lib/api/client";
import { Problem } from "$lib/api/problem";
import type {
  ConfigFile,
  ConfigState,
  EditResult,
  EntryPlace,
  FoundFault,
  Json,
  RenamedFile,
  SavedFile,
} from "$lib/api/types";
import { isObject } from "$lib/shape";
import { toasts } from "$lib/toasts.svelte";

export type Path = readonly (string | number)[];
export interface Edit {
  op: "set" | "remove" | "insert" | "move" | "rename";
  path: Path;
  value?: Json;
  place?: number;
  name?: string;
}
export interface DraftFile {
  name: string;
  /** What is saved, as it was read, and its mark. */
  base: string;
  etag: string;
  text: string;
  values: Json;
  readable: boolean;
  entries: EntryPlace[];
}
interface Past {
  texts: Record<string, string>;
  mark: string;
}

const TYPING = 250;
const MOST = 200;

class Draft {
  files = $state.raw<DraftFile[]>([]);
  faults = $state.raw<FoundFault[]>([]);
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);
  busy = $state(0);
  /** A file that somebody else has saved while it was changed here, as it is now. */
  theirs = $state.raw<ConfigFile | null>(null);
  past = $state.raw<Past[]>([]);
  future = $state.raw<Past[]>([]);
  #queue: Promise<unknown> = Promise.resolve();
  #timer = 0;
  #typed = 0;

  get dirty(): DraftFile[] {
    return this.files.filter((file) => file.text !== file.base);
  }
  get texts(): Record<string, string> {
    return Object.fromEntries(this.dirty.map((file) => [file.name, file.text]));
  }
  get errors(): FoundFault[] {
    return this.faults.filter((fault) => fault.severity === "error");
  }

  file(name: string): DraftFile | undefined {
    return this.files.find((file) => file.name === name);
  }
  /** The file in which an entry is, else the one to which its section belongs. */
  fileOf(section: string, entry: string | null): DraftFile | undefined {
    const holds = (file: DraftFile): boolean => {
      const part = isObject(file.values) ? file.values[section] : undefined;
      return entry === null ? part !== undefined : isObject(part) && entry in part;
    };
    return (
      this.files.find(holds) ??
      this.files.find((file) => isObject(file.values) && section in file.values) ??
      this.files.find((file) => file.name.startsWith(`${section}/`)) ??
      this.files[0]
    );
  }
  section(name: string): Json | undefined {
    let found: Json | undefined;
    for (const { values } of this.files) {
      const part = isObject(values) ? values[name] : undefined;
      if (isObject(found) && isObject(part)) found = { ...found, ...part };
      else found ??= part;
    }
    return found;
  }
  names(section: string): string[] {
    const part = this.section(section);
    return isObject(part) ? Object.keys(part) : [];
  }
  at(path: Path): Json | undefined {
    let value: Json | undefined = this.section(String(path[0]));
    for (const step of path.slice(1)) {
      if (Array.isArray(value)) value = value[Number(step)];
      else value = isObject(value) ? value[String(step)] : undefined;
    }
    return value;
  }

  /** Reads what is saved; a file that is changed here keeps its change, and it is seen whether somebody else saved it. */
  async load(): Promise<void> {
    try {
      const state = await get<ConfigState>("/config");
      const before = new Map(this.files.map((file) => [file.name, file]));
      this.files = state.files.map((file) => {
        const known = before.get(file.name);
        if (known && known.text !== known.base) {
          if (known.etag !== file.etag) this.theirs = file;
          return known;
        }
        return {
          name: file.name,
          base: file.text,
          etag: file.etag,
          text: file.text,
          values: file.values,
          readable: file.values !== null || file.text.trim() === "",
          entries: known?.text === file.text ? known.entries : [],
        };
      });
      if (!this.dirty.length) {
        this.faults = state.faults;
        for (const file of this.files) if (!file.entries.length) void this.#send(file.name, []);
      }
      this.problem = null;
      this.loaded = true;
    } catch (error) {
      this.problem = Problem.of(error);
    }
  }

  /** Changes values in the text of a file; true when it was possible. */
  edit(name: string, edits: readonly Edit[], mark = ""): Promise<boolean> {
    return this.#inTurn(async () => {
      const before = this.#moment(mark);
      if (!(await this.#send(name, edits))) return false;
      this.#remember(before);
      return true;
    });
  }

  /** Takes what is typed as the text of a file; what it says follows. */
  type(name: string, text: string): void {
    this.#remember(this.#moment(`text ${name}`));
    this.#put(name, { text });
    clearTimeout(this.#timer);
    const typed = ++this.#typed;
    this.#timer = window.setTimeout(() => void this.#inTurn(() => this.#send(name, [], typed)), TYPING);
  }

  /** Gives an entry a new name, and follows it wherever it is named. */
  rename(section: string, name: string, to: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const before = this.#moment("");
      try {
        const body = { section, name, to, texts: this.texts };
        for (const file of await post<RenamedFile[]>("/config/rename", body)) {
          this.#put(file.name, { text: file.text });
          await this.#send(file.name, []);
        }
      } catch (error) {
        toasts.failed(error);
        return false;
      }
      this.#remember(before);
      return true;
    });
  }

  undo(): Promise<void> {
    return this.#travel("past", "future");
  }
  redo(): Promise<void> {
    return this.#travel("future", "past");
  }
  async discard(): Promise<void> {
    const before = this.#moment("");
    for (const file of this.dirty) this.#put(file.name, { text: file.base });
    this.#remember(before);
    await this.#readAll();
  }

  /** Saves every changed file; false when something was in the way, which `problem` or `theirs` says. */
  async save(): Promise<Problem | null> {
    for (const file of this.dirty) {
      try {
        const answer = await ask<SavedFile>("/config", {
          method: "PUT",
          body: { file: file.name, text: file.text },
          headers: { "if-match": `"${file.etag}"` },
        });
        const { text, etag, values } = answer.value.file;
        this.#put(file.name, { base: text, text, etag, values });
        this.faults = answer.value.faults;
      } catch (error) {
        const problem = Problem.of(error);
        const current = isObject(problem.body) ? (problem.body["current"] as unknown) : null;
        if (problem.status === 412 && current) this.theirs = current as ConfigFile;
        return problem;
      }
    }
    this.past = [];
    this.future = [];
    return null;
  }

  /** Goes on from what somebody else saved, with a text in which both changes are. */
  async merged(text: string): Promise<void> {
    const { theirs } = this;
    if (!theirs) return;
    const before = this.#moment("");
    this.#put(theirs.name, { base: theirs.text, etag: theirs.etag, text });
    this.theirs = null;
    this.#remember(before);
    await this.#inTurn(() => this.#send(theirs.name, []));
  }

  async #travel(from: "past" | "future", to: "past" | "future"): Promise<void> {
    const moment = this[from].at(-1);
    if (!moment) return;
    const now = this.#moment("");
    this[from] = this[from].slice(0, -1);
    this[to] = [...this[to], now];
    for (const [name, text] of Object.entries(moment.texts)) this.#put(name, { text });
    await this.#readAll();
  }
  #readAll(): Promise<void> {
    return this.#inTurn(async () => {
      for (const file of this.files) await this.#send(file.name, []);
    });
  }
  #moment(mark: string): Past {
    return { texts: Object.fromEntries(this.files.map((file) => [file.name, file.text])), mark };
  }
  #remember(moment: Past): void {
    this.future = [];
    if (moment.mark && this.past.at(-1)?.mark === moment.mark) return;
    this.past = [...this.past.slice(-MOST), moment];
  }

  async #send(name: string, edits: readonly Edit[], typed = 0): Promise<boolean> {
    const file = this.file(name);
    if (!file) return false;
    const others = Object.fromEntries(this.dirty.filter((one) => one.name !== name).map((one) => [one.name, one.text]));
    this.busy++;
    try {
      const said = await post<EditResult>("/config/edit", { file: name, text: file.text, edits, others });
      if (typed && typed !== this.#typed) return true;
      const { values, readable, entries } = said;
      // What is being typed stays as it is; what cannot be read has the values that it had.
      const text = edits.length ? { text: said.text } : {};
      this.#put(name, { ...text, readable, ...(readable ? { values, entries } : {}) });
      this.faults = said.faults;
      return true;
    } catch (error) {
      if (!typed) toasts.failed(error);
      return false;
    } finally {
      this.busy--;
    }
  }
  #put(name: string, change: Partial<DraftFile>): void {
    this.files = this.files.map((file) => (file.name === name ? { ...file, ...change } : file));
  }
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

export const draft = new Draft();
