// What Octopods is up to: well, or going wrong in one of the ways a real one does.

import { api } from "./api.js";
import { el, say } from "./dom.js";

const SENDS = { path: "/messages", method: "POST" };
const WEATHER = [
  { title: "works", fault: { kind: null } },
  { title: "is slow (5 s)", fault: { kind: "slow", ms: 5000, times: 0 } },
  { title: "is down", fault: { kind: "down", times: 0 } },
  { title: "says 429 for 60 s", fault: { kind: "rate_limited", seconds: 60, ...SENDS } },
  { title: "takes one, then cuts", fault: { kind: "cut_after", ...SENDS } },
  { title: "cuts before taking one", fault: { kind: "cut_before", ...SENDS } },
  { title: "answers HTML", fault: { kind: "html", times: 0 } },
];
const SECOND = 1000;

export function weather(select) {
  select.append(...WEATHER.map(({ title, fault }) => el("option", { value: fault.kind ?? "" }, title)));
  select.addEventListener("change", async () => {
    const chosen = WEATHER[select.selectedIndex];
    await api.setFault(chosen.fault);
    say(`Octopods ${chosen.title}`);
  });
  const look = async () => {
    if (document.hidden || document.activeElement === select) return;
    const [fault] = await api.faults().catch(() => []);
    select.value = fault?.kind ?? "";
    select.toggleAttribute("data-stormy", Boolean(fault));
  };
  look();
  setInterval(look, SECOND);
}
