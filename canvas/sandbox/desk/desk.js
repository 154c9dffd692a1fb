// Joins the panes: inbox, conversation, the chosen surface's card, and the wire.

import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { hubspot } from "./hubspot.js";
import { inbox } from "./inbox.js";
import { intercom } from "./intercom.js";
import { tabs } from "./tabs.js";
import { theme } from "./theme.js";
import { weather } from "./weather.js";
import { wire } from "./wire.js";

const SURFACES = [intercom, hubspot];
const AGAIN = 500;

const desk = byId("desk");
const places = { middle: byId("conversation"), side: byId("card") };
const cable = wire(byId("wire-tabs"), byId("wire-panel"));
let surface = SURFACES[0];
let shown = null;
let chosen = null;

function showPane(name) {
  desk.dataset.pane = name;
  for (const button of document.querySelectorAll(".panes button")) {
    button.setAttribute("aria-pressed", String(button.dataset.pane === name));
  }
}

function go(person) {
  location.hash = `#/${surface.id}/${person.id}`;
}

function open(person, mark) {
  chosen = person;
  document.title = `${person.name} · Redeliver desk`;
  mark(person);
  cable.person(person);
  shown?.close?.();
  shown = surface;
  surface.open(places, person, cable);
}

function fromAddress(everybody) {
  const [, where, who] = location.hash.split("/");
  surface = SURFACES.find((one) => one.id === where) ?? surface;
  return everybody.find((person) => person.id === who) ?? everybody[0];
}

// The desk is up some seconds before the app it shows.
async function appStarted(place) {
  while (!(await api.started().catch(() => false))) {
    if (!place.hasChildNodes()) place.append(el("p", { class: "nothing padded", role: "status" }, "The app is still starting…"));
    await new Promise((done) => setTimeout(done, AGAIN));
  }
  place.replaceChildren();
}

async function start() {
  theme(byId("theme"));
  weather(byId("weather"));
  for (const button of document.querySelectorAll(".panes button")) {
    button.addEventListener("click", () => showPane(button.dataset.pane));
  }
  showPane("card");

  const groups = await api.people();
  const everybody = groups.flatMap((group) => group.people);
  everybody.forEach((person, place) => Object.assign(person, { place }));
  const mark = inbox(byId("people"), byId("search"), groups, (person) => {
    showPane("card");
    if (person === chosen) open(person, mark);
    else go(person);
  });
  const selectSurface = tabs(byId("surfaces"), SURFACES, (id) => {
    if (id === surface.id) return;
    surface = SURFACES.find((one) => one.id === id);
    if (chosen) go(chosen);
  }, places.side);
  const follow = () => {
    const person = fromAddress(everybody);
    selectSurface(surface.id);
    open(person, mark);
  };
  await appStarted(places.side);
  window.addEventListener("hashchange", follow);
  follow();
}

start();
