// Short words at the edge of the screen; the undo toast counts down and posts.
const LIFE = 5000;

const region = () => document.getElementById("toasts");

function post(address) {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  return window.htmx.ajax("POST", address, { swap: "none", headers: { "X-CSRFToken": token } });
}

function button(text, act, css = "") {
  const element = document.createElement("button");
  element.type = "button";
  element.className = css;
  element.textContent = text;
  element.addEventListener("click", act);
  return element;
}

/** Into the top layer anew, so that an open dialog does not cover the words. */
function rise() {
  const place = region();
  if (!place.showPopover) return;
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover();
}

export function showToast({ text, kind = "done", undo, now, seconds = 0, label: wording }) {
  const box = document.createElement("div");
  box.className = `toast-box toast-${kind}`;
  const words = document.createElement("span");
  words.textContent = text;
  box.append(words);
  const leave = () => { clearInterval(box.timer); box.remove(); };
  if (undo) {
    let left = Math.ceil(seconds);
    const label = () => (wording ?? region().dataset.undo).replace("{left}", left);
    const back = button(label(), () => { leave(); post(undo); }, "toast-back");
    back.dataset.undoKey = "";
    box.append(back);
    if (now) box.append(button(region().dataset.now, () => { leave(); post(now); }));
    box.timer = setInterval(() => {
      left -= 1;
      if (left <= 0) leave();
      else back.textContent = label();
    }, 1000);
  } else {
    box.timer = setInterval(() => { if (!box.matches(":hover")) leave(); }, kind === "problem" ? LIFE * 2 : LIFE);
    const close = button("×", leave, "toast-close");
    close.setAttribute("aria-label", region().dataset.close);
    box.append(close);
  }
  if (kind === "done") region().querySelectorAll(".toast-done").forEach((old) => old.remove());
  region().append(box);
  rise();
  return box;
}

export function installToasts() {
  for (const seed of document.querySelectorAll(".toast-seed")) {
    showToast(JSON.parse(seed.dataset.toast));
    seed.remove();
  }
  document.addEventListener("otklik:toasts", (event) => event.detail.toasts.forEach(showToast));
}
