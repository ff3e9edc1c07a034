import { Graph, layout } from "@dagrejs/dagre";
import type { GraphEdge, GraphNode } from "$lib/api/types";

export const HEIGHT = 64;
const WIDEST = 208;
const NARROWEST = 160;
const COLUMNS = 4;
const GAP = 40;

export interface Placed {
  node: GraphNode;
  x: number;
  y: number;
}
export interface Line {
  id: string;
  path: string;
  busy: boolean;
}
export interface Drawing {
  nodes: Placed[];
  lines: Line[];
  width: number;
  height: number;
  /** How wide a box is. */
  box: number;
}

/** Where everything of the graph stands, from what is read on the left to what is written on the right.
 *
 *  Boxes become narrower, as far as they stay readable, so that four of them fit into the room that there is.
 */
export function draw(nodes: readonly GraphNode[], edges: readonly GraphEdge[], room: number): Drawing {
  const box = Math.max(NARROWEST, Math.min(WIDEST, Math.floor((room - 16 - (COLUMNS - 1) * GAP) / COLUMNS)));
  const graph = new Graph({ multigraph: false });
  graph.setGraph({ rankdir: "LR", nodesep: 20, ranksep: GAP, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { width: box, height: HEIGHT });
  const known = new Set(nodes.map(({ id }) => id));
  const real = edges.filter(({ from, to }) => known.has(from) && known.has(to) && from !== to);
  for (const { from, to } of real) graph.setEdge(from, to);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const place = (id: string): { x: number; y: number } => {
    const { x = 0, y = 0 } = graph.node(id) as { x?: number; y?: number };
    return { x, y };
  };
  const busy = new Map(nodes.map(({ id, rate }) => [id, (rate ?? 0) > 0]));
  return {
    nodes: nodes.map((node) => ({ node, x: place(node.id).x - box / 2, y: place(node.id).y - HEIGHT / 2 })),
    lines: real.map(({ from, to }) => {
      const { points = [] } = graph.edge(from, to) as { points?: { x: number; y: number }[] };
      // From the middle of a side to the middle of a side, so that several lines of a box begin at one point.
      const start = { x: place(from).x + box / 2, y: place(from).y };
      const end = { x: place(to).x - box / 2, y: place(to).y };
      return {
        id: `${from}→${to}`,
        path: curve([start, ...points.slice(1, -1), end]),
        busy: (busy.get(from) ?? false) && (busy.get(to) ?? false),
      };
    }),
    width,
    height,
    box,
  };
}

/** A smooth line through the points that the layout gives. */
function curve(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let path = `M${first.x} ${first.y}`;
  let last = first;
  for (const point of rest) {
    const middle = (last.x + point.x) / 2;
    path += `C${middle} ${last.y} ${middle} ${point.y} ${point.x} ${point.y}`;
    last = point;
  }
  return path;
}
