import type { Price } from "./api/types";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const LOCALE = "en-GB";
const clock = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayClock = new Intl.DateTimeFormat(LOCALE, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const day = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });
const whole = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "long" });
const numbers = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** The reader's time zone, by name. */
export const timeZone = zone;

export const count = (value: number): string => numbers.format(value);
/** 1.2M where there is little room. */
export const short = (value: number): string => (value < 10_000 ? numbers.format(value) : compact.format(value));

/** "1 task", "12 tasks". */
export const many = (value: number, one: string, more = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : more}`;

/** As short as the day allows, in the reader's zone. */
export function moment(text: string | null, now = new Date()): string {
  if (!text) return "";
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  if (at.toDateString() === now.toDateString()) return clock.format(at);
  return at.getFullYear() === now.getFullYear() ? dayClock.format(at).replace(",", "") : day.format(at);
}

/** The moment with everything: for titles. */
export function fullMoment(text: string | null): string {
  if (!text) return "";
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : `${whole.format(at)} (${zone})\n${text}`;
}

/** "in 4 min", "3 s ago". */
export function distance(text: string | null, now = Date.now()): string {
  if (!text) return "";
  const away = (new Date(text).getTime() - now) / 1000;
  const size = duration(Math.abs(away));
  return away > 0 ? `in ${size}` : `${size} ago`;
}

/** Seconds as a person says them. */
export function duration(seconds: number): string {
  if (seconds < 0.001) return "0 ms";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return withRest(minutes, "min", Math.round(seconds % 60), "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return withRest(hours, "h", minutes % 60, "min");
  return withRest(Math.floor(hours / 24), "d", hours % 24, "h");
}
const withRest = (value: number, unit: string, rest: number, restUnit: string): string =>
  rest ? `${value} ${unit} ${rest} ${restUnit}` : `${value} ${unit}`;

export function between(started: string | null, ended: string | null): number | null {
  if (!started || !ended) return null;
  return Math.max(0, (new Date(ended).getTime() - new Date(started).getTime()) / 1000);
}

/** "$12.50", "$0.0421", "$0.000021"; "" when it is unknown. Small amounts have the places that they need. */
export function money(price: (Pick<Price, "amount"> & Partial<Price>) | null | undefined): string {
  if (!price || price.amount === null) return "";
  const { amount, currency = "USD" } = price;
  const least = 0.000001;
  if (amount > 0 && amount < least / 2) return `<${written(least, currency, 6)}`;
  const size = Math.abs(amount);
  return written(amount, currency, size === 0 || size >= 1 ? 2 : size >= 0.01 ? 4 : 6);
}
const written = (amount: number, currency: string, places: number): string =>
  new Intl.NumberFormat("en-US", {
    style: "currency",
    currency,
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  }).format(amount);

/** Bytes as a person says them. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
/** Shows what would otherwise be invisible, or would turn the text around it: as its code, ␊ for a line's end. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (sign) => {
    const code = sign.charCodeAt(0);
    return code < 32 ? String.fromCharCode(0x2400 + code) : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
