/* What the API under /api/v1 gives, under the names that the pages call it by. */

import type {
  AttemptView,
  BulkAnswer,
  CallView,
  SearchedView,
  SessionInfo,
  TaskCounts,
  TaskState,
  TaskSummary,
  TaskView,
} from "./schema";

export type * from "./schema";
export type Session = SessionInfo;
export type Environment = SessionInfo["environment"];
export type State = TaskState;
export type TaskRow = TaskSummary;
export type Task = TaskView;
export type Attempt = AttemptView;
export type Call = CallView;
export type Counts = TaskCounts;
export type Searched = SearchedView;
/** What a bulk action would do, before it is done. */
export type Forecast = BulkAnswer;
export type StateCounts = Partial<Record<string, number>>;

/** One page of a list. */
export interface Page<T> {
  items: T[];
  next: string | null;
  searched?: Searched;
}
