// The composer: a draft kept on the server, the platform's own counting, sending by keys, and collisions said aloud.
import { forget } from "./ahead.js";
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
  const beside = box.querySelector(".chip-file") && box.dataset.limitBeside; // a text beside files may have to be shorter
  const limit = Number(beside || box.dataset.limit);
  const place = box.querySelector(".composer-count");
  const format = new Intl.NumberFormat(document.documentElement.lang);
  place.textContent = length ? `${format.format(length)} / ${format.format(limit)}` : "";
  place.classList.toggle("is-over", length > limit);
  box.querySelector(".btn-main").disabled = length > limit;
  box.classList.toggle("is-empty", !length);
}

// For a place where a person publishes the answer. Plain http has no clipboard: the text is marked for Ctrl+C then.
async function copyReply(button) {
  const text = field();
  if (!text?.value.trim()) { text?.focus(); return; }
  text.focus();
  text.select();
  if (!navigator.clipboard) return;
  await navigator.clipboard.writeText(text.value.trim());
  button.querySelector("span").textContent = button.dataset.done;
}

let going = Promise.resolve(); // drafts on their way

/** Keeps a draft; cases that were read ahead may show an older one. */
function post(address, text) {
  forget();
  const body = new URLSearchParams({ text, csrf_token: token() });
  const sent = fetch(address, { method: "POST", body, headers: { "HX-Request": "true" }, keepalive: true });
  going = Promise.allSettled([going, sent]).then(() => forget());
  return sent;
}

function save() {
  const box = form();
  timer = null;
  if (!box || !field() || !unsaved) return going;
  unsaved = false;
  const said = box.querySelector(".composer-saved");
  return post(box.dataset.draft, field().value)
    .then((answer) => { if (!answer.ok) throw new Error(answer.status); said.textContent = said.dataset.saved; })
    .catch(() => { unsaved = true; said.textContent = said.dataset.failed; });
}

// The linter: what stands under a text follows it; reasons that were typed stay while their rule does.
const checks = new WeakMap();

function checkSoon(text) {
  clearTimeout(checks.get(text));
  checks.set(text, setTimeout(check, 600, text));
}

async function check(text) {
  const place = text.form?.querySelector(".composer-lint");
  if (!place) return;
  const written = text.value;
  if (!written.trim()) { place.replaceChildren(); return; }
  const body = new URLSearchParams({ text: written, message_id: text.form.elements.message_id.value, csrf_token: token() });
  const answer = await fetch(text.dataset.lint, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok || text.value !== written) return;
  const reasons = Object.fromEntries([...place.querySelectorAll("input")].map((input) => [input.name, input.value]));
  const focused = place.contains(document.activeElement) ? document.activeElement.name : null;
  place.innerHTML = await answer.text();
  window.htmx.process(place); // «Следить?» of a promise
  for (const input of place.querySelectorAll("input")) {
    input.value = reasons[input.name] ?? "";
    if (input.name === focused) input.focus();
  }
}

document.addEventListener("input", (event) => {
  if (!(event.target instanceof HTMLTextAreaElement)) return;
  if (event.target.dataset.lint) checkSoon(event.target);
  if (event.target.id !== "private-text") return;
  clearTimeout(unseenTimer);
  unseenTimer = setTimeout(saveUnseen, PAUSE, event.target);
  unseenTyped = event.target;
});

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
  return Promise.all([save(), unseenTyped ? saveUnseen(unseenTyped) : going]);
}

/** A text that promises nothing any more is no holding reply. */
function forgetHolding() {
  const promise = form()?.elements.holding;
  if (promise?.value && !field().value.includes(promise.dataset.text)) promise.value = "";
}

// «Разделить»: what is selected, or all after the first paragraph, moves into a message that only the author sees.
let unseenTimer = null;
let unseenTyped = null; // the field in which something is typed and not kept yet

function openUnseen() {
  const [area, text, unseen] = [document.getElementById("composer-unseen"), field(), document.getElementById("private-text")];
  if (!area || !text) return;
  area.hidden = false;
  const { selectionStart: from, selectionEnd: to, value } = text;
  const blank = value.search(/\n\s*\n/);
  const [begin, end] = from < to ? [from, to] : blank < 0 ? [value.length, value.length] : [blank, value.length];
  const moved = value.slice(begin, end).trim();
  if (moved) {
    unseen.value = [unseen.value.trim(), moved].filter(Boolean).join("\n\n");
    text.value = `${value.slice(0, begin).trimEnd()}${value.slice(end)}`;
    typed();
    saveUnseen();
  }
  startReply();
  unseen.focus();
}

function closeUnseen() {
  const unseen = document.getElementById("private-text");
  if (unseen.value.trim()) {
    field().value = [field().value.trim(), unseen.value.trim()].filter(Boolean).join("\n\n");
    unseen.value = "";
    typed();
    saveUnseen();
  }
  document.getElementById("composer-unseen").hidden = true;
  field().focus();
}

function saveUnseen(unseen = document.getElementById("private-text")) {
  clearTimeout(unseenTimer);
  unseenTyped = null;
  return post(unseen.dataset.draft, unseen.value).catch(() => null);
}

function typed() {
  forgetHolding();
  unsaved = true;
  count();
  checkSoon(field());
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
  if (form().dataset.begin !== undefined) startReply();
  if (text.value.trim()) check(text);
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const insert = target?.closest("[data-insert]");
  if (insert) insertAnswer(insert);
  if (target?.closest("[data-composer-open]")) startReply();
  const copying = target?.closest("[data-copy-reply]");
  if (copying) copyReply(copying);
  if (target?.closest("[data-composer-close]")) document.body.classList.remove("is-writing");
  if (target?.closest("[data-seen]")) acceptVersion();
  const chosen = target?.closest("[data-reply-to]");
  if (chosen) replyTo(chosen);
  if (target?.closest("[data-reply-newest]")) replyTo(null);
  if (target?.closest("[data-holding-insert]")) insertHolding();
  if (target?.closest("[data-unseen-open]")) openUnseen();
  if (target?.closest("[data-unseen-close]")) closeUnseen();
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
