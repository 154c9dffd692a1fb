// JSON with quiet colours. Escapes stay as they were sent where the text is shown raw.

import { el } from "./dom.js";

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A <pre> with `text` laid out when it is JSON, as it is when it is not. */
export function jsonView(text) {
  const pre = el("pre", { class: "json" });
  let pretty = text;
  try {
    pretty = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    pre.append(text || "(empty)");
    return pre;
  }
  let last = 0;
  for (const found of pretty.matchAll(TOKEN)) {
    const [all, string, colon] = found;
    const kind = string ? (colon ? "key" : "string") : "atom";
    pre.append(pretty.slice(last, found.index), el("span", { class: `json-${kind}` }, string ?? all), colon ?? "");
    last = found.index + all.length;
  }
  pre.append(pretty.slice(last));
  return pre;
}
