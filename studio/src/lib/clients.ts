import { get } from "./api/client";
import type { ConfigState, Json } from "./api/types";

const isObject = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The names of the clients that the configuration declares, in its order. */
export async function clientNames(signal: AbortSignal): Promise<string[]> {
  const { files } = await get<ConfigState>("/config", undefined, signal);
  return files.flatMap(({ values }) => {
    const clients = isObject(values) ? values["clients"] : undefined;
    return isObject(clients) ? Object.keys(clients) : [];
  });
}
