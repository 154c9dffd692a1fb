// The Intercom surface: the sidebar of a conversation with our card in it.

import { api } from "./api.js";
import { Undrawable, draw, values } from "./canvas_kit.js";
import { conversation } from "./conversation.js";
import { el, say } from "./dom.js";

const FAILED = "Something went wrong";

export const intercom = { id: "intercom", title: "Intercom", open };

/** Show the conversation, and ask the app for the first canvas; `wire` is told of everything. */
async function open({ middle, side }, person, wire) {
  conversation(middle, person);
  await load(side, person, wire);
}

async function load(pane, person, wire) {
  const body = el("div", { class: "canvas", tabIndex: -1, "aria-live": "polite" });
  pane.replaceChildren(profile(person), el("section", { class: "app", "aria-label": "Redeliver" }, appHead(), body));
  const card = { body, person, wire, canvas: null, isFirst: true };
  await exchange(card, () => api.initialize(person.id), null);
}

function profile({ name, channel, contact }) {
  const facts = [
    ["Phone", contact.phone ?? "No number"],
    ["Email", contact.email],
    ["Channel", channel],
  ];
  return el(
    "section",
    { class: "profile", "aria-label": "Contact" },
    el("h2", {}, name),
    el("dl", {}, ...facts.map(([field, value]) => el("div", {}, el("dt", {}, field), el("dd", {}, value)))),
  );
}

function appHead() {
  return el("h3", { class: "app-head" }, el("img", { src: "/desk/icon.svg", alt: "", width: 18, height: 18 }), "Redeliver");
}

async function exchange(card, ask, clicked) {
  card.body.setAttribute("aria-busy", "true");
  for (const control of card.body.querySelectorAll("button, input, textarea, select")) control.disabled = true;
  const answer = await ask().catch((error) => ({ error: error.message, response: null, ms: 0, request: null }));
  if (!card.body.isConnected) return;
  card.body.removeAttribute("aria-busy");
  if (answer.request) card.wire.exchange(answer);
  show(card, answer, clicked);
}

function show(card, answer, clicked) {
  const hadFocus = card.body.contains(document.activeElement) || document.activeElement === document.body;
  try {
    card.canvas = canvasOf(answer);
    card.body.replaceChildren(draw(card.canvas.content.components, (id) => press(card, id)));
    card.wire.drawn({ canvas: card.canvas, height: card.body.firstChild.offsetHeight, isFirst: card.isFirst });
  } catch (error) {
    if (!(error instanceof Undrawable)) throw error;
    card.body.replaceChildren(failure(card, error.message));
  }
  if (clicked && hadFocus) restoreFocus(card.body, clicked);
  if (clicked) say(card.body.querySelector(".ck-text")?.textContent ?? FAILED);
}

function canvasOf({ response, error }) {
  if (!response) throw new Undrawable(error);
  if (response.status !== 200) throw new Undrawable(`The app answered ${response.status}.`);
  let canvas;
  try {
    canvas = JSON.parse(response.body).canvas;
  } catch {
    throw new Undrawable("The app's answer is not JSON.");
  }
  if (!Array.isArray(canvas?.content?.components)) throw new Undrawable("The answer holds no canvas.");
  return canvas;
}

// Intercom shows its own words for any answer it cannot draw; the desk adds why.
function failure(card, why) {
  const again = { type: "button", class: "ck-button ck-secondary", onclick: () => load(card.body.closest(".pane"), card.person, card.wire) };
  return el("div", { class: "ck" }, el("p", { class: "ck-text ck-muted" }, FAILED), el("p", { class: "why" }, why), el("button", again, "Load again"));
}

function press(card, id) {
  if (card.body.hasAttribute("aria-busy")) return;
  card.isFirst = false;
  const click = { component_id: id, input_values: values(card.body), current_canvas: card.canvas };
  card.body.querySelector(`[data-component="${CSS.escape(id)}"]`)?.classList.add("ck-pressed");
  exchange(card, () => api.submit(card.person.id, click), id);
}

function restoreFocus(body, id) {
  const same = body.querySelector(`[data-component="${CSS.escape(id)}"]:not(:disabled)`);
  const fieldInError = body.querySelector("[aria-invalid]");
  (fieldInError ?? same ?? body).focus();
}
