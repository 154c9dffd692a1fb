// The Markdown of a Canvas Kit text: bold and links, nothing else; a backslash makes a character plain.

import { el } from "./dom.js";

const TOKEN = /\\([\\`*_{}[\]()#+\-.!])|\*\*(.+?)\*\*|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/g;

export function markdown(source) {
  const nodes = [];
  let last = 0;
  for (const found of source.matchAll(TOKEN)) {
    nodes.push(source.slice(last, found.index), piece(found));
    last = found.index + found[0].length;
  }
  nodes.push(source.slice(last));
  return nodes.filter((node) => node !== "");
}

function piece([, plain, bold, label, href]) {
  if (plain) return plain;
  if (bold) return el("strong", {}, markdown(bold));
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, markdown(label));
}
