// First steps on the training desk: each ends by doing what it says; closed for good by a button, begun again from the help.
const NAME = "otklik-tour";
const byId = (id) => document.getElementById(id);
let at = 0;
let sent = null; // the case that the own reply was written on
let sentAt = 0;
const PATIENCE = 40_000; // where a platform shows a bot no history, what it accepted is all that will be known

function read() {
  try { return localStorage.getItem(NAME) ?? "0"; } catch { return "closed"; }
}

function keep(value) {
  try { localStorage.setItem(NAME, value); } catch { /* a browser that keeps nothing shows it anew */ }
}

const steps = () => [...byId("tour-steps").children];

function mark() {
  for (const old of document.querySelectorAll(".tour-target")) old.classList.remove("tour-target");
  const target = steps()[at]?.dataset.target;
  if (target) document.querySelector(target)?.classList.add("tour-target");
}

function draw() {
  const bar = document.querySelector(".tour");
  const step = steps()[at];
  const isEnd = step.hasAttribute("data-end");
  bar.querySelector(".tour-text").textContent = step.textContent;
  const count = bar.querySelector(".tour-count");
  count.textContent = count.dataset.text.replace("{at}", Math.min(at + 1, 5));
  bar.querySelector("[data-tour-next]").hidden = at !== 1;
  bar.classList.toggle("is-done", isEnd);
  mark();
}

function go(step) {
  if (step <= at || !document.querySelector(".tour")) return;
  at = step;
  keep(steps()[at].hasAttribute("data-end") ? "closed" : String(at));
  draw();
}

function close() {
  keep("closed");
  document.querySelector(".tour")?.remove();
  for (const old of document.querySelectorAll(".tour-target")) old.classList.remove("tour-target");
}

/** Where one stands: a case is open, our own reply stands in its thread. */
function look() {
  if (!document.querySelector(".tour")) return;
  if (at === 0 && byId("case")?.dataset.case) go(1);
  const shown = byId("case")?.dataset.case;
  const isRead = document.querySelector("#thread .msg-ours:not(.msg-going) .proof-good");
  const isAccepted = Date.now() - sentAt > PATIENCE && document.querySelector("#case .msg-ours .proof-good");
  if (at === 4 && shown && shown === sent && (isRead || isAccepted)) go(5);
  mark();
}

function begin() {
  const asked = new URLSearchParams(location.search).has("tour");
  const stored = asked ? "0" : read();
  if (stored === "closed") return;
  if (asked) keep("0");
  const bar = byId("tour").content.firstElementChild.cloneNode(true);
  const count = bar.querySelector(".tour-count");
  count.dataset.text = count.textContent;
  byId("main").before(bar);
  at = Math.min(Number(stored) || 0, 2); // what was written before a reload is a draft still
  draw();
  look();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("[data-tour-close]")) close();
  if (target?.closest("[data-tour-next]")) go(2);
});
// A text that was inserted makes no «input».
for (const kind of ["input", "keyup", "click"]) {
  document.addEventListener(kind, () => { if (at === 2 && byId("reply-text")?.value.trim()) go(3); });
}
document.addEventListener("otklik:changed", ({ detail }) => {
  if (!detail.sent) return;
  sent = String(detail.case);
  sentAt = Date.now();
  setTimeout(look, PATIENCE + 1000);
  go(4);
});
document.addEventListener("otklik:shown", look);

if (byId("tour")) begin();
