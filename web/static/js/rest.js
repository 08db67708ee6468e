// «Остальное»: rows that were read fade, rows that became cases go.
document.addEventListener("otklik:rest", ({ detail }) => {
  for (const id of detail.read ?? []) {
    const row = document.getElementById(`rest-${id}`);
    row?.classList.add("is-read");
    row?.querySelector("button[name=message_id]")?.remove();
  }
  if (detail.gone) document.getElementById(`rest-${detail.gone}`)?.remove();
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-read-page]") : null;
  if (button) {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const ids = [...document.querySelectorAll(".rest-row:not(.is-read)")].map((row) => row.dataset.message);
    const body = new FormData();
    ids.forEach((id) => body.append("message_id", id));
    fetch(button.dataset.action, { method: "POST", body, headers: { "X-CSRFToken": token, "HX-Request": "true" } })
      .then((answer) => { if (answer.ok) document.dispatchEvent(new CustomEvent("otklik:rest", { detail: { read: ids } })); });
  }
  const views = event.target instanceof Element && event.target.closest("[data-views]");
  document.body.classList.toggle("views-open", Boolean(views) && !document.body.classList.contains("views-open"));
});

// One key each, by its place on the keyboard; on a phone a row is a card that is swept to either side.
const rows = () => [...document.querySelectorAll(".rest-row")];
const current = () => document.activeElement?.closest?.(".rest-row");
const press = (row, selector) => row?.querySelector(selector)?.click();

function go(step) {
  const all = rows();
  const at = all.indexOf(current());
  const next = all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const KEYS = {
  KeyJ: () => go(1),
  KeyK: () => go(-1),
  KeyE: () => { press(current(), "button[name=message_id]"); go(1); },
  KeyR: () => { const row = current(); go(1); press(row, "[data-lift] button"); },
  KeyC: () => {
    const menu = current()?.querySelector("details.menu");
    if (menu) { menu.open = true; menu.querySelector(".menu-pop button")?.focus(); }
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing || document.querySelector("dialog[open]")) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const digit = /^Digit([1-6])$/.exec(event.code);
  if (digit) document.querySelectorAll("details.menu[open] button[name=label]")[digit[1] - 1]?.click();
  else if (KEYS[event.code] && document.getElementById("rest-rows")) { event.preventDefault(); KEYS[event.code](); }
});

const ENOUGH = 90;
let swept = null;

document.addEventListener("touchstart", ({ target, touches }) => {
  const row = target.closest?.(".rest-row");
  swept = row && touches.length === 1 ? { row, x: touches[0].clientX, y: touches[0].clientY, by: 0 } : null;
}, { passive: true });
document.addEventListener("touchmove", ({ touches }) => {
  if (!swept) return;
  const [dx, dy] = [touches[0].clientX - swept.x, touches[0].clientY - swept.y];
  if (Math.abs(dy) > Math.abs(dx) && Math.abs(swept.by) < 12) { swept.row.style.transform = ""; swept = null; return; }
  swept.by = dx;
  swept.row.style.transform = `translateX(${dx}px)`;
  swept.row.dataset.swept = Math.abs(dx) < ENOUGH ? "" : dx > 0 ? "read" : "lift";
}, { passive: true });
for (const name of ["touchend", "touchcancel"]) {
  document.addEventListener(name, () => {
    if (!swept) return;
    const { row } = swept;
    const wanted = name === "touchend" ? row.dataset.swept : "";
    row.style.transform = "";
    delete row.dataset.swept;
    if (wanted === "read") press(row, "button[name=message_id]");
    if (wanted === "lift") press(row, "[data-lift] button");
    swept = null;
  });
}
