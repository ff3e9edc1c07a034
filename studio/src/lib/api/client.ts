import { parse } from "../json";
import { isAbort, Problem } from "./problem";
import type { Json } from "./types";

const ROOT = "/api/v1";
const SAFE = new Set(["GET", "HEAD"]);

export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;
export interface Options {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  query?: Query | URLSearchParams;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** The same key for the same wish: a POST that is sent again takes effect once. */
  key?: string;
}
export interface Answer<T> {
  value: T;
  etag: string;
  status: number;
  location: string;
}

let csrf = "";
let onSignedOut: () => void = () => undefined;

/** What unsafe requests must carry; GET /session says it. */
export function setCsrf(token: string): void {
  csrf = token;
}
/** Called when the server no longer knows this session. */
export function setSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

export function search(query: Query | URLSearchParams | undefined): string {
  if (!query) return "";
  if (query instanceof URLSearchParams) return query.size ? `?${query}` : "";
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "") continue;
    if (Array.isArray(value)) for (const one of value as readonly string[]) parts.append(name, one);
    else parts.append(name, String(value));
  }
  return parts.size ? `?${parts}` : "";
}

/** One request of the API with all that its answer says; raises a Problem. */
export async function ask<T>(path: string, options: Options = {}): Promise<Answer<T>> {
  const method = options.method ?? "GET";
  const headers: Record<string, string> = { accept: "application/json", ...options.headers };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  if (!SAFE.has(method)) {
    headers["x-csrf-token"] = csrf;
    if (method === "POST") headers["idempotency-key"] = options.key ?? crypto.randomUUID();
  }
  const response = await fetch(`${ROOT}${path}${search(options.query)}`, {
    method,
    headers,
    body: options.body === undefined ? null : JSON.stringify(options.body),
    credentials: "same-origin",
    redirect: "error",
    signal: options.signal ?? null,
  }).catch((error: unknown) => {
    throw isAbort(error) ? error : Problem.silence();
  });
  if (!response.ok) {
    const problem = await Problem.from(response);
    if (response.status === 401 && path !== "/session") onSignedOut();
    throw problem;
  }
  const text = await response.text();
  return {
    value: (text ? parse(text) : null) as T,
    etag: response.headers.get("etag") ?? "",
    status: response.status,
    location: response.headers.get("location") ?? "",
  };
}

export const get = async <T>(path: string, query?: Query | URLSearchParams, signal?: AbortSignal): Promise<T> =>
  (await ask<T>(path, { ...(query ? { query } : {}), signal })).value;

export const post = async <T = Json>(path: string, body: unknown = {}, options: Options = {}): Promise<T> =>
  (await ask<T>(path, { ...options, method: "POST", body })).value;
