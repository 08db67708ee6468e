// Keeps the page alive: asks for the changed parts every two seconds and sets the form to an answer without a reload.
"use strict";

const main = document.querySelector("main[data-fragment]");
const form = document.getElementById("write");
const PAUSE = 2000;

function idsOnPage() {
  return new Set([...document.querySelectorAll("#threads .comment")].map((comment) => comment.id));
}

function take(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const known = idsOnPage();
  for (const id of ["places", "threads"]) {
    const now = document.getElementById(id);
    const next = fresh.getElementById(id);
    if (!now || !next || now.innerHTML === next.innerHTML) continue;
    now.replaceChildren(...next.childNodes);
  }
  for (const comment of document.querySelectorAll("#threads .comment")) {
    if (!known.has(comment.id)) comment.classList.add("fresh");
  }
}

let last = "";
async function look() {
  try {
    if (!document.hidden) {
      const answer = await fetch(main.dataset.fragment, { cache: "no-cache" });
      const html = answer.ok ? await answer.text() : last;
      if (html !== last && last) take(html);
      last = html;
    }
  } catch {
    // The sandbox is being restarted; the next look will find it.
  }
  setTimeout(look, PAUSE);
}

function answer(id, name) {
  form.elements.parent.value = id;
  const line = form.querySelector(".answering");
  line.hidden = !id;
  line.querySelector("b").textContent = name;
  if (!id) return;
  drawer.open = true;
  form.elements.text.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.reply, a.drop");
  if (!link || !form) return;
  event.preventDefault();
  answer(link.dataset.to || "", link.dataset.name || "");
});

// On a phone the list and the form would push the conversation off the screen, so they open on a tap.
const drawer = document.querySelector("details.write");
if (window.matchMedia("(max-width: 760px)").matches) {
  document.querySelector("details.list").open = false;
  const busy = form && (form.elements.parent.value || form.elements.text.value || location.hash === "#write");
  if (drawer && !busy) drawer.open = false;
}

if (location.hash.startsWith("#comment-")) {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target) target.classList.add("target");
}
look();

// On a phone the row of platforms is wider than the screen: the opened one must be seen.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
