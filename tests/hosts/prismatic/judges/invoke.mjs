// Invokes actions of a component through Spectral's harness: {package, calls: [{action, params, connection, context}, …]} in.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[2]}/`);
const { createHarness } = require("@prismatic-io/spectral/dist/testing.js");
const { package: folder, calls } = JSON.parse(readFileSync(0, "utf8"));
const component = require(`${folder}/index.js`);
const harness = createHarness(component);
const quiet = { info() {}, debug() {}, warn() {}, error() {}, trace() {}, log() {}, metric() {} };
const logged = [];
const logger = { ...quiet, info: (...told) => logged.push(told.join(" ")) };
const results = [];
for (const { action, params, connection: [key, fields], context } of calls) {
  const connection = { key, configVarKey: "", fields };
  try {
    results.push({ result: await harness.action(action, { ...params, connection }, { ...context, logger }) });
  } catch (error) {
    results.push({ error: { message: error.message, status: error.status, data: error.data } });
  }
}
const show = ({ key, label, type, required, default: first, model }) => ({ key, label, type, required, first: first ?? null, model });
const actions = Object.fromEntries(
  Object.entries(component.actions).map(([key, one]) => [key, { label: one.display.label, inputs: one.inputs.map(show) }]),
);
const connections = component.connections.map(({ key, inputs }) => ({ key, inputs: inputs.map(show) }));
process.stdout.write(JSON.stringify({ results, actions, connections, logged }));
