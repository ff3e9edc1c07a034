/** A column of a table. */
export interface Column {
  id: string;
  title: string;
  /** Pixels, or a share of what is left. */
  width: number | { share: number; least: number };
  number?: boolean;
  /** The name by which the server sorts; without one it cannot. */
  sort?: string;
  /** Shown only where the table is at least so wide. */
  from?: number;
  mono?: boolean;
}

/** "-updated" is the newest first; a second click turns it. */
export function turned(sort: string, column: string): string {
  if (sort === `-${column}`) return column;
  return `-${column}`;
}
