// Reading answers from the keyboard: 1–5 mark the criterion in hand, 0 says that it does not apply, Enter goes on.
const form = document.querySelector("[data-review]");
const groups = form ? [...form.querySelectorAll("fieldset")] : [];

function inHand() {
  const at = groups.findIndex((group) => group.contains(document.activeElement));
  if (at >= 0) return at;
  const open = groups.findIndex((group) => !group.querySelector(":checked"));
  return open >= 0 ? open : 0;
}

document.addEventListener("keydown", (event) => {
  if (!form || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("textarea, input:not([type=radio]), select, dialog, summary, a")) return;
  const mark = /^(?:Digit|Numpad)([0-5])$/.exec(event.code)?.[1];
  if (mark !== undefined) {
    event.preventDefault();
    const at = inHand();
    const choice = groups[at].querySelector(`[value="${mark}"]`);
    choice.checked = true;
    const next = groups[at + 1];
    (next ? next.querySelector(":checked") ?? next.querySelector("input") : choice).focus();
  } else if (event.key === "Enter" && event.target.tagName !== "BUTTON") {
    event.preventDefault();
    form.requestSubmit();
  }
});
