// The desk of a broadcast: the chat runs on by itself, one key gives a question its end, clocks go with the stream.
import { tinykeys } from "../vendor/tinykeys.mjs";

const KEPT = 300; // so many lines stay on the page, however many went by
const PAUSE = 350;
const SAFETY = 5000;
const LATE = 600, WARN = 480;

const air = document.getElementById("air");
const lines = document.getElementById("lines");
const column = () => document.getElementById("column");
const token = document.querySelector("meta[name=csrf-token]").content;
let last = Number(lines.dataset.last);
let chosen = null;
let pressed = [];
let base = { second: 0, rate: 0, at: performance.now() };

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600), minutes = Math.floor((whole % 3600) / 60), rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const now = () => base.second + ((performance.now() - base.at) / 1000) * base.rate;

function take() {
  const { second, rate } = column().dataset;
  base = { second: Number(second), rate: Number(rate), at: performance.now() };
  choose(chosen && document.getElementById(`q${chosen}`) ? chosen : null);
  for (const { dataset } of column().querySelectorAll(".air-q")) mark(dataset.message);
  tick();
}

// A line is drawn when it is said; that it is a question is known a moment later.
function mark(id) {
  const line = lines.querySelector(`[data-id="${CSS.escape(id)}"]`);
  line?.classList.add("is-asked");
  line?.querySelector(".air-lift")?.remove();
}

function tick() {
  const second = now();
  const shown = column().querySelector("[data-clock]");
  if (shown && base.rate) shown.textContent = clock(second);
  if (!base.rate) return;
  for (const row of column().querySelectorAll(".air-q")) {
    const age = second - Number(row.dataset.asked), place = row.querySelector("[data-age]");
    place.textContent = clock(age);
    place.classList.toggle("chip-bad", age >= LATE);
    place.classList.toggle("chip-warn", age >= WARN && age < LATE);
  }
}

// ── the chat ──────────────────────────────────────────────────────────
const glyphs = new Map();

function glyph(line) {
  if (!glyphs.has(line.platform)) {
    const there = document.getElementById("air-glyphs").content.querySelector(`.glyph-${CSS.escape(line.platform)}`);
    const made = there ? there.cloneNode(true) : document.createElement("span");
    if (there) made.style.setProperty("--size", "14px");
    made.setAttribute("aria-label", line.place);
    glyphs.set(line.platform, made);
  }
  return glyphs.get(line.platform).cloneNode(true);
}

function draw(line) {
  const row = document.createElement("li");
  row.className = "air-line";
  row.dataset.id = line.id;
  for (const [name, is] of [["is-asked", line.question], ["is-trouble", line.trouble], ["is-ours", line.ours], ["is-gone", line.gone]]) {
    row.classList.toggle(name, Boolean(is));
  }
  const part = (tag, text, css) => Object.assign(document.createElement(tag), { textContent: text, className: css ?? "" });
  row.append(part("span", clock(line.second), "air-at"), glyph(line), part("b", line.author), " ", part("span", line.text, "air-text"));
  if (line.lift && !line.question && !line.ours) {
    const lift = part("button", "?", "air-lift");
    Object.assign(lift, { type: "button", title: air.dataset.lift, ariaLabel: air.dataset.lift });
    lift.dataset.liftTo = line.lift;
    row.append(lift);
  }
  return row;
}

const isAtEnd = () => lines.scrollHeight - lines.scrollTop - lines.clientHeight < 60;
const down = air.querySelector("[data-down]");

function append(news) {
  const follow = isAtEnd();
  const fresh = document.createDocumentFragment();
  for (const line of news.slice(-KEPT)) fresh.append(draw(line));
  lines.append(fresh);
  while (lines.childElementCount > KEPT) lines.firstElementChild.remove();
  air.querySelector("[data-silent]")?.remove();
  if (follow) lines.scrollTop = lines.scrollHeight;
  else down.hidden = false;
}

let reading = false, again = false;

async function read() {
  if (reading) { again = true; return; }
  reading = true;
  try {
    let more = true;
    while (more) {
      const answer = await fetch(`${air.dataset.news}?after=${last}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) break;
      const told = await answer.json();
      if (told.lines.length) {
        last = told.lines.at(-1).id;
        append(told.lines);
      }
      more = told.more;
    }
  } catch { /* the line is cut: the header says so, and the next word tries again */ }
  reading = false;
  if (again) { again = false; soon(); }
}

let waiting = null;
function soon() {
  waiting ??= setTimeout(() => { waiting = null; read(); }, PAUSE);
}

let later = null;
function refresh() {
  later ??= setTimeout(() => { later = null; if (!isBusy()) window.htmx.trigger(column(), "air:refresh"); else refresh(); }, PAUSE * 2);
}

const concerns = (kind) => /^(broadcast|question|tape|act|reply)\./.test(kind);

document.addEventListener("otklik:events", ({ detail }) => {
  if (!detail?.kinds?.some(concerns)) return;
  soon();
  if (detail.kinds.some((kind) => kind !== "broadcast.said" && concerns(kind))) refresh();
});
document.addEventListener("otklik:resync", () => { soon(); refresh(); });
document.addEventListener("htmx:after:swap", take);
lines.addEventListener("scroll", () => { if (isAtEnd()) down.hidden = true; }, { passive: true });
down.addEventListener("click", () => { lines.scrollTop = lines.scrollHeight; down.hidden = true; });
setInterval(() => { if (column().dataset.state === "live") { soon(); refresh(); } }, SAFETY);
setInterval(tick, 1000);

// ── presses ───────────────────────────────────────────────────────────
const isBusy = () => document.querySelector("dialog[open], details.menu[open]") !== null;
const rows = () => [...column().querySelectorAll(".air-q")];
const current = () => (chosen ? document.getElementById(`q${chosen}`) : null) ?? rows()[0] ?? null;

function choose(id) {
  chosen = id;
  for (const row of rows()) row.toggleAttribute("aria-current", false);
  const row = current();
  row?.setAttribute("aria-current", "true");
  return row;
}

function step(by) {
  const all = rows(), at = all.indexOf(current());
  const row = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  if (!row) return;
  choose(row.dataset.q);
  row.scrollIntoView({ block: "nearest" });
}

async function send(address, fields = {}) {
  const values = { csrf_token: token, ...fields };
  await window.htmx.ajax("POST", address, { target: "#column", swap: "outerMorph", values, headers: { "X-CSRFToken": token } });
  soon();
}

const address = (row, act) => row.dataset.url.replace("ACT", act);

function neighbour(row) {
  const all = rows(), at = all.indexOf(row);
  return (all[at + 1] ?? all[at - 1])?.dataset.q ?? null;
}

async function end(row, act, fields) {
  pressed.push(address(row, "back"));
  chosen = neighbour(row);
  await send(address(row, act), fields);
}

function open(id, row) {
  const dialog = document.getElementById(id);
  if (!dialog) return null;
  dialog.dataset.question = row.dataset.q;
  for (const place of dialog.querySelectorAll("[data-words]")) place.textContent = `${row.dataset.name}: ${row.dataset.words}`;
  dialog.showModal();
  return dialog;
}

const acts = {
  aloud: (row) => end(row, "aloud", {}),
  chat: (row) => {
    if (!row.dataset.canAnswer) return;
    send(address(row, "hold"));
    const dialog = open("air-answer", row);
    dialog.querySelector("textarea").focus();
  },
  ask: (row) => {
    const dialog = open("air-route", row);
    if (dialog) dialog.querySelector("textarea").value = row.dataset.words;
  },
  dismiss: (row) => open("air-dismiss", row),
  hide: (row) => { if (row.dataset.canHide) end(row, "hide", {}); },
  merge: (row) => { if (row.dataset.like) end(row, "merge", { into: row.dataset.like }); },
};

function act(name) {
  const row = current();
  if (row) acts[name](row);
}

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return;
  const press = target.closest("[data-press]");
  if (press) send(press.dataset.press, Object.fromEntries(new URLSearchParams(press.dataset.with ?? "")));
  const lift = target.closest("[data-lift-to]");
  if (lift) { lift.closest(".air-line").classList.add("is-asked"); send(lift.dataset.liftTo); lift.remove(); }
  const back = target.closest("[data-back]");
  if (back) send(back.dataset.back);
  const row = target.closest(".air-q");
  if (row) choose(row.dataset.q);
  const button = target.closest(".air-q [data-act]");
  if (button && row) acts[button.dataset.act](row);
  const tab = target.closest("[data-tab-to]");
  if (tab) {
    air.dataset.tab = tab.dataset.tabTo;
    for (const one of air.querySelectorAll("[data-tab-to]")) one.setAttribute("aria-pressed", String(one === tab));
    lines.scrollTop = lines.scrollHeight;
  }
});

for (const form of document.querySelectorAll("[data-air-form]")) {
  form.addEventListener("keydown", (event) => {
    if (event.code === "Enter" && (event.ctrlKey || event.metaKey) && form.hasAttribute("data-ctrl-enter")) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const dialog = form.closest("dialog"), row = document.getElementById(`q${dialog.dataset.question}`);
    const fields = Object.fromEntries(new FormData(form, event.submitter));
    delete fields.csrf_token;
    dialog.dataset.sent = "1";
    dialog.close();
    delete dialog.dataset.sent;
    if (!row) return;
    chosen = neighbour(row);
    if (form.dataset.airForm === "dismiss" || form.dataset.airForm === "aloud") pressed.push(address(row, "back"));
    await send(address(row, form.dataset.airForm), fields);
    form.reset();
  });
}

const answer = document.getElementById("air-answer");
if (answer) {
  let kept = null;
  answer.addEventListener("close", () => {
    clearInterval(kept);
    if (answer.dataset.sent) return;
    const row = document.getElementById(`q${answer.dataset.question}`);
    if (row) send(address(row, "release"));
  });
  answer.addEventListener("toggle", ({ newState }) => {
    if (newState !== "open") return;
    kept = setInterval(() => {
      const row = document.getElementById(`q${answer.dataset.question}`);
      if (row) fetch(address(row, "hold"), { method: "POST", headers: { "X-CSRFToken": token, "HX-Request": "true" } });
    }, 30000);
  });
}

document.getElementById("air-dismiss")?.addEventListener("keydown", (event) => {
  const digit = /^Digit([1-9])$/.exec(event.code);
  if (digit) event.currentTarget.querySelectorAll("button[name=reason]")[Number(digit[1]) - 1]?.click();
});

function isTyping(event) {
  return event.isComposing || event.target.closest?.("input, textarea, select, [contenteditable]") !== null;
}

const keys = {
  KeyJ: () => step(1), ArrowDown: () => step(1), KeyK: () => step(-1), ArrowUp: () => step(-1),
  KeyV: () => act("aloud"), "Shift+KeyV": () => {
    const row = current(), dialog = row && open("air-aloud", row);
    if (dialog) dialog.querySelector("input[name=at]").value = clock(now());
  },
  KeyR: () => act("chat"), KeyD: () => act("ask"), KeyM: () => act("merge"), KeyX: () => act("dismiss"), KeyH: () => act("hide"),
  KeyZ: () => { const back = pressed.pop(); if (back) send(back); },
  "Shift+?": () => document.getElementById("air-keys").showModal(),
};
const bindings = {};
for (const [key, does] of Object.entries(keys)) {
  bindings[key] = (event) => {
    if (isTyping(event) || isBusy() || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    does();
  };
}
tinykeys(window, bindings, { ignore: (event) => event.repeat || event.isComposing });

take();
lines.scrollTop = lines.scrollHeight;
