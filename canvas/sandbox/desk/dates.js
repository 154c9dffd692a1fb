// Dates as Intercom's Inbox writes them, in the workspace's own zone as on the card: Jan 8, 2019 at 1:05PM.

import { timeZone } from "/desk/zone.js";

const DAY = new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric", year: "numeric", timeZone });
const TIME = new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "2-digit", hour12: true, timeZone });

export function clock(date) {
  return TIME.format(date).replace(/\s/g, "");
}

export function dayAndTime(date) {
  return `${DAY.format(date)} at ${clock(date)}`;
}
