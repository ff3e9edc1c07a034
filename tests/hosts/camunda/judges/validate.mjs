// Prints what the published schema of element templates says against templates: [{name, errors, warnings}].
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[2]}/`);
const { validateZeebe } = require("@bpmn-io/element-templates-validator");
const templates = JSON.parse(readFileSync(0, "utf8"));
const texts = (found) => (found ?? []).map((one) => one.message);
const found = templates.map((template) => {
  const { valid, errors, warnings } = validateZeebe(template);
  return { name: template.id, valid, errors: texts(errors), warnings: texts(warnings) };
});
process.stdout.write(JSON.stringify(found));
