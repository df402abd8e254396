"use strict";

// Shows /asyncapi.json. Everything goes in as text nodes: nothing of the document is read as HTML.

/** An element with attributes and children; strings become text. */
function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** A sentence with its `code` parts. */
function sentence(text) {
  const parts = (text || "").split("`");
  return parts.map((part, i) => (i % 2 ? element("code", {}, part) : part));
}

/** What a JSON reference names, or the value itself. */
function resolved(api, value) {
  if (!value || !value.$ref) return value;
  return value.$ref.split("/").slice(1).reduce((at, key) => at[key], api);
}

/** The type of a schema in a few words. */
function typeOf(schema) {
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.filter((one) => one !== null).map((one) => JSON.stringify(one)).join(", ");
  const types = [schema.type || "any"].flat().filter((one) => one !== "null");
  return types.join(" or ");
}

/** The bounds of a schema in a few words. */
function boundsOf(schema) {
  const said = [];
  const between = (min, max, unit) => {
    if (min !== undefined && max !== undefined) said.push(`${min} to ${max}${unit}`);
    else if (min !== undefined) said.push(`at least ${min}${unit}`);
    else if (max !== undefined) said.push(`at most ${max}${unit}`);
  };
  if (schema.exclusiveMinimum !== undefined) said.push(`above ${schema.exclusiveMinimum}`);
  between(schema.minimum, schema.maximum, "");
  between(schema.minLength, schema.maxLength, " characters");
  between(schema.minItems, schema.maxItems, " items");
  return said.join(", ");
}

function fieldRows(api, payload) {
  const required = new Set(payload.required || []);
  return Object.entries(payload.properties).map(([name, property]) => {
    const schema = resolved(api, property);
    return element("tr", {},
      element("td", {}, element("code", {}, name), required.has(name) ? "" : element("i", {}, " optional")),
      element("td", {}, typeOf(schema)),
      element("td", {}, boundsOf(schema)),
      element("td", {}, ...sentence(schema.description)));
  });
}

function table(headings, rows) {
  return element("table", {},
    element("thead", {}, element("tr", {}, ...headings.map((one) => element("th", {}, one)))),
    element("tbody", {}, ...rows));
}

/** One of several fields must be there: says so, when the payload has such a rule. */
function alternatives(payload) {
  if (!payload.anyOf) return "";
  const names = payload.anyOf.map((one) => one.required.join(" and "));
  return element("p", {}, "One of these is needed: ", ...sentence(names.map((name) => `\`${name}\``).join(", ")), ".");
}

function message(api, reference) {
  const id = reference.$ref.split("/").pop();
  const found = resolved(api, resolved(api, reference));
  return element("section", { id, class: "message" },
    element("h3", {}, element("code", {}, found.name), ` ${found.title}`),
    element("p", {}, ...sentence(found.summary)),
    table(["Field", "Type", "Bounds", ""], fieldRows(api, found.payload)),
    alternatives(found.payload),
    ...found.examples.map((one) => element("pre", {}, JSON.stringify(one.payload, null, 2))));
}

function operation(api, { summary, messages }) {
  const links = messages.map((one) => {
    const id = one.$ref.split("/").pop();
    return element("a", { href: `#${id}` }, element("code", {}, resolved(api, resolved(api, one)).name));
  });
  return [element("h2", {}, summary), element("p", { class: "links" }, ...links),
    ...messages.map((one) => message(api, one))];
}

function handshake(channel) {
  const { query, headers } = channel.bindings.ws;
  const rows = Object.entries({ ...headers.properties, ...query.properties }).map(([name, one]) =>
    element("tr", {},
      element("td", {}, element("code", {}, name in query.properties ? `?${name}=` : name)),
      element("td", {}, ...sentence(one.description))));
  return [element("h2", {}, "The handshake"), element("p", {}, ...sentence(channel.description)),
    table(["Where a token goes", ""], rows)];
}

function closes(channel) {
  const rows = channel["x-close-codes"].map(({ code, reasons, description }) =>
    element("tr", {},
      element("td", {}, element("code", {}, String(code))),
      element("td", {}, ...sentence(reasons.map((one) => `\`${one}\``).join(", "))),
      element("td", {}, ...sentence(description))));
  return [element("h2", {}, "How a socket is closed"), table(["Code", "Reason", ""], rows)];
}

function show(api) {
  const channel = api.channels.chat;
  const address = `${api.servers.gateway.protocol}://${window.location.host}${channel.address}`;
  document.getElementById("api").append(
    element("h1", {}, `${api.info.title} `, element("small", {}, api.info.version)),
    element("p", {}, element("code", {}, address), " · ", element("a", { href: "/asyncapi.json" }, "AsyncAPI document")),
    element("p", {}, ...sentence(api.info.description)),
    ...handshake(channel),
    ...Object.values(api.operations).flatMap((one) => operation(api, one)),
    ...closes(channel));
  // The browser looked for the part of the address behind # before it was there.
  const id = window.location.hash.slice(1);
  if (id) document.getElementById(id)?.scrollIntoView();
}

fetch("/asyncapi.json")
  .then((answer) => {
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    return answer.json();
  })
  .then(show)
  .catch((fault) => {
    document.getElementById("api").append(
      element("p", { role: "alert" }, `/asyncapi.json could not be shown (${fault.message}); load this page again.`));
  });
