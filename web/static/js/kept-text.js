// A text that is being written stays in this browser until it has arrived: also when the signal, or the page, is lost.
const KEEP_DAYS = 14;
const PREFIX = "otklik-text:";

function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(PREFIX + key));
    return kept && Date.now() - kept.at < KEEP_DAYS * 86_400_000 ? kept.text : "";
  } catch { return ""; }
}

function write(key, text) {
  try {
    if (text.trim()) localStorage.setItem(PREFIX + key, JSON.stringify({ text, at: Date.now() }));
    else localStorage.removeItem(PREFIX + key);
    return true;
  } catch { return false; /* storage may be forbidden or full */ }
}

function sweep() {
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(PREFIX) && !read(name.slice(PREFIX.length))) localStorage.removeItem(name);
    }
  } catch { /* storage may be forbidden */ }
}

function grow(field) {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 4, innerHeight * 0.6)}px`;
}

for (const done of document.querySelectorAll("[data-forget]")) write(done.dataset.forget, "");
sweep();

for (const field of document.querySelectorAll("textarea[data-keep]")) {
  const note = field.form?.querySelector("[data-kept]");
  const kept = read(field.dataset.keep);
  if (kept && !field.value) {
    field.value = kept;
    if (note) note.textContent = note.dataset.kept;
  }
  grow(field);
  let timer = 0;
  const keep = () => {
    clearTimeout(timer);
    const stored = write(field.dataset.keep, field.value);
    if (note) note.textContent = stored && field.value.trim() ? note.dataset.kept : "";
  };
  field.addEventListener("input", () => { grow(field); clearTimeout(timer); timer = setTimeout(keep, 300); });
  addEventListener("pagehide", keep);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) field.form.requestSubmit();
  });
}

// htmx says so when no answer came at all; a refusal of the desk has its own words.
document.addEventListener("htmx:error", (event) => {
  const form = event.target instanceof Element ? event.target.closest("form[data-lost]") : null;
  if (form) document.dispatchEvent(new CustomEvent("otklik:toasts", { detail: { toasts: [{ text: form.dataset.lost, kind: "problem" }] } }));
});

// Files chosen from the phone cannot be kept: their number stands beside the buttons, so that nobody forgets them.
for (const form of document.querySelectorAll("form.answer")) {
  const told = form.querySelector("[data-chosen]");
  form.addEventListener("change", () => {
    const count = [...form.querySelectorAll("[data-count]")].reduce((sum, input) => sum + input.files.length, 0);
    if (told) told.textContent = count ? told.dataset.chosen.replace("{count}", count) : "";
  });
}
