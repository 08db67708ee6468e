// Colleagues at the same case: this window gives a sign of life, the stream brings theirs.
const BEAT = 20000;
const QUIET = 30000; // one writes until half a minute after the last key

const me = () => Number(document.body.dataset.staff);
const token = () => document.querySelector('meta[name="csrf-token"]').content;
const window_ = crypto.getRandomValues(new Uint32Array(2)).join("-");

const PASSING = 300; // a case that is passed by looks at nobody

let passing = null;
let people = {};
let typedAt = -QUIET;
let told = "";

const openCase = () => (document.body.classList.contains("has-case") || matchMedia("(min-width: 721px)").matches ? document.querySelector("#case[data-case]")?.dataset.case ?? "" : "");
const mode = () => (performance.now() - typedAt < QUIET && document.getElementById("reply-text")?.value.trim() ? "write" : "look");

function form(gone = false) {
  return new URLSearchParams({ window: window_, case: gone || document.hidden ? "" : openCase(), mode: mode(), csrf_token: token() });
}

/** Tells the desk where this window is; without ``force`` only when that has changed. */
export function tellPresence(force = false) {
  const body = form();
  const now = body.toString();
  if (!force && now === told) return;
  told = now;
  fetch(document.body.dataset.presence, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => {});
}

function badge([id, name, doing], words) {
  const box = document.createElement("span");
  box.className = `here here-${doing}`;
  box.dataset.staff = id;
  const text = words[doing].replace("{name}", name);
  box.title = text;
  const mark = document.createElement("span");
  mark.className = "person";
  mark.style.setProperty("--size", "18px");
  mark.setAttribute("aria-hidden", "true");
  mark.textContent = name.split(/\s+/).slice(0, 2).map((part) => part[0] ?? "").join("").toUpperCase();
  const label = document.createElement("span");
  label.textContent = text;
  box.append(mark, label);
  return box;
}

/** Draws who is where into every place that asks for it; also after rows were drawn anew. */
export function showPresence() {
  const { look, write } = document.body.dataset;
  for (const place of document.querySelectorAll("[data-here]")) {
    const others = (people[place.dataset.here] ?? []).filter(([id]) => id !== me());
    const now = JSON.stringify(others);
    if (place.dataset.shown === now) continue;
    place.dataset.shown = now;
    place.replaceChildren(...others.map((one) => badge(one, { look, write })));
  }
}

export function installPresence() {
  document.addEventListener("otklik:presence", ({ detail }) => { people = detail; showPresence(); });
  document.addEventListener("otklik:shown", () => { showPresence(); clearTimeout(passing); passing = setTimeout(tellPresence, PASSING); });
  document.addEventListener("input", ({ target }) => { if (target.id === "reply-text") { typedAt = performance.now(); tellPresence(); } });
  document.addEventListener("visibilitychange", () => tellPresence());
  setInterval(() => { if (openCase() && !document.hidden) tellPresence(true); else tellPresence(); }, BEAT);
  addEventListener("pagehide", () => { if (told) navigator.sendBeacon(document.body.dataset.presence, form(true)); });
  tellPresence();
}
