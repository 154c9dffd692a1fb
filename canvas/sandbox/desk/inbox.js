// The list of conversations: grouped, searchable, one tab stop, arrow keys and Enter.

import { el, say } from "./dom.js";

export function avatar(name, place) {
  const initials = name.split(" ").map((word) => word[0]).join("");
  const node = el("span", { class: "avatar", "aria-hidden": "true" }, initials);
  node.style.setProperty("--hue", String((place * 47) % 360));
  return node;
}

/** Draw `groups` into `pane`; `open(person)` runs when one is chosen. Returns `mark(person)`. */
export function inbox(pane, search, groups, open) {
  pane.replaceChildren(...groups.map((group) => section(group, open)));
  const rows = () => [...pane.querySelectorAll("button:not([hidden])")];
  search.addEventListener("input", () => filter(pane, search.value));
  search.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || !rows().length) return;
    event.preventDefault();
    focusRow(rows(), 0);
  });
  pane.addEventListener("keydown", (event) => move(rows(), event));
  return (person) => mark(pane, person);
}

function section(group, open) {
  const rows = group.people.map((person) => el("li", {}, row(person, open)));
  const title = el("h2", { id: `group-${group.title.replace(/\W+/g, "-")}` }, group.title, el("span", {}, String(rows.length)));
  return el("section", { class: "group", "aria-labelledby": title.id }, title, el("ul", {}, ...rows));
}

function row(person, open) {
  return el(
    "button",
    { type: "button", class: "person", "data-person": person.id, tabIndex: -1, onclick: () => open(person) },
    avatar(person.name, person.place),
    el(
      "span",
      { class: "person-words" },
      el("span", { class: "person-top" }, el("span", { class: "person-name" }, person.name), el("span", { class: "channel" }, person.channel)),
      el("span", { class: "person-trouble" }, person.trouble),
    ),
  );
}

function filter(pane, wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  let left = 0;
  for (const group of pane.querySelectorAll(".group")) {
    const rows = [...group.querySelectorAll(".person")];
    for (const one of rows) {
      const text = `${one.textContent} ${one.dataset.person}`.toLowerCase();
      one.hidden = one.parentElement.hidden = !words.every((word) => text.includes(word));
    }
    const shown = rows.filter((one) => !one.hidden).length;
    group.hidden = shown === 0;
    left += shown;
  }
  if (words.length) say(`${left} conversations found`);
}

function move(rows, event) {
  const here = rows.indexOf(document.activeElement);
  const places = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 };
  if (!(event.key in places) || here < 0) return;
  event.preventDefault();
  focusRow(rows, Math.min(Math.max(places[event.key], 0), rows.length - 1));
}

function focusRow(rows, place) {
  for (const one of rows) one.tabIndex = -1;
  rows[place].tabIndex = 0;
  rows[place].focus();
}

function mark(pane, person) {
  for (const one of pane.querySelectorAll(".person")) {
    const here = one.dataset.person === person.id;
    one.tabIndex = here ? 0 : -1;
    if (here) one.setAttribute("aria-current", "true");
    else one.removeAttribute("aria-current");
    if (here) one.scrollIntoView({ block: "nearest" });
  }
}
