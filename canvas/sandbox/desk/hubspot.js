// The HubSpot surface: the contact's record with its timeline, and the real React card in a worker.

import { api } from "./api.js";
import { el } from "./dom.js";

export const hubspot = { id: "hubspot", title: "HubSpot", open, close };

let leave = () => undefined;
let turn = 0;

async function open({ middle, side }, person, wire) {
  const mine = ++turn;
  middle.replaceChildren(el("p", { class: "nothing padded" }, "Making the card…"));
  side.replaceChildren();
  const found = await stage(person).catch((error) => ({ trouble: error.message }));
  if (mine !== turn) return;
  if (found.trouble) middle.replaceChildren(el("p", { class: "nothing padded" }, found.trouble));
  else mount({ middle, side }, found, person, wire);
}

// The bundle is made on the first look, which can take a while on a fresh clone.
async function stage(person) {
  const { trouble, record } = await api.hubspotRecord(person.id);
  return trouble ? { trouble } : { record, page: await import("/api/hubspot/bundle/page.js") };
}

function mount({ middle, side }, { record, page }, person, wire) {
  const left = el("div", { class: "hs-place" });
  const right = el("div", { class: "hs-place" });
  middle.replaceChildren(left);
  side.replaceChildren(right);
  page.mount(left, right, { record, name: person.name, onExchange: wire.exchange });
  leave = () => page.unmount(left, right);
}

function close() {
  turn += 1;
  leave();
  leave = () => undefined;
}
