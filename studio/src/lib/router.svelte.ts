/* Where the reader is: path and query of the address. A link shows a colleague the same. */

class Router {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));
  /** The address from which the reader came, within the studio. */
  from = $state("");

  constructor() {
    addEventListener("popstate", () => this.#read());
  }

  /** Goes to an address of the studio; replace leaves no entry for the back button. */
  go(href: string, replace = false): void {
    const target = new URL(href, location.href);
    if (target.origin !== location.origin) return;
    const here = location.pathname + location.search;
    const there = target.pathname + target.search;
    if (there === here) return;
    if (target.pathname !== location.pathname) this.from = here;
    if (replace) history.replaceState(history.state, "", there);
    else history.pushState(null, "", there);
    this.#read();
  }

  /** Changes some names of the query; null and "" remove one, a list repeats it. */
  set(changes: Record<string, string | readonly string[] | null>, replace = true): void {
    this.go(this.with(changes), replace);
  }

  /** The address with these changes of the query. */
  with(changes: Record<string, string | readonly string[] | null>): string {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes)) {
      query.delete(name);
      for (const one of typeof value === "string" ? [value] : (value ?? [])) if (one) query.append(name, one);
    }
    return this.path + (query.size ? `?${query}` : "");
  }

  #read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }
}

export const router = new Router();

/** Makes links of the studio change the page without loading it anew; all others are the browser's. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = (event.target as Element | null)?.closest("a");
  if (!link || link.hasAttribute("download") || (link.getAttribute("target") ?? "") !== "") return;
  const href = link instanceof SVGAElement ? link.href.baseVal : link.href;
  if (!href) return;
  const url = new URL(href, location.href);
  if (url.origin !== location.origin || url.pathname.startsWith("/api/")) return;
  event.preventDefault();
  router.go(url.pathname + url.search);
}

/** Values of `/tasks/:id` in a path; null when it is another path. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const found = path.replace(/(?<=.)\/$/, "").split("/");
  if (wanted.length !== found.length) return null;
  const values: Record<string, string> = {};
  for (const [place, part] of wanted.entries()) {
    const given = found[place] ?? "";
    if (!part.startsWith(":")) {
      if (part !== given) return null;
      continue;
    }
    try {
      values[part.slice(1)] = decodeURIComponent(given);
    } catch {
      return null;
    }
  }
  return values;
}
