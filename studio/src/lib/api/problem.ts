/** One fault of a request: where it stands, what was found, what is allowed. */
export interface Fault {
  where?: string;
  found?: string;
  allowed?: string;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What went wrong, in the words of the server (application/problem+json), or of the network. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly next: string;
  readonly faults: readonly Fault[];
  /** Everything that came, to copy. */
  readonly body: unknown;

  constructor(
    status: number,
    title: string,
    detail = "",
    next = "",
    faults: readonly Fault[] = [],
    body: unknown = null,
  ) {
    super(detail ? `${title}: ${detail}` : title);
    this.name = "Problem";
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.next = next;
    this.faults = faults;
    this.body = body;
  }

  /** What went wrong, as a sentence. */
  get sentence(): string {
    if (this.status === 0) return this.detail ? `${this.title}. ${this.detail}` : this.title;
    const text = this.detail || this.title;
    return capital(text);
  }

  static async from(response: Response): Promise<Problem> {
    const text = await response.text().catch(() => "");
    let body: unknown = text;
    try {
      body = JSON.parse(text);
    } catch {
      // Something between the server and here answered; its text is kept as it is.
    }
    const said = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    const word = (name: string): string => (typeof said[name] === "string" ? said[name] : "");
    return new Problem(
      response.status,
      word("title") || `The server answered ${response.status}`,
      word("detail") || (typeof body === "string" ? body.slice(0, 300) : ""),
      capital(word("next")),
      Array.isArray(said["errors"]) ? (said["errors"] as Fault[]) : [],
      body,
    );
  }

  /** No answer came at all. */
  static silence(): Problem {
    return new Problem(
      0,
      "The studio does not answer",
      "Its process has ended, or the connection to it is cut.",
      "Look whether `openai-connector studio` still runs; this page tries again by itself.",
    );
  }

  static of(error: unknown): Problem {
    if (error instanceof Problem) return error;
    const text = error instanceof Error ? error.message : String(error);
    return new Problem(
      0,
      "This page failed",
      text,
      "Load the page anew; when it happens again, report it with the details.",
    );
  }
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";
