// Ctrl+K: one line for actions, views, screens and cases; keys by their place, words in either keyboard layout.
const LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,./";
const RUSSIAN = "ёйцукенгшщзхъфывапролджэячсмитьбю.";

const dialog = () => document.getElementById("palette");
const input = () => document.getElementById("palette-input");
const list = () => document.getElementById("palette-list");
const shown = () => [...list().querySelectorAll("[role=option]:not([hidden])")];

const plain = (text) => text.toLowerCase().replaceAll("ё", "е");
const other = (text, from, to) => [...text].map((ch) => (from.includes(ch) ? to[from.indexOf(ch)] : ch)).join("");

let timer = 0;
let asking = null;

function choose(option) {
  list().querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
  if (!option) { input().removeAttribute("aria-activedescendant"); return; }
  option.setAttribute("aria-selected", "true");
  input().setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

const chosen = () => list().querySelector("[aria-selected=true]:not([hidden])");

function fits(option, typed) {
  if (option.dataset.where === "case" && !document.querySelector("#case[data-case]")) return false;
  const words = plain(option.dataset.words);
  return typed.some((way) => way.split(/\s+/).every((part) => words.split(/\s+/).some((word) => word.startsWith(part)) || (part.length > 2 && words.includes(part))));
}

function narrow() {
  const text = input().value.trim();
  const low = plain(text);
  const ways = [low, plain(other(low, LATIN, RUSSIAN)), other(low, RUSSIAN, LATIN)];
  for (const option of list().querySelectorAll("[data-words]")) option.hidden = !fits(option, low ? ways : [""]);
  const search = document.getElementById("palette-search");
  search.hidden = !text || !dialog().dataset.search;
  search.querySelector("small").textContent = text ? `«${text}»` : "";
  search.dataset.href = `${dialog().dataset.search}?q=${encodeURIComponent(text)}`;
  list().querySelectorAll("[data-case-found]").forEach((old) => old.remove());
  asking?.abort();
  clearTimeout(timer);
  if (text && dialog().dataset.cases) timer = setTimeout(() => findCases(text), 150);
  settle();
}

function settle() {
  const options = shown();
  if (!chosen()) choose(options[0]);
  const none = dialog().querySelector(".palette-none");
  none.textContent = options.length ? "" : none.dataset.none;
}

async function findCases(text) {
  asking = new AbortController();
  try {
    const answer = await fetch(`${dialog().dataset.cases}?q=${encodeURIComponent(text)}`, { headers: { "HX-Request": "true" }, signal: asking.signal });
    if (!answer.ok) return;
    const found = document.createElement("ul");
    found.innerHTML = await answer.text();
    const before = chosen()?.id;
    document.getElementById("palette-search").before(...found.children);
    // What came late takes the choice only where nothing else fitted.
    if (!before || before === "palette-search") choose(shown()[0]);
    settle();
  } catch (error) { if (error.name !== "AbortError") throw error; }
}

function run(option) {
  if (!option) return;
  dialog().close();
  const { act, href, caseFound } = option.dataset;
  if (act) { document.dispatchEvent(new CustomEvent("otklik:act", { detail: act })); return; }
  // A link that the inbox may open in its own pane, like any other that leads to a case.
  const link = Object.assign(document.createElement("a"), { href, hidden: true });
  if (caseFound) link.dataset.openCase = caseFound;
  document.body.append(link);
  link.click();
  link.remove();
}

function open() {
  input().value = "";
  choose(null);
  narrow();
  dialog().showModal();
  input().focus();
}

function step(by) {
  const options = shown();
  const at = options.indexOf(chosen());
  choose(options[(at + by + options.length) % options.length]);
}

export function installPalette() {
  if (!dialog()) return;
  addEventListener("keydown", (event) => {
    if (event.code !== "KeyK" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (dialog().open) dialog().close();
    else if (!document.querySelector("dialog[open]")) open();
  });
  input().addEventListener("input", () => { choose(null); narrow(); });
  input().addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const acts = { ArrowDown: () => step(1), ArrowUp: () => step(-1), Enter: () => run(chosen()), Tab: () => step(event.shiftKey ? -1 : 1) };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });
  list().addEventListener("mousemove", ({ target }) => choose(target.closest("[role=option]") ?? chosen()));
  list().addEventListener("click", ({ target }) => run(target.closest("[role=option]")));
}
