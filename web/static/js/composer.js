// The composer: a draft kept on the server, the platform's own counting, sending by keys, and collisions said aloud.
import { installSaved } from "./saved.js";

const PAUSE = 700;

let timer = null;
let unsaved = false;

const form = () => document.getElementById("composer");
const field = () => document.getElementById("reply-text");
const token = () => document.querySelector('meta[name="csrf-token"]').content;

const COUNTS = {
  characters: (text) => [...text].length,
  utf16: (text) => text.length,
  bytes: (text) => new TextEncoder().encode(text).length,
};

function count() {
  const box = form();
  if (!box || !field()) return;
  const length = COUNTS[box.dataset.count](field().value.trim());
  const limit = Number(box.dataset.limit);
  const place = box.querySelector(".composer-count");
  const format = new Intl.NumberFormat(document.documentElement.lang);
  place.textContent = length ? `${format.format(length)} / ${format.format(limit)}` : "";
  place.classList.toggle("is-over", length > limit);
  box.querySelector(".btn-main").disabled = length > limit;
  box.classList.toggle("is-empty", !length);
}

function save() {
  const box = form();
  timer = null;
  if (!box || !field() || !unsaved) return Promise.resolve();
  unsaved = false;
  const said = box.querySelector(".composer-saved");
  const body = new URLSearchParams({ text: field().value, csrf_token: token() });
  return fetch(box.dataset.draft, { method: "POST", body, headers: { "HX-Request": "true" }, keepalive: true })
    .then((answer) => { if (!answer.ok) throw new Error(answer.status); said.textContent = said.dataset.saved; })
    .catch(() => { unsaved = true; said.textContent = said.dataset.failed; });
}

// The linter: what stands under the text follows it; reasons that were typed stay while their rule does.
let checking = null;

function checkSoon() {
  clearTimeout(checking);
  checking = setTimeout(check, 600);
}

async function check() {
  const box = form();
  const place = document.getElementById("composer-lint");
  if (!box || !field() || !place) return;
  const text = field().value;
  if (!text.trim()) { place.replaceChildren(); return; }
  const body = new URLSearchParams({ text, message_id: box.elements.message_id.value, csrf_token: token() });
  const answer = await fetch(box.dataset.lint, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok || field()?.value !== text) return;
  const reasons = Object.fromEntries([...place.querySelectorAll("input")].map((input) => [input.name, input.value]));
  const focused = document.activeElement?.closest("#composer-lint input")?.name;
  place.innerHTML = await answer.text();
  for (const input of place.querySelectorAll("input")) {
    input.value = reasons[input.name] ?? "";
    if (input.name === focused) input.focus();
  }
}

/** Puts ``words`` where the cursor is and selects the first placeholder that nobody could fill. */
export function insertText(words) {
  const text = field();
  if (!text) return;
  startReply();
  text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
  const hole = /\{\{[^{}]*\}\}/.exec(text.value);
  if (hole) text.setSelectionRange(hole.index, hole.index + hole[0].length);
  typed();
}

/** The holding reply: its text, and the case stays in work. */
export async function insertHolding() {
  const box = form();
  if (!box || !field()) return;
  const answer = await fetch(box.dataset.holding, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  const { text, until } = await answer.json();
  insertText(text);
  box.elements.holding.value = until;
  box.elements.holding.dataset.text = text;
  box.elements.then.value = "keep";
}

/** Saves at once what is not yet saved: before the pane changes, before the page goes. */
export function flushDraft() {
  clearTimeout(timer);
  return save();
}

/** A text that promises nothing any more is no holding reply. */
function forgetHolding() {
  const promise = form()?.elements.holding;
  if (promise?.value && !field().value.includes(promise.dataset.text)) promise.value = "";
}

function typed() {
  forgetHolding();
  unsaved = true;
  count();
  checkSoon();
  form().querySelector(".composer-saved").textContent = "";
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
}

/** A new key for every form of the case: the one that was taken must not swallow the next. */
export function renewKeys() {
  for (const input of document.querySelectorAll("#case dialog [data-form-key]")) {
    input.value = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  }
  const note = document.getElementById("note-text");
  if (note) note.value = "";
}

/** The person has seen the case as it is now: the reply is written upon that. */
export function acceptVersion() {
  const box = form();
  if (!box) return;
  const shown = document.getElementById("case").dataset;
  box.elements.version.value = shown.version;
  if (document.getElementById("composer-to")?.hidden) box.elements.message_id.value = shown.message;
  document.getElementById("composer-notice").hidden = true;
}

/** After a refresh: an empty composer simply follows; over a text that is being written it is said what changed. */
export function compareVersion() {
  const box = form();
  if (!box || !field()) return;
  const shown = document.getElementById("case").dataset;
  if (box.elements.version.value === shown.version) return;
  if (!field().value.trim()) { acceptVersion(); return; }
  const notice = document.getElementById("composer-notice");
  notice.hidden = false;
  notice.querySelector("span").textContent = `${notice.dataset.text} ${shown.newest}`;
}

export function startReply() {
  document.body.classList.add("is-writing");
  field()?.focus();
}

/** Chooses which of the author's messages the reply stands under; the newest one by itself. */
function replyTo(button) {
  const place = document.getElementById("composer-to");
  place.hidden = !button;
  place.querySelector("span").textContent = button?.dataset.words ?? "";
  form().elements.message_id.value = button?.dataset.replyTo ?? document.getElementById("case").dataset.message;
  startReply();
}

function insertAnswer(button) {
  const answer = document.getElementById(button.dataset.insert).textContent;
  const text = field();
  text.value = text.value.trim() ? `${text.value.trim()}\n\n${answer}` : `${button.dataset.greeting} ${answer}`;
  form().elements.route_id.value = button.dataset.route;
  acceptVersion();
  startReply();
  typed();
  text.setSelectionRange(text.value.length, text.value.length);
}

export function installComposer() {
  const text = field();
  clearTimeout(timer);
  unsaved = false;
  if (!text || text.dataset.ready) return;
  text.dataset.ready = "yes";
  text.addEventListener("input", typed);
  text.addEventListener("blur", flushDraft);
  form().addEventListener("submit", () => { clearTimeout(timer); unsaved = false; });
  const own = form().querySelector("[data-later-own]");
  own?.addEventListener("input", () => {
    const send = form().querySelector("[data-later-send]");
    send.value = own.value;
    send.disabled = !own.value;
  });
  installSaved();
  count();
  if (text.value.trim()) check();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const insert = target?.closest("[data-insert]");
  if (insert) insertAnswer(insert);
  if (target?.closest("[data-composer-open]")) startReply();
  if (target?.closest("[data-composer-close]")) document.body.classList.remove("is-writing");
  if (target?.closest("[data-seen]")) acceptVersion();
  const chosen = target?.closest("[data-reply-to]");
  if (chosen) replyTo(chosen);
  if (target?.closest("[data-reply-newest]")) replyTo(null);
  if (target?.closest("[data-holding-insert]")) insertHolding();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  const target = event.target instanceof Element ? event.target.closest("#composer, form[data-ctrl-enter]") : null;
  if (!target) return;
  event.preventDefault();
  if (target.id === "composer" && event.shiftKey) {
    const now = Object.assign(document.createElement("input"), { type: "hidden", name: "now", value: "1" });
    target.append(now);
    setTimeout(() => now.remove(), 500);
  }
  target.requestSubmit();
});

addEventListener("pagehide", () => { flushDraft(); });
