// The component for Prismatic: what it offers is in actions.json, beside this file; `openai-connector` wrote both.
"use strict";
const { createHash } = require("node:crypto");
const { action, component, connection, input, util } = require("@prismatic-io/spectral");
const http = require("@prismatic-io/spectral/dist/clients/http");
const described = require("./actions.json");

const isGiven = (value) => value !== undefined && value !== null && value !== "";
const FITS = {
  array: Array.isArray,
  boolean: (value) => typeof value === "boolean",
  integer: Number.isInteger,
  number: (value) => typeof value === "number",
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

/** Returns an input's value as one of the types that its field takes; the designer gives most of them as text. */
function read(name, types, value) {
  if (typeof value !== "string" || types.includes("file")) return value;
  const others = types.filter((type) => type !== "string");
  if (others.length) {
    try {
      const parsed = JSON.parse(value);
      if (others.some((type) => FITS[type](parsed))) return parsed;
    } catch {
      // No JSON: a text, where one is allowed.
    }
  }
  if (types.includes("string")) return value;
  throw new Error(`${name}: ${JSON.stringify(value.slice(0, 100))} was given; allowed: ${types.join(" or ")}`);
}

/** Returns the parts of a request, by where each input's value goes. */
function fill(sends, given) {
  const request = { path: {}, query: {}, payload: {}, files: {}, options: {} };
  for (const [name, { to, types }] of Object.entries(sends)) {
    if (!isGiven(given[name])) continue;
    const section = types.includes("file") && to[0] === "payload" ? "files" : to[0];
    request[section][to[1]] = read(name, types, given[name]);
  }
  return request;
}

/** Adds a value to a form as the API reads it: members as name[key], items as name[]. */
function append(form, name, value) {
  if (Array.isArray(value)) for (const one of value) append(form, `${name}[]`, one);
  else if (FITS.object(value)) for (const [key, one] of Object.entries(value)) append(form, `${name}[${key}]`, one);
  else form.append(name, String(value));
}

function toForm({ payload, files, options }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(payload)) append(form, name, value);
  for (const [name, value] of Object.entries(files)) {
    const { data, contentType } = util.types.toBufferDataPayload(value);
    form.append(name, new Blob([data], { type: contentType }), options[`${name} file name`] ?? name);
  }
  return form;
}

function authorize({ fields }) {
  const organization = util.types.toString(fields.organization);
  return {
    Authorization: `Bearer ${util.types.toString(fields.apiKey)}`,
    ...(organization ? { "OpenAI-Organization": organization } : {}),
  };
}

const baseUrl = ({ fields }) => (util.types.toString(fields.baseUrl) || described.server).replace(/\/+$/, "");
const connectionInput = input({ label: "Connection", type: "connection", required: true });

function build({ label, description, inputs, sends, method, path, query, headers, body, answer }) {
  return action({
    display: { label, description },
    inputs: {
      connection: connectionInput,
      ...Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, input(one)])),
    },
    perform: async (_context, { connection: used, ...given }) => {
      const request = fill(sends, given);
      const url = path.replace(/\{([^{}]+)\}/g, (_whole, name) => {
        if (!isGiven(request.path[name])) throw new Error(`${name}: nothing was given; it is part of the path ${path}`);
        return encodeURIComponent(request.path[name]);
      });
      const asForm = body.includes("multipart") && (!body.includes("json") || Object.keys(request.files).length > 0);
      const client = http.createClient({
        baseUrl: baseUrl(used),
        headers: { ...headers, ...authorize(used) },
        params: { ...query, ...request.query },
        timeout: request.options.timeout,
        responseType: answer === "binary" ? "arraybuffer" : answer,
      });
      const data = asForm ? toForm(request) : body.length > 0 ? request.payload : undefined;
      const response = await client.request({ method, url, data });
      if (answer !== "binary") return { data: response.data };
      return { data: Buffer.from(response.data), contentType: response.headers["content-type"] };
    },
  });
}

const rawRequest = action({
  display: { label: "Raw Request", description: "Send any request to the API" },
  inputs: { connection: connectionInput, ...http.inputs },
  perform: async (context, { connection: used, debugRequest, ...values }) => {
    // Spectral's own log has the key in it.
    if (debugRequest) context.logger.info("request", util.types.toJSON({ ...values, baseUrl: baseUrl(used) }, true));
    if (/^[a-z]+:/i.test(values.url) && !values.url.startsWith(`${baseUrl(used)}/`)) {
      throw new Error(`url: ${values.url} is elsewhere, and the key is not sent there; give a path below ${baseUrl(used)}`);
    }
    const { data } = await http.sendRawRequest(baseUrl(used), values, authorize(used));
    return { data };
  },
});

const LOOK_MS = 1000;
const STEP_SECONDS = 30;

/** Returns the key by which a repeat of a step is known: its execution, its place there, and what it publishes. */
function keyOf({ executionId, stepId, executionFrame }, outgoing, document) {
  const parts = [executionId, stepId, executionFrame?.loopPath ?? "", outgoing, document];
  return `prismatic-${createHash("sha256").update(JSON.stringify(parts)).digest("hex")}`;
}

const publishDocument = action({
  display: { label: "Publish Document", description: "Publish a document by a connection; a repeated step pays once" },
  inputs: {
    connection: connectionInput,
    outgoing: input({
      label: "Outgoing connection", type: "string", required: true,
      comments: "The name that the connection has in connector.yaml.",
    }),
    document: input({ label: "Document", type: "code", language: "json", required: true }),
    key: input({
      label: "Idempotency key", type: "string", required: false,
      comments: "What makes repeats one call, such as an order's number. Left empty: this step of this execution.",
    }),
    timeout: input({
      label: "Timeout (s)", type: "string", required: false, default: "300",
      comments: "Seconds that the step waits for the end; the call goes on.",
    }),
  },
  perform: async (context, { connection: used, outgoing, document, key, timeout }) => {
    if (used.key !== "studio") throw new Error("connection: a connection of the kind Studio Token is expected");
    const asked = read("document", ["array", "boolean", "integer", "number", "object", "string"], document);
    const until = Date.now() + read("timeout", ["number"], timeout) * 1000;
    const client = http.createClient({
      baseUrl: `${baseUrl(used)}/api/v1`, headers: { Authorization: `Bearer ${util.types.toString(used.fields.token)}` },
    });
    const path = `/outgoing/${encodeURIComponent(outgoing)}`;
    let answer = await client.post(
      `${path}/publish`, { document: asked },
      { headers: { "Idempotency-Key": key || keyOf(context, outgoing, asked), Prefer: `wait=${STEP_SECONDS}` } },
    );
    while (answer.status === 202) {
      if (Date.now() >= until) throw new Error(`task ${answer.data.task} is under way; repeat the step to wait on`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      answer = await client.get(`${path}/published/${answer.data.task}`);
    }
    const { state, task, reason } = answer.data;
    if (state === "finished") return { data: answer.data };
    const meant = state === "unknown" ? "it may have taken effect, and is not repeated: a person decides" : reason;
    throw new Error(`task ${task}: ${state}: ${meant}`);
  },
});

const studio = connection({
  key: "studio",
  display: { label: "Studio Token", description: "A token of a studio, whose role is operator or editor" },
  inputs: {
    token: { label: "Token", type: "password", required: true, comments: "A token of the studio." },
    baseUrl: { label: "Base URL", type: "string", required: true, comments: "The address of the studio." },
  },
});

const apiKey = connection({
  key: "apiKey",
  display: { label: "OpenAI API Key", description: "A key of the API, or a token of a gateway" },
  inputs: {
    apiKey: { label: "API Key", type: "password", required: true, comments: "A key of the API, or a token of a gateway." },
    organization: {
      label: "Organization", type: "string", required: false,
      comments: "Your organization's ID. If you have just one organization, this value is optional.",
    },
    baseUrl: {
      label: "Base URL", type: "string", required: false, default: described.server,
      comments: "The address of the API, or of a gateway before it.",
    },
  },
});

module.exports = component({
  key: "openai-connector",
  public: false,
  display: {
    label: "OpenAI", category: "Application Connectors", iconPath: "icon.png",
    description: "Operations of the OpenAI API, as openai-connector knows them",
  },
  hooks: { error: http.handleErrors },
  connections: [apiKey, studio],
  actions: {
    ...Object.fromEntries(Object.entries(described.actions).map(([key, one]) => [key, build(one)])),
    rawRequest,
    publishDocument,
  },
});
module.exports.default = module.exports;
