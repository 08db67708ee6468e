// «Мы уже отвечали»: an answer that was given before goes into the reply by a click or by Q; Q again takes the next.
import { insertText } from "./composer.js";

const all = () => [...document.querySelectorAll("#past-more [data-past]")];
let last = null;

function insert(button) {
  const text = document.getElementById("reply-text");
  if (!text) return;
  const words = button.querySelector("template").content.textContent;
  // The one that was put in by the last press gives way: one looks through them without rubbing out.
  if (last && text.value.trim() === last.trim()) text.setSelectionRange(0, text.value.length);
  else if (text.value.trim() && text.selectionStart === text.value.length) insertText("\n\n");
  insertText(words);
  last = words;
  document.getElementById("past-more").open = false;
}

/** The nearest answer; the next one where it is in the reply already. */
export function insertPast() {
  const found = all();
  if (!found.length) return;
  const at = found.findIndex((button) => button.querySelector("template").content.textContent === last);
  const isThere = document.getElementById("reply-text")?.value.trim() === (last ?? "").trim() && last;
  insert(found[isThere ? (at + 1) % found.length : 0]);
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-past]") : null;
  if (button) insert(button.hasAttribute("data-past-first") ? all()[0] : button);
});
