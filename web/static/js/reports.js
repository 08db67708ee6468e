// Days typed by hand are days of one's own; the name of a period then no longer says what is shown.
for (const form of document.querySelectorAll("form.cut")) {
  const period = form.elements.period;
  for (const name of ["from", "to"]) form.elements[name].addEventListener("change", () => { period.value = ""; });
  form.addEventListener("submit", () => {
    for (const field of form.elements) {
      const idle = period.value !== "" && (field.name === "from" || field.name === "to");
      if (field.name && (field.value === "" || idle)) field.disabled = true;
    }
  });
}
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
// A page that the browser brings back has its fields as they were.
addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form.cut :disabled")) field.disabled = false;
});
// A long period takes a moment to count: whoever waits for more than an eyeblink sees that it is under way.
const bar = document.querySelector(".waiting-bar");
let soon;
const rest = () => { clearTimeout(soon); if (bar) bar.hidden = true; };
addEventListener("submit", ({ target }) => {
  if (bar && target.matches("form.cut")) soon = setTimeout(() => { bar.hidden = false; }, 150);
});
addEventListener("click", (press) => {
  const link = press.target.closest?.('a[href^="/reports"]');
  if (!bar || !link || link.target || press.ctrlKey || press.metaKey || press.shiftKey) return;
  if (/\.(xlsx|csv|pdf)$/.test(link.pathname)) return; // a file leaves the page as it is
  soon = setTimeout(() => { bar.hidden = false; }, 150);
});
addEventListener("pageshow", rest);
addEventListener("pagehide", rest);
const all = document.querySelector("[data-tick-all]");
all?.addEventListener("change", () => {
  for (const box of document.querySelectorAll('input[name="case"][form="acts"]')) box.checked = all.checked;
});
