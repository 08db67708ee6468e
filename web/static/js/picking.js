// Choosing rows of the list, one by one, in a row with Shift, the page or all that fit; the bar acts upon them.
const bar = () => document.getElementById("bulk");
const rows = () => [...document.querySelectorAll("#rows > .row")];

const picked = new Set();
let all = false;
let last = null;

export const isPicking = () => all || picked.size > 0;

function show() {
  const box = bar();
  if (!box) return;
  for (const row of rows()) {
    const on = all || picked.has(row.dataset.case);
    row.classList.toggle("is-picked", on);
    const tick = row.querySelector("[data-pick]");
    if (tick) tick.checked = on;
  }
  box.hidden = !isPicking();
  document.body.classList.toggle("picking", isPicking());
  box.querySelector("b").textContent = all ? box.dataset.all : box.dataset.chosen.replace("{count}", picked.size);
  for (const field of document.querySelectorAll("[data-bulk] input[name=ids]")) field.value = all ? "" : [...picked].join(",");
  for (const field of document.querySelectorAll("[data-bulk] input[name=all]")) field.value = all ? "1" : "";
}

/** Takes the row in or out; with ``range`` all rows between it and the one before. */
export function pick(row, { range = false, on = null } = {}) {
  if (!row) return;
  const wanted = on ?? !picked.has(row.dataset.case);
  all = false;
  const list = rows();
  const from = range && last ? list.findIndex((one) => one.dataset.case === last) : -1;
  const to = list.indexOf(row);
  const run = from < 0 ? [row] : list.slice(Math.min(from, to), Math.max(from, to) + 1);
  for (const one of run) picked[wanted || range ? "add" : "delete"](one.dataset.case);
  last = row.dataset.case;
  show();
}

export function pickNone() {
  picked.clear();
  all = false;
  show();
}

export function pickPage() {
  all = false;
  rows().forEach((row) => picked.add(row.dataset.case));
  show();
}

export function installPicking() {
  if (!bar()) return;
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const tick = target?.closest("[data-pick]");
    if (tick) { pick(tick.closest(".row"), { range: event.shiftKey, on: tick.checked }); return; }
    const link = target?.closest("#rows .row > a");
    if (link && event.shiftKey && isPicking()) { event.preventDefault(); pick(link.closest(".row"), { range: true }); }
    if (target?.closest("[data-pick-page]")) pickPage();
    if (target?.closest("[data-pick-all]")) { all = true; show(); }
    if (target?.closest("[data-pick-none]")) pickNone();
    if (target?.closest("[data-bulk-seen]")) document.getElementById("bulk-progress").replaceChildren();
  });
  document.addEventListener("otklik:shown", show);
  document.addEventListener("htmx:after:request", ({ target, detail }) => {
    const form = target instanceof Element ? target.closest("[data-bulk]") : null;
    if (!form || detail.ctx?.response?.status >= 400) return;
    form.closest("dialog")?.close();
    pickNone();
  });
}
