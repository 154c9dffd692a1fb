// The panel that shows what crosses the wire: request, answer, measures, and what Octopods received.

import { api } from "./api.js";
import { CONTENT_BYTES, FIRST_HEIGHT, bytes, complaints } from "./canvas_rules.js";
import { clock } from "./dates.js";
import { el } from "./dom.js";
import { jsonView } from "./json_view.js";
import { tabs } from "./tabs.js";

const TABS = [
  { id: "octopods", title: "Octopods" },
  { id: "request", title: "Request" },
  { id: "response", title: "Response" },
  { id: "measure", title: "Measure" },
];
const SECOND = 1000;
const NEWEST = 80;

export function wire(list, panel) {
  const state = { tab: "octopods", exchange: null, drawn: null, person: null, log: { entries: [], taken: {} }, checks: false };
  state.showChecks = (wanted) => ((state.checks = wanted), poll());
  const draw = () => panel.replaceChildren(...DRAW[state.tab](state));
  const poll = async () => {
    if (state.tab !== "octopods" || document.hidden || !panel.checkVisibility()) return;
    const log = await api.log(NEWEST, state.checks).catch(() => state.log);
    if (JSON.stringify(log) === JSON.stringify(state.log)) return;
    state.log = log;
    draw();
  };
  const select = tabs(list, TABS, (id) => ((state.tab = id), draw(), poll()), panel);
  select("octopods");
  setInterval(poll, SECOND);
  return {
    person: (person) => ((state.person = person), (state.exchange = state.drawn = null), draw()),
    exchange: (exchange) => ((state.exchange = exchange), draw(), poll()),
    drawn: (drawn) => ((state.drawn = drawn), draw()),
  };
}

const DRAW = {
  request: ({ exchange }) => (exchange ? requestView(exchange) : [nothing("No request yet.")]),
  response: ({ exchange }) => (exchange ? responseView(exchange) : [nothing("No answer yet.")]),
  measure: ({ drawn }) => (drawn ? measureView(drawn) : [nothing("Nothing is drawn yet.")]),
  octopods: octopodsView,
};

function nothing(words) {
  return el("p", { class: "nothing" }, words);
}

function fact(name, value) {
  return el("div", { class: "fact" }, el("dt", {}, name), el("dd", {}, value));
}

function requestView({ request }) {
  const headers = Object.entries(request.headers).map(([name, value]) => fact(name, value));
  return [el("p", { class: "line" }, el("strong", {}, "POST "), request.url), el("dl", { class: "facts" }, ...headers), jsonView(request.body)];
}

function responseView({ response, error, ms }) {
  if (!response) return [el("p", { class: "line bad" }, `No answer after ${ms} ms`), nothing(error)];
  const tone = response.status === 200 ? "good" : "bad";
  return [el("p", { class: `line ${tone}` }, `${response.status} in ${ms} ms`), jsonView(response.body)];
}

function measureView({ canvas, height, isFirst }) {
  const wrong = complaints(canvas, height, isFirst);
  const verdict = wrong.length ? wrong.map((words) => el("li", { class: "bad" }, words)) : [el("li", { class: "good" }, "Nothing Intercom would refuse.")];
  return [
    gauge("Height", height, isFirst ? FIRST_HEIGHT : null, "px", isFirst ? "first canvas" : "later canvas, no limit"),
    gauge("Content", bytes(canvas.content), CONTENT_BYTES, "bytes", "UTF-8, compact"),
    gauge("Stored data", bytes(canvas.stored_data ?? null), CONTENT_BYTES, "bytes", "counted apart"),
    gauge("Components", canvas.content.components.length, null, "", "no stated limit"),
    el("h3", {}, "Checks"),
    el("ul", { class: "checks" }, ...verdict),
  ];
}

function gauge(name, value, most, unit, note) {
  const words = `${value.toLocaleString("en-US")}${most ? ` of ${most.toLocaleString("en-US")}` : ""} ${unit}`;
  const meter = most ? el("meter", { min: 0, max: most, high: most * 0.9, value: Math.min(value, most), "aria-label": name }) : null;
  return el("div", { class: "gauge" }, el("p", {}, el("strong", {}, name), el("span", {}, words)), meter, el("p", { class: "muted" }, note));
}

function octopodsView({ log: { entries, taken }, person, checks, showChecks }) {
  const all = Object.values(taken).reduce((sum, sends) => sum + sends, 0);
  const mine = person ? (taken[person.phone] ?? 0) : all;
  const what = `message${mine === 1 ? "" : "s"}${person ? ` to ${person.name}` : ""}`;
  return [
    el("p", { class: "tally", "data-sends": mine }, el("strong", {}, String(mine)), ` ${what} · ${all} in all`),
    el("label", { class: "option" }, el("input", { type: "checkbox", checked: checks, onchange: (event) => showChecks(event.target.checked) }), " Status checks too"),
    entries.length ? el("ol", { class: "log", reversed: true }, ...entries.toReversed().map((entry) => logLine(entry, person))) : nothing("Octopods received nothing yet."),
  ];
}

const CHANNELS = { whatsapp: "WhatsApp", sms: "SMS", vbm: "Viber" };

function told({ method, path, body }) {
  const [channel, what, number] = path.replace("/api/v1/", "").split("/");
  const name = CHANNELS[channel] ?? channel;
  if (method === "POST") return `${name} to ${body?.destination_phone ?? "no number"}`;
  return number ? `Status of ${name} ${number}` : `${name} ${what}`;
}

function logLine(entry, person) {
  const tone = entry.accepted ? "good" : entry.method === "GET" ? "" : "bad";
  const result = entry.fault ?? (entry.accepted ? `✓ ${entry.id}` : String(entry.status ?? "…"));
  const detail = entry.method === "GET" ? null : jsonView(JSON.stringify(entry.body));
  const mine = person && entry.body?.destination_phone === person.phone;
  return el(
    "li",
    { class: mine ? "mine" : "" },
    el(
      "details",
      {},
      el(
        "summary",
        {},
        el("span", { class: "log-time" }, clock(new Date(entry.at))),
        el("span", { class: "log-words" }, told(entry)),
        el("span", { class: `log-result ${tone}` }, result),
      ),
      el("p", { class: "muted" }, `${entry.method} ${entry.path}`),
      detail,
      jsonView(typeof entry.answer === "string" ? entry.answer : JSON.stringify(entry.answer)),
    ),
  );
}
