// Saved replies beside the composer: «/» in an empty line or the button opens them, words narrow, Enter inserts.
import { insertText } from "./composer.js";

const form = () => document.getElementById("composer");
const pop = () => document.getElementById("saved-pop");
const token = () => document.querySelector('meta[name="csrf-token"]').content;
const options = () => [...pop().querySelectorAll("[data-use]")];

async function load(words) {
  const answer = await fetch(`${form().dataset.savedList}?q=${encodeURIComponent(words)}`, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  const box = pop().querySelector("input");
  const text = await answer.text();
  if (!box) { pop().innerHTML = text; return; }
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("ul");
  pop().querySelector("ul").replaceWith(fresh);
}

async function open() {
  if (!pop()) return;
  await load("");
  pop().hidden = false;
  pop().querySelector("input").focus();
}

function close() {
  pop().hidden = true;
  pop().replaceChildren();
  document.getElementById("reply-text")?.focus();
}

async function use(option) {
  const answer = await fetch(option.dataset.use, {
    method: "POST", body: new URLSearchParams({ csrf_token: token() }), headers: { "HX-Request": "true" },
  });
  if (!answer.ok) return;
  const filled = await answer.json();
  close();
  insertText(filled.text);
}

function move(step) {
  const all = options();
  if (!all.length) return;
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  all[at]?.setAttribute("aria-selected", "false");
  const next = all[(at + step + all.length) % all.length];
  next.setAttribute("aria-selected", "true");
  next.scrollIntoView({ block: "nearest" });
}

function pressed(event) {
  if (event.isComposing) return;
  const acts = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Escape: close };
  if (event.key === "Enter") {
    const chosen = options().find((option) => option.getAttribute("aria-selected") === "true");
    event.preventDefault();
    event.stopPropagation();
    if (chosen) use(chosen);
  } else if (acts[event.key]) {
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  }
}

/** Binds the field, the button and the list of the composer that is shown now. */
export function installSaved() {
  const text = document.getElementById("reply-text");
  if (!pop() || !text) return;
  let timer = null;
  text.addEventListener("keydown", (event) => {
    const before = text.value.slice(0, text.selectionStart);
    if (event.key !== "/" || event.ctrlKey || event.metaKey || (before && !before.endsWith("\n"))) return;
    event.preventDefault();
    open();
  });
  pop().addEventListener("keydown", pressed);
  pop().addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => load(event.target.value), 150);
  });
  pop().addEventListener("click", (event) => {
    const option = event.target.closest("[data-use]");
    if (option) use(option);
  });
  form().querySelector("[data-saved-open]")?.addEventListener("click", () => { if (pop().hidden) open(); else close(); });
}
