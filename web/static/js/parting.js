// Words chosen in a message of the author become a case of their own: a button beside the selection, or the key S.
import { showToast } from "./toasts.js";

const LEAST = 3;
const button = () => document.getElementById("part-button");

/** The words chosen in one message, or null. */
function chosen() {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || selection.rangeCount === 0) return null;
  const range = selection.getRangeAt(0);
  const node = range.commonAncestorContainer;
  const text = (node instanceof Element ? node : node.parentElement)?.closest("[data-parts]");
  const words = selection.toString().trim();
  if (!text || words.length < LEAST) return null;
  return { message: text.dataset.parts, words, box: range.getBoundingClientRect() };
}

function place() {
  const mark = button();
  if (!mark) return;
  const found = chosen();
  mark.hidden = !found;
  if (!found) return;
  const room = document.documentElement.clientWidth - mark.offsetWidth - 8;
  mark.style.left = `${Math.max(8, Math.min(found.box.left, room))}px`;
  const below = found.box.bottom + 6;
  const fits = below + mark.offsetHeight < document.documentElement.clientHeight;
  mark.style.top = `${fits ? below : found.box.top - mark.offsetHeight - 6}px`;
}

export function partChosen() {
  const found = chosen();
  const form = document.getElementById("part-form");
  if (!form) return;
  if (!found) { showToast({ text: form.dataset.none, kind: "problem" }); return; }
  form.elements.message_id.value = found.message;
  form.elements.text.value = found.words;
  form.elements.form_key.value = crypto.randomUUID?.() ?? String(Math.random()).slice(2) + Date.now();
  document.getSelection().removeAllRanges();
  form.requestSubmit();
}

export function installParting() {
  let timer = null;
  document.addEventListener("selectionchange", () => { clearTimeout(timer); timer = setTimeout(place, 150); });
  document.addEventListener("scroll", () => { const mark = button(); if (mark) mark.hidden = true; }, true);
  // A press would end the selection before it is read.
  document.addEventListener("pointerdown", (event) => {
    if (event.target instanceof Element && event.target.closest("#part-button")) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("#part-button")) partChosen();
  });
}
