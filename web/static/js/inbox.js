// The inbox: opening cases beside the list, live refreshing without jumps, the pill of new ones.
import { ask, forget, lookAhead, take } from "./ahead.js";
import { installComposer, flushDraft, acceptVersion, renewKeys, compareVersion } from "./composer.js";
import "./aging.js";
import "./tour.js";
import "./attachments.js";
import "./filters.js";
import { installKeys } from "./keys.js";
import { installParting } from "./parting.js";
import { installPicking } from "./picking.js";
import { installPresence } from "./presence.js";

const byId = (id) => document.getElementById(id);
const list = byId("list");
const openId = () => byId("case")?.dataset.case ?? null;
const rows = () => [...document.querySelectorAll("#rows > .row")];
const query = new URLSearchParams(location.search);
const MOST_ROWS = 90; // of a list that grows while nobody reads it

/** The first line of each lane (critical, high, others), and the lane that the drawn page ends in. */
function tops() {
  const keys = rows().map((row) => row.dataset.key);
  const first = keys.filter((key, at) => keys.findIndex((one) => one[0] === key[0]) === at);
  return `${first.join(",")}${byId("more") ? `|${keys.at(-1)[0]}` : ""}`;
}

let top = tops();
let opening = null;

function markRow(id) {
  for (const link of document.querySelectorAll("#rows a[aria-current]")) link.removeAttribute("aria-current");
  document.querySelector(`#row-${id} > a`)?.setAttribute("aria-current", "true");
}

/** Rows or case were drawn anew. */
const shown = () => document.dispatchEvent(new CustomEvent("otklik:shown"));

function showNewest() {
  const own = document.querySelectorAll("#thread .msg-author");
  const last = own[own.length - 1];
  const body = byId("case-body");
  if (!last || !body) return;
  const edge = last.getBoundingClientRect().bottom - body.getBoundingClientRect().bottom;
  if (edge > 0) body.scrollTop += edge + 16;
}

/** Shows a case in its pane; with ``push`` its address becomes the page's. */
export async function openCase(address, { push = true, focus = false } = {}) {
  await flushDraft();
  opening?.abort();
  opening = new AbortController();
  const id = address.match(/\/inbox\/(\d+)/)[1];
  markRow(id);
  let answer;
  try {
    answer = await take(address, opening.signal);
  } catch (error) {
    if (error.name !== "AbortError") location.href = address;
    return;
  }
  if (answer.redirect) { location.href = answer.redirect; return; }
  if (!answer.ok) { location.href = address; return; }
  if (push) history.pushState({ pane: true }, "", address); // while nothing has to be laid out for it
  const slot = byId("case-slot");
  slot.innerHTML = answer.text;
  window.htmx.process(slot);
  document.body.classList.add("has-case");
  document.body.classList.remove("is-writing");
  document.title = document.title.replace(/^.*(?= · )/, byId("case-title")?.textContent ?? "");
  installComposer();
  showNewest();
  shown();
  if (focus) byId("case-title")?.focus({ preventScroll: true });
  const place = rows().findIndex((row) => row.dataset.case === id);
  if (place >= 0) heading = place < lastPlace ? -1 : 1;
  lastPlace = place;
  aheadSoon();
}

let lastPlace = -1;
let heading = 1;

/** Once there is nothing else to do; not where the person asks to spare the line. */
function aheadSoon() {
  const id = openId();
  if (navigator.connection?.saveData) return;
  requestIdleCallback(() => { if (id && openId() === id) lookAhead(byId(`row-${id}`), heading); }, { timeout: 500 });
}

/** Back to the list: on a phone it is shown again, elsewhere the row gets the focus. */
export function backToList() {
  const id = openId();
  if (matchMedia("(max-width: 720px)").matches && document.body.classList.contains("has-case")) {
    flushDraft();
    document.body.classList.remove("has-case", "is-writing");
    history.pushState({ list: true }, "", `/inbox${location.search}`);
    shown();
  }
  (document.querySelector(`#row-${id} > a`) ?? document.querySelector("#rows .row > a"))?.focus();
}

/** The open case anew, with focus, scroll, draft and open menus as they are. */
async function refreshCase() {
  const id = openId();
  if (!id) return;
  await window.htmx.ajax("GET", byId("case").dataset.url + location.search, { target: "#case", swap: "outerMorph" });
  compareVersion();
  shown();
}

/** Counters, what is new, and of the lines shown those in ``ids`` (all of them when it is null). */
async function refreshList(ids) {
  const present = rows().map((row) => Number(row.dataset.case));
  const wanted = ids === null ? present : present.filter((id) => ids.includes(id));
  const asked = new URLSearchParams(query);
  asked.set("top", isUnread() && present.length >= MOST_ROWS ? "" : top); // without one it comes whole
  asked.set("ids", wanted.join(","));
  if (openId()) asked.set("open", openId());
  if (isUnread()) asked.set("unread", 1);
  const answer = await fetch(`${list.dataset.refresh}?${asked}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer) return; // the line is cut: all is asked anew when it is back
  const elsewhere = answer.headers.get("HX-Redirect");
  if (elsewhere) { location.href = elsewhere; return; }
  if (!answer.ok) return;
  const told = new DOMParser().parseFromString(await answer.text(), "text/html");
  const isRead = !isUnread(); // asked while nothing has to be laid out for it
  const news = told.getElementById("news");
  tellNumbers(JSON.parse(news.dataset.numbers));
  const lines = [...told.querySelectorAll("body > .row")].map((row) => row.outerHTML).join("");
  if (lines) await window.htmx.swap({ sourceElement: list, target: list, swap: "none", text: lines });
  byId("pill").replaceChildren(...told.getElementById("pill").childNodes);
  if (news.content.firstElementChild) {
    if (isRead) await refreshList([]); // somebody began to read meanwhile: the pill tells of them
    else if ("whole" in news.dataset) showPage(news.content);
    else putIn([...news.content.children]);
  }
  if (openId()) markRow(openId());
  shown();
}

/** The numbers beside the views; a quiet view is there while it has any. */
function tellNumbers(numbers) {
  for (const place of document.querySelectorAll("#views [data-counter]")) {
    const number = numbers[place.dataset.counter] ?? 0;
    const said = number < 1000 ? String(number) : "999+";
    if (place.textContent !== said) place.textContent = said;
    place.classList.toggle("zero", !number);
    const line = place.closest("[data-quiet]");
    if (line) line.hidden = !number;
  }
}

/** Nobody reads the list now: nothing can jump under anybody's eyes. */
function isUnread() {
  const scroller = byId("rows");
  if (!rows().length) return true;
  return scroller.scrollTop === 0 && !list.matches(":hover") && !list.contains(document.activeElement) && !openId();
}

/** The newest page of the list. */
async function loadNewest() {
  const asked = new URLSearchParams(query);
  if (openId()) asked.set("open", openId());
  const answer = await fetch(`${list.dataset.rows}?${asked}`, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  showPage(document.createRange().createContextualFragment(await answer.text()));
  if (openId()) markRow(openId()); // it may have been opened while the page of the list was under way
  shown();
}

/** Where a row stands: the urgent first, then the newest. */
function standsAbove(one, other) {
  const [a, b] = [one, other].map((row) => row.dataset.key.split(":").map(Number));
  return a[0] !== b[0] ? a[0] < b[0] : a[1] !== b[1] ? a[1] > b[1] : a[2] > b[2];
}

function putIn(fresh) {
  for (const row of fresh) {
    byId(row.id)?.remove();
    const below = rows().find((other) => standsAbove(row, other));
    if (below) below.before(row);
    else rows().at(-1)?.after(row);
  }
  const page = document.createDocumentFragment(); // lines that move would count as a jump: they are drawn anew
  page.append(...[...byId("rows").children].map((line) => line.cloneNode(true)));
  showPage(page);
}

function showPage(page) {
  const place = byId("rows");
  place.replaceChildren(page);
  window.htmx.process(place);
  place.scrollTop = 0;
  top = tops();
  byId("pill").replaceChildren();
}

// ── what comes from the desk ─────────────────────────────────────────────
const BRIEF = 80; // what is done as one comes as one
const LONG = 3000;
let timer = null;
let changed = new Set();
let pause = BRIEF;

function soon(cases) {
  forget(cases);
  cases.forEach((id) => changed.add(id));
  timer ??= setTimeout(async () => {
    const ids = [...changed];
    changed = new Set();
    const began = performance.now();
    try {
      await refreshList(ids);
      if (ids.includes(Number(openId()))) await refreshCase();
    } finally { // a desk that answers slowly is asked less often
      pause = Math.min(LONG, Math.max(BRIEF, 2 * (performance.now() - began)));
      timer = null;
      if (changed.size) soon([]);
    }
  }, pause);
}

document.addEventListener("otklik:events", ({ detail }) => {
  soon(detail.cases);
  // A broadcast began, ended or was written under; while one stands above the list, its cases are its numbers.
  if (byId("on-air")?.children.length || detail.kinds.some((kind) => kind.startsWith("broadcast."))) {
    document.dispatchEvent(new CustomEvent("otklik:air"));
  }
});
document.addEventListener("otklik:resync", async () => { forget(); await refreshList(null); await refreshCase(); });
setInterval(() => { if (!document.hidden) refreshList(null); }, 60000); // «5 мин» becomes «6 мин»

document.addEventListener("otklik:changed", async ({ detail }) => {
  forget();
  const isOpen = String(detail.case) === openId();
  for (const dialog of document.querySelectorAll("#case dialog[open]")) dialog.close();
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  if (detail.restored && !isOpen) {
    await openCase(`/inbox/${detail.case}${location.search}`);
  } else if (isOpen && (detail.sent || detail.restored)) {
    await openCase(byId("case").dataset.url + location.search, { push: false });
  } else if (isOpen) {
    renewKeys();
    await refreshCase();
    acceptVersion();
  }
  await refreshList([detail.case]);
  aheadSoon();
});

document.addEventListener("htmx:response:error", ({ detail }) => {
  if (detail.ctx.response.status === 409) refreshCase();
});

// ── clicks ──────────────────────────────────────────────────────────────
document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = target.closest("#rows .row > a, a[data-open-case]");
  if (link) {
    event.preventDefault();
    openCase(link.getAttribute("href"), { focus: event.detail === 0 });
    return;
  }
  if (target.closest("[data-pill]")) { event.preventDefault(); loadNewest(); }
  if (target.closest("[data-back]")) backToList();
  toggleViews(target);
});

// A press begins before its click ends: a mouse and a thumb take a tenth of a second between the two.
document.addEventListener("pointerdown", ({ target, button }) => {
  const link = button ? null : target.closest?.("#rows .row > a");
  if (link && caseIsShut(link)) ask(link.getAttribute("href"));
}, { passive: true });

const caseIsShut = (link) => link.closest(".row").dataset.case !== openId();

function toggleViews(target) {
  const button = document.querySelector("[data-views]");
  const wanted = target.closest("[data-views]") ? !document.body.classList.contains("views-open") : false;
  if (!wanted && target.closest(".views")) return;
  document.body.classList.toggle("views-open", wanted);
  button?.setAttribute("aria-expanded", String(wanted));
}

addEventListener("popstate", () => {
  if (new URLSearchParams(location.search).toString() !== query.toString()) { location.reload(); return; }
  if (/\/inbox\/\d+/.test(location.pathname)) openCase(location.pathname + location.search, { push: false });
  else document.body.classList.remove("has-case", "is-writing");
});

// A name under the note: it calls whoever bears it.
document.addEventListener("click", ({ target }) => {
  const name = target.closest?.("[data-call]")?.dataset.call;
  const text = name && document.getElementById("note-text");
  if (!text) return;
  const before = text.value.slice(0, text.selectionStart);
  text.setRangeText(`${before && !/\s$/.test(before) ? " " : ""}@${name} `, text.selectionStart, text.selectionEnd, "end");
  text.focus();
});

// The address of a view says what was chosen and nothing else.
document.querySelector("form[data-lean]")?.addEventListener("submit", ({ target }) => {
  for (const field of target.querySelectorAll("select, [name=any]")) field.disabled = !field.value;
});

installComposer();
installKeys({ openCase, backToList });
installPresence();
installPicking();
installParting();
if (openId()) {
  showNewest();
  document.querySelector("#rows a[aria-current]")?.scrollIntoView({ block: "nearest" });
}
