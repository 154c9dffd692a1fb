// The middle of the inbox: what the person and the teammate wrote.

import { api } from "./api.js";
import { clock, dayAndTime } from "./dates.js";
import { el, say } from "./dom.js";
import { avatar } from "./inbox.js";

export function conversation(pane, person) {
  const began = new Date(person.conversation[0].at * 1000);
  pane.replaceChildren(
    el(
      "header",
      { class: "pane-head" },
      el("h2", {}, person.name),
      el("p", { class: "muted" }, `${person.topic} · ${person.channel}`),
    ),
    el(
      "div",
      { class: "talk scroll", tabIndex: 0, role: "log", "aria-label": `Conversation with ${person.name}` },
      el("p", { class: "day" }, dayAndTime(began)),
      ...person.conversation.map((part) => bubble(part, person)),
    ),
    el("footer", { class: "backstage" }, el("h3", {}, "Behind the scenes"), el("p", {}, `${person.comes_back} ${person.cure}`), repair(person)),
  );
}

// Some messages wait for an admin: here the desk plays that part.
function repair(person) {
  if (!person.admin_cures) return null;
  const done = async (event) => {
    await api.cure(person.id);
    event.target.replaceWith(el("p", { class: "good" }, "Repaired. Sent again, it arrives."));
    say("Repaired");
  };
  return el("button", { type: "button", class: "plain", onclick: done }, "Play the admin: repair it");
}

function bubble(part, person) {
  const own = part.from === "teammate";
  const who = own ? "Ana Kos" : person.name;
  return el(
    "div",
    { class: `turn ${own ? "turn-own" : ""}` },
    own ? null : avatar(person.name, person.place),
    el(
      "div",
      {},
      el("p", { class: "bubble" }, part.text),
      el("p", { class: "stamp" }, `${who} · ${clock(new Date(part.at * 1000))}`),
    ),
  );
}
