// Makes a job's variables of input mappings as the cluster does: {inputs: [[target, source], …], variables} in.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { evaluate } = createRequire(`${process.argv[2]}/`)("feelin");
const { inputs, variables } = JSON.parse(readFileSync(0, "utf8"));
const local = {};
for (const [target, source] of inputs) {
  const names = { ...variables, ...local };
  const value = source === "" ? null : source.startsWith("=") ? evaluate(source.slice(1), names).value : source;
  const path = target.split(".");
  const last = path.pop();
  let place = local;
  for (const name of path) place = place[name] ??= {};
  place[last] = value ?? null;
}
process.stdout.write(JSON.stringify(local));
