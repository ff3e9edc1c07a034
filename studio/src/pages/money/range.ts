/* The days that are asked about, as they stand in the address: whole days of UTC, both ends included. */

const DAY = 86_400_000;
export const PRESETS = [7, 30, 90] as const;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

export interface Range {
  first: string;
  last: string;
}

export const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
const timeOf = (day: string): number => Date.parse(`${day}T00:00:00Z`);
const isDay = (text: string | null): text is string => text !== null && DATE.test(text) && !Number.isNaN(timeOf(text));

/** The last so many days. */
export const lastDays = (days: number, now = Date.now()): Range => ({
  first: dayOf(now - (days - 1) * DAY),
  last: dayOf(now),
});

/** The range of an address; what is no day counts as not given. */
export function rangeOf(query: URLSearchParams, now = Date.now()): Range {
  const [from, to] = [query.get("from"), query.get("to")];
  const usual = lastDays(30, now);
  const last = isDay(to) ? to : usual.last;
  const first = isDay(from) ? from : dayOf(timeOf(last) - 29 * DAY);
  return first <= last ? { first, last } : { first: last, last: first };
}

/** The range as the API takes it: until the end of the last day. */
export const asked = ({ first, last }: Range): { from: string; to: string } => ({
  from: `${first}T00:00:00Z`,
  to: `${dayOf(timeOf(last) + DAY)}T00:00:00Z`,
});

const MOST = 400;
/** Every day of a range; of a very long one the last ones. */
export function daysOf({ first, last }: Range): string[] {
  const end = timeOf(last);
  const start = Math.max(timeOf(first), end - (MOST - 1) * DAY);
  return Array.from({ length: Math.round((end - start) / DAY) + 1 }, (_, place) => dayOf(start + place * DAY));
}
