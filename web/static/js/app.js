// What every page does: toasts, menus, dialogs, the theme, and the live line to the desk.
import { installToasts } from "./toasts.js";
import { installLive } from "./live.js";
import { installPalette } from "./palette.js";
import { installCalls } from "./calls.js";

function toggleTheme() {
  const next = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
  document.documentElement.dataset.bsTheme = next;
  try { localStorage.setItem("otklik-theme", next); } catch { /* storage may be forbidden */ }
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  if (target.closest("[data-theme-toggle]")) toggleTheme();
  const opener = target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
  if (target.closest("[data-close-dialog]")) target.closest("dialog")?.close();
  if (target.nodeName === "DIALOG") target.close(); // a click beside it
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    const inside = menu.contains(target);
    if (!inside || target.closest(".menu-pop button, .menu-pop a")) menu.open = false;
  }
});

// A menu near the lower edge of what scrolls would open out of sight.
document.addEventListener("toggle", (event) => {
  if (event.target.open && event.target.matches("details.menu")) event.target.querySelector(".menu-pop")?.scrollIntoView({ block: "nearest" });
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

// «/» by its place on the keyboard: the search box, or its page where there is no room for a box.
document.addEventListener("keydown", (event) => {
  if (event.code !== "Slash" || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.("input:not([type=radio]), textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
  const box = document.getElementById("search-box");
  if (!box) return;
  event.preventDefault();
  if (box.checkVisibility()) box.select();
  else location.href = box.form.action;
});

// A form that was sent must not be sent again by a second click, unless the answer says it failed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.hasAttribute("hx-post") || form.dataset.sent || event.defaultPrevented) return; // the page stays: so do its buttons
  setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // the page may be stale and its buttons dead
});

installToasts();
installPalette();
if (document.getElementById("ringing")) installCalls();
installLive();
