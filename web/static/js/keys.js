// Keys by their place on the keyboard (event.code), so that they work in the Russian layout; never while one types.
import { tinykeys } from "../vendor/tinykeys.mjs";
import { insertPast } from "./answered.js";
import { insertHolding, startReply } from "./composer.js";
import { partChosen } from "./parting.js";
import { isPicking, pick, pickNone, pickPage } from "./picking.js";

const byId = (id) => document.getElementById(id);

function isTyping(event) {
  const target = event.target;
  return event.isComposing || target.closest?.("input:not([type=radio]), textarea, select, [contenteditable]") !== null;
}

const isBusy = () => document.querySelector("dialog[open]") !== null;

function focusedRow() {
  return document.activeElement?.closest("#rows .row") ?? document.querySelector("#rows a[aria-current]")?.closest(".row");
}

function move(step) {
  const rows = [...document.querySelectorAll("#rows > .row")];
  const at = rows.indexOf(focusedRow());
  const next = rows[at < 0 ? 0 : Math.min(Math.max(at + step, 0), rows.length - 1)];
  next?.querySelector("a").focus();
  next?.scrollIntoView({ block: "nearest" });
  return next;
}

function openMenu(menu) {
  if (!menu) return;
  menu.open = true;
  menu.querySelector(".menu-pop :is(button, a, input:not([type=hidden]))")?.focus();
}

const lastKindMenu = () => [...document.querySelectorAll("#case .kind-menu")].at(-1);

function chooseKind(number) {
  const menu = document.querySelector(".kind-menu[open]");
  menu?.querySelectorAll("button[name=label]")[number - 1]?.click();
}

export function installKeys({ openCase, backToList }) {
  const isCaseOpen = () => Boolean(byId("case")?.dataset.case);
  const step = (by) => {
    const row = move(by);
    if (row && isCaseOpen()) openCase(row.querySelector("a").getAttribute("href"));
  };
  const acts = {
    next: () => step(1),
    previous: () => step(-1),
    open: () => focusedRow()?.querySelector("a").click(),
    pick: () => pick(focusedRow()),
    pickTo: () => pick(focusedRow(), { range: true }),
    pickPage: () => pickPage(),
    reply: () => startReply(),
    holding: () => insertHolding(),
    past: () => insertPast(),
    part: () => partChosen(),
    note: () => byId("note-dialog")?.showModal(),
    route: () => byId("route-dialog")?.showModal(),
    assign: () => document.querySelector("[data-key-assign]")?.click(),
    follow: () => document.querySelector("[data-key-follow]")?.click(),
    mark: () => openMenu(byId("tag-menu")),
    kind: () => openMenu(lastKindMenu()),
    snooze: () => openMenu(byId("snooze-menu")),
    close: () => openMenu(byId(isPicking() ? "bulk-close" : "close-menu")),
    inThread: () => document.querySelector("#close-menu button[value=answered_in_thread]")?.click(),
    undo: () => [...document.querySelectorAll("[data-undo-key]")].at(-1)?.click(),
    write: () => { window.location.href = byId("keys").dataset.write; },
    place: () => openMenu(document.querySelector("[data-filter-menu]")),
    sheet: () => byId("keys")?.showModal(),
  };
  const table = { "Shift+?": acts.sheet };
  for (const { dataset } of document.querySelectorAll("#key-table [data-act]")) table[dataset.code] = acts[dataset.act];
  for (let number = 1; number <= 6; number += 1) table[`Digit${number}`] = () => chooseKind(number);
  document.addEventListener("otklik:act", ({ detail }) => acts[detail]?.());
  const bindings = {};
  for (const [key, act] of Object.entries(table)) {
    bindings[key] = (event) => {
      if (isTyping(event) || isBusy()) return;
      event.preventDefault();
      act();
    };
  }
  bindings.Escape = (event) => {
    if (isBusy() || document.querySelector("details.menu[open]")) return;
    if (isTyping(event)) event.target.blur();
    else if (isPicking()) pickNone();
    else backToList();
  };
  tinykeys(window, bindings, { ignore: (event) => event.repeat || event.isComposing });
}
