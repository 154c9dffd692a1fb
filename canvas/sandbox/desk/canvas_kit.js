// Draws a Canvas Kit canvas as the Inbox sidebar does: all twelve component types.
// Intercom developer documentation: "Canvas Kit", interactive and presentation components.

import { el } from "./dom.js";
import { markdown } from "./markdown.js";

export class Undrawable extends Error {}

/** Draw `components` into a new element. `submit(componentId)` is called for every submit action. */
export function draw(components, submit) {
  const root = el("div", { class: "ck" });
  for (const component of components) {
    const drawing = DRAW[component.type];
    if (!drawing) throw new Undrawable(`Intercom knows no component of type ${component.type}.`);
    const node = drawing(component, submit);
    node.classList.add("ck-part");
    if (component.bottom_margin === "none") node.classList.add("ck-tight");
    root.append(node);
  }
  return root;
}

/** Every interactive component's value, as a submit request carries them. */
export function values(root) {
  const found = {};
  for (const field of root.querySelectorAll("[data-value]")) found[field.dataset.value] = READ[field.dataset.kind](field);
  return found;
}

const READ = {
  field: (field) => field.value,
  single: (field) => field.querySelector("[aria-checked=true]")?.dataset.option ?? null,
  many: (field) => [...field.querySelectorAll("input:checked")].map((box) => box.value),
};

const DRAW = {
  text: (c) => el("p", { class: `ck-text ck-${c.style ?? "paragraph"} ck-${c.align ?? "left"}` }, markdown(c.text)),
  divider: () => el("hr", { class: "ck-divider" }),
  spacer: (c) => el("div", { class: `ck-spacer ck-spacer-${c.size ?? "s"}` }),
  "data-table": table,
  image,
  button,
  list,
  input,
  textarea,
  dropdown,
  "single-select": singleSelect,
  checkbox,
};

function table(c) {
  const rows = c.items.map((row) =>
    el("div", { class: "ck-row" }, el("dt", {}, row.field), el("dd", { title: row.value }, row.value)),
  );
  return el("dl", { class: "ck-table" }, rows);
}

function image(c) {
  const shape = c.rounded ? "ck-round" : "";
  const picture = el("img", { src: c.url, alt: "", width: c.width, height: c.height, class: shape });
  const inside = c.action?.type === "url" ? link(c.action.url, {}, picture) : picture;
  return el("div", { class: `ck-image ck-${c.align ?? "left"}` }, inside);
}

function link(href, props, ...children) {
  return el("a", { href, target: "_blank", rel: "noopener noreferrer", ...props }, ...children);
}

function button(c, submit) {
  const look = { class: `ck-button ck-${c.style ?? "primary"}`, "data-component": c.id };
  if (c.action?.type === "url" && !c.disabled) return el("div", {}, link(c.action.url, look, el("span", {}, c.label)));
  const press = { ...look, type: "button", disabled: c.disabled, onclick: () => submit(c.id) };
  return el("div", {}, el("button", press, el("span", {}, c.label)));
}

function list(c, submit) {
  return el("ul", { class: "ck-list" }, c.items.map((item) => el("li", {}, listItem(item, c.disabled, submit))));
}

function listItem(item, allDisabled, submit) {
  const inside = [thumbnail(item), el("span", { class: "ck-item-words" }, ...itemWords(item))];
  const disabled = allDisabled || item.disabled;
  const props = { class: "ck-item", "data-component": item.id };
  if (!item.action || disabled) return el("div", { ...props, "aria-disabled": disabled ? "true" : null }, ...inside);
  if (item.action.type === "url") return link(item.action.url, props, ...inside);
  return el("button", { ...props, type: "button", onclick: () => submit(item.id) }, ...inside);
}

function itemWords(item) {
  const under = [item.subtitle, item.tertiary_text].filter(Boolean).join(" • ");
  return [el("span", { class: "ck-item-title" }, item.title), under ? el("span", { class: "ck-muted" }, under) : null];
}

function thumbnail(item) {
  if (!item.image) return null;
  const size = { width: item.image_width, height: item.image_height };
  return el("img", { src: item.image, alt: "", ...size, class: item.rounded_image ? "ck-round" : "" });
}

function labelled(c, field, extra) {
  const state = { saved: "ck-saved", failed: "ck-failed" }[c.save_state] ?? (c.error ? "ck-failed" : "");
  const label = c.label ? el("label", { class: "ck-label", htmlFor: field.id }, c.label) : null;
  if (!c.label) field.setAttribute("aria-label", c.placeholder ?? c.id);
  if (state === "ck-failed") field.setAttribute("aria-invalid", "true");
  return el("div", { class: `ck-field ${state}` }, label, el("div", { class: "ck-control" }, field, extra));
}

function fieldProps(c) {
  const locked = c.disabled || c.save_state === "saved";
  return { id: `ck-${c.id}`, disabled: locked, "data-value": c.id, "data-kind": "field", "data-component": c.id };
}

function input(c, submit) {
  const onkeydown = (event) => event.key === "Enter" && c.action && submit(c.id);
  const text = { type: "text", placeholder: c.placeholder ?? "", value: c.value ?? "", autocomplete: "off", onkeydown };
  const field = el("input", { ...fieldProps(c), ...text });
  const go = { class: "ck-go", type: "button", "aria-label": `Submit ${c.label ?? c.id}`, onclick: () => submit(c.id) };
  return labelled(c, field, c.action && !field.disabled ? el("button", go, "→") : null);
}

function textarea(c) {
  const text = { rows: 4, placeholder: c.placeholder ?? "", value: c.value ?? "" };
  return labelled(c, el("textarea", { ...fieldProps(c), ...text }));
}

function dropdown(c) {
  const choices = c.options.map((option) =>
    el("option", { value: option.id, disabled: option.disabled, selected: option.id === c.value }, option.text),
  );
  const nothing = c.value ? null : el("option", { value: "", selected: true }, "");
  return labelled(c, el("select", fieldProps(c), nothing, ...choices));
}

function singleSelect(c, submit) {
  const locked = c.disabled || c.save_state === "saved";
  const group = el("div", {
    class: "ck-single",
    role: "radiogroup",
    "aria-label": c.label ?? c.id,
    "data-value": c.id,
    "data-kind": "single",
  });
  const choose = (chosen) => {
    for (const option of group.children) option.setAttribute("aria-checked", String(option === chosen));
    if (c.action) submit(c.id);
  };
  group.append(...c.options.map((option) => choice(c, option, locked, choose)));
  const label = c.label ? el("span", { class: "ck-label" }, c.label) : null;
  return el("div", { class: `ck-field ${c.save_state === "failed" ? "ck-failed" : ""}` }, label, group);
}

function choice(c, option, locked, choose) {
  return el(
    "button",
    {
      type: "button",
      role: "radio",
      "aria-checked": String(option.id === c.value),
      "data-option": option.id,
      "data-component": `${c.id}/${option.id}`,
      disabled: locked || option.disabled,
      onclick: (event) => choose(event.currentTarget),
    },
    option.text,
  );
}

// Intercom's reference calls the key `option`, its tutorial `options`: draw both.
function checkbox(c) {
  const locked = c.disabled || c.save_state === "saved";
  const boxes = (c.option ?? c.options ?? []).map((option) => {
    const ticked = (c.value ?? []).includes(option.id);
    const box = { type: "checkbox", value: option.id, checked: ticked, disabled: locked || option.disabled };
    return el("label", { class: "ck-check" }, el("input", box), el("span", {}, option.text));
  });
  const legend = c.label ? el("legend", { class: "ck-label" }, c.label) : null;
  return el("fieldset", { class: "ck-field ck-checks", "data-value": c.id, "data-kind": "many" }, legend, ...boxes);
}
