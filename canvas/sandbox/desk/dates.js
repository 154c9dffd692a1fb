// Dates as Intercom's Inbox writes them: Jan 8, 2019 at 1:05PM.

const DAY = new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric", year: "numeric" });
const TIME = new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "2-digit", hour12: true });

export function clock(date) {
  return TIME.format(date).replace(/\s/g, "");
}

export function dayAndTime(date) {
  return `${DAY.format(date)} at ${clock(date)}`;
}
