// Light, dark, or as the system says; remembered on this machine.

const ORDER = ["auto", "light", "dark"];
const WORDS = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };

export function theme(button) {
  const stored = localStorage.getItem("theme");
  apply(button, ORDER.includes(stored) ? stored : "auto");
  button.addEventListener("click", () => {
    apply(button, ORDER[(ORDER.indexOf(button.dataset.theme) + 1) % ORDER.length]);
  });
}

function apply(button, name) {
  document.documentElement.dataset.theme = name;
  button.dataset.theme = name;
  button.textContent = WORDS[name];
  localStorage.setItem("theme", name);
}
