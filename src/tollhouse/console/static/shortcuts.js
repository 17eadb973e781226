// Keys for whoever likes them: a list of pages to go to, this page's search, and the list of keys. Single keys can be
// switched off, and are never taken while somebody writes, nor by the programs that read pages aloud (they go first).

const palette = document.getElementById("palette"), search = palette.querySelector("input");
const shortcuts = document.getElementById("shortcuts");
const links = [...palette.querySelectorAll("a")];
const switches = document.querySelectorAll("[data-single-keys]");
const isMac = /^(Mac|iP)/.test(navigator.platform);
const GO_MS = 1500;
let goUntil = 0;

const areSingle = () => localStorage.getItem("single-keys") !== "off";
const shown = () => links.filter((one) => !one.parentElement.hidden);

const narrow = () => {
  const words = search.value.trim().toLowerCase();
  for (const one of links) one.parentElement.hidden = !one.textContent.toLowerCase().includes(words);
  palette.querySelector("[role=status] span").hidden = shown().length > 0;
};

const openPalette = () => {
  search.value = "";
  narrow();
  palette.showModal();
  search.focus();
};

// Rows of this page's lists: each by its first link, which Enter follows.
const step = (by) => {
  const rows = [...document.querySelectorAll("main tbody tr")].map((one) => one.querySelector("a[href]"));
  const all = rows.filter((one) => one?.checkVisibility());
  const at = all.findIndex((one) => one.closest("tr").contains(document.activeElement));
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return next !== undefined;
};

const single = (event) => {
  const going = Date.now() < goUntil;
  goUntil = 0;
  if (going) links.find((one) => one.dataset.key === event.key)?.click();
  else if (event.key === "g") goUntil = Date.now() + GO_MS;
  else if (event.key === "?") shortcuts.showModal();
  else if (event.key === "j" || event.key === "k") {
    if (!step(event.key === "j" ? 1 : -1)) return;
  } else if (event.key === "/") (document.querySelector("main input[type=search]") ?? { focus: openPalette }).focus();
  else return;
  event.preventDefault();
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  if (event.key === "k" && (isMac ? event.metaKey : event.ctrlKey) && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) openPalette();
    return;
  }
  const writes = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (writes || event.ctrlKey || event.metaKey || event.altKey || !areSingle()) return;
  if (!document.querySelector("dialog[open]")) single(event);
});

// In the list: arrows go from one to the next, Enter in the field takes the first.
palette.addEventListener("keydown", (event) => {
  const found = shown(), at = found.indexOf(document.activeElement);
  if (event.key === "ArrowDown") found[Math.min(at + 1, found.length - 1)]?.focus();
  else if (event.key === "ArrowUp") (found[at - 1] ?? search).focus();
  else if (event.key === "Enter" && event.target === search) found[0]?.click();
  else return;
  event.preventDefault();
});
search.addEventListener("input", narrow);

for (const one of [palette, shortcuts]) one.addEventListener("click", (event) => event.target === one && one.close());
document.getElementById("show-shortcuts").addEventListener("click", () => shortcuts.showModal());
for (const one of document.querySelectorAll(".by-key")) one.hidden = false;
for (const one of document.querySelectorAll("[data-palette]")) one.textContent = isMac ? "⌘ K" : "Ctrl K";
for (const one of switches) {
  one.checked = areSingle();
  one.addEventListener("change", () => {
    localStorage.setItem("single-keys", one.checked ? "on" : "off");
    for (const other of switches) other.checked = one.checked;
  });
}
