// Applies templates to a service task, fills fields in, and lints: [{template, values}, …] in, [{xml, found}, …] out.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const require = createRequire(`${folder}/`);
const load = (name) => import(pathToFileURL(`${folder}/node_modules/${name}`).href);
const { applyTemplate } = await load("element-templates-cli/dist/index.js");
const { BpmnModdle } = await load("bpmn-moddle/dist/index.js");
const { Linter } = require("bpmnlint");
const NodeResolver = require("bpmnlint/lib/resolver/node-resolver");
const zeebe = JSON.parse(readFileSync(`${folder}/node_modules/zeebe-bpmn-moddle/resources/zeebe.json`, "utf8"));
const DIAGRAM = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="d" targetNamespace="http://bpmn.io/schema/bpmn" modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.8.0">
  <bpmn:process id="story" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="task"/>
    <bpmn:task id="task" name="Ask"><bpmn:incoming>a</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing></bpmn:task>
    <bpmn:sequenceFlow id="b" sourceRef="task" targetRef="end"/>
    <bpmn:endEvent id="end"><bpmn:incoming>b</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
  <bpmndi:BPMNDiagram id="p"><bpmndi:BPMNPlane id="q" bpmnElement="story">
    <bpmndi:BPMNShape id="s1" bpmnElement="start"><dc:Bounds x="100" y="100" width="36" height="36"/></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="s2" bpmnElement="task"><dc:Bounds x="200" y="80" width="100" height="80"/></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="s3" bpmnElement="end"><dc:Bounds x="400" y="100" width="36" height="36"/></bpmndi:BPMNShape>
    <bpmndi:BPMNEdge id="e1" bpmnElement="a"><di:waypoint x="136" y="118"/><di:waypoint x="200" y="118"/></bpmndi:BPMNEdge>
    <bpmndi:BPMNEdge id="e2" bpmnElement="b"><di:waypoint x="300" y="118"/><di:waypoint x="400" y="118"/></bpmndi:BPMNEdge>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>`;
const linter = new Linter({
  config: { extends: ["plugin:camunda-compat/camunda-cloud-8-8"] },
  resolver: new NodeResolver({ require }),
});
const found = [];
for (const { template, values } of JSON.parse(readFileSync(0, "utf8"))) {
  const filled = structuredClone(template);
  for (const property of filled.properties) if (property.id in values) property.value = values[property.id];
  const xml = await applyTemplate(DIAGRAM, JSON.stringify(filled), "task");
  const { rootElement } = await new BpmnModdle({ zeebe }).fromXML(xml);
  const results = await linter.lint(rootElement);
  const said = Object.entries(results).flatMap(([rule, all]) => all.map((one) => `${rule}: ${one.id}: ${one.message}`));
  const task = rootElement.rootElements[0].flowElements.find((one) => one.id === "task");
  const extensions = task.extensionElements.values;
  const of = (type) => extensions.find((one) => one.$type === type);
  found.push({
    said,
    kind: task.$type,
    type: of("zeebe:TaskDefinition")?.type,
    retries: of("zeebe:TaskDefinition")?.retries,
    template: [task.modelerTemplate ?? task.get("zeebe:modelerTemplate"), task.get("zeebe:modelerTemplateVersion")],
    inputs: (of("zeebe:IoMapping")?.inputParameters ?? []).map((one) => [one.target, one.source ?? ""]),
    headers: Object.fromEntries((of("zeebe:TaskHeaders")?.values ?? []).map((one) => [one.key, one.value])),
  });
}
process.stdout.write(JSON.stringify(found));
