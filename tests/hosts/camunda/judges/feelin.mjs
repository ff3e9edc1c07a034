// Evaluates expressions with feelin: [[expression, variables], …] in, [{value} or {fault}, …] out.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/`);
const { evaluate } = await import(pathToFileURL(require.resolve("feelin")).href).catch(() => require("feelin"));
const error = (errorType, names) => (...given) => ({ errorType, ...Object.fromEntries(names.map((name, at) => [name, given[at]])) });
const found = JSON.parse(readFileSync(0, "utf8")).map(([text, variables]) => {
  try {
    const { value } = evaluate(text, {
      bpmnError: error("bpmnError", ["code", "message", "variables"]),
      jobError: error("jobError", ["message", "variables", "retries", "retryBackoff"]),
      ...variables,
    });
    return { value: value ?? null };
  } catch (fault) {
    return { fault: String(fault.message) };
  }
});
process.stdout.write(JSON.stringify(found));
