// What Intercom documents about a canvas, said about the one on the screen.

export const FIRST_HEIGHT = 400;
export const CONTENT_BYTES = 64 * 1024;

export function bytes(value) {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

/** Sentences about what Intercom, or its App Store review, would not take. Empty when all is well. */
export function complaints(canvas, height, isFirst) {
  const components = canvas.content?.components ?? [];
  return [
    ...idComplaints(components),
    ...components.flatMap(optionComplaints),
    ...components.filter((c) => c.type === "button" && !c.style).map((c) => `Button ${c.id} has no style; primary is the default.`),
    isFirst && height > FIRST_HEIGHT && `The first canvas is ${height} px tall; ${FIRST_HEIGHT} px is the most.`,
    isFirst && components.some((c) => c.style === "primary") && "A primary button is not allowed on the first canvas.",
    bytes(canvas.content ?? null) > CONTENT_BYTES && "The content is over 64 KB.",
  ].filter(Boolean);
}

function idComplaints(components) {
  const ids = components.flatMap((c) => [c.id, ...(c.type === "list" ? c.items.map((item) => item.id) : [])]).filter(Boolean);
  return [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))].map((id) => `The id ${id} is used twice.`);
}

function optionComplaints(c) {
  if (!["dropdown", "single-select"].includes(c.type) || (c.options.length >= 2 && c.options.length <= 10)) return [];
  return [`${c.id} has ${c.options.length} options; 2 to 10 are allowed.`];
}
