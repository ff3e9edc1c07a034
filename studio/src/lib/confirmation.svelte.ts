import type { Forecast } from "./api/types";

/** What a person is asked before something pays, repeats or removes. */
export interface Question {
  title: string;
  /** What happens, in a sentence. */
  effect: string;
  /** Asks the server, without doing anything, how much would be done and what it may cost; with or without those tasks
   *  whose calls may have taken effect. */
  forecast?: (doubtful: boolean) => Promise<Forecast>;
  /** Whether doubtful tasks may be taken along, when the person says so. */
  mayRepeat?: boolean;
  /** The button's words, made of the forecast: "Retry 12 tasks". */
  action: (forecast: Forecast | null) => string;
  /** A word to type, only where it cannot be undone. */
  typed?: string;
  danger?: boolean;
  /** A reason that is asked for and kept. */
  reason?: { label: string; needed: boolean };
}
export interface Consent {
  forecast: Forecast | null;
  reason: string;
  /** Doubtful ones too. */
  doubtful: boolean;
}

class Confirmation {
  question = $state.raw<Question | null>(null);
  #answer: ((consent: Consent | null) => void) | null = null;

  /** Shows the question; null when the person turned it down. */
  ask(question: Question): Promise<Consent | null> {
    this.#answer?.(null);
    this.question = question;
    return new Promise((answer) => (this.#answer = answer));
  }

  answer(consent: Consent | null): void {
    const answer = this.#answer;
    this.#answer = null;
    this.question = null;
    answer?.(consent);
  }
}

export const confirmation = new Confirmation();
