// A tab list after the ARIA pattern: one tab stop, arrow keys, Home and End.

import { el } from "./dom.js";

/** Fill `list` with `tabs` ({id, title}); `show(id)` runs on every change. Returns `select(id)`. */
export function tabs(list, tabs, show, panel) {
  const buttons = tabs.map(({ id, title }) =>
    el("button", { type: "button", role: "tab", id: `tab-${id}`, "data-tab": id, "aria-controls": panel.id }, title),
  );
  const select = (id) => {
    for (const button of buttons) {
      const chosen = button.dataset.tab === id;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
      if (chosen && panel.role === "tabpanel") panel.setAttribute("aria-labelledby", button.id);
    }
    show(id);
  };
  list.replaceChildren(...buttons);
  list.addEventListener("click", (event) => event.target.dataset.tab && select(event.target.dataset.tab));
  list.addEventListener("keydown", (event) => {
    const next = target(buttons, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
    select(next.dataset.tab);
  });
  return select;
}

function target(buttons, key) {
  const here = buttons.indexOf(document.activeElement);
  const places = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: buttons.length - 1 };
  return key in places ? buttons[(places[key] + buttons.length) % buttons.length] : null;
}
