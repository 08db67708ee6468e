// Files with a reply: chosen, pasted or dropped; looked at here first, then sent one by one with their progress.
const MEGABYTE = 1048576;
const token = () => document.querySelector("input[name=csrf_token]").value;

function say(text) {
  document.dispatchEvent(new CustomEvent("otklik:toasts", { detail: { toasts: [{ text, kind: "problem" }] } }));
}

const kindOf = ({ type }) => (/^(image|video|audio)\//.exec(type)?.[1] ?? "document").replace("image", "photo");

/** Why the platform would not take it, or nothing. */
function trouble(file, limits, words) {
  const largest = limits.largest[kindOf(file)];
  if (largest === undefined) return words.kind;
  if (file.size > largest) return words.large.replace("{most}", Math.floor(largest / MEGABYTE));
  if (document.querySelectorAll("#reply-files .chip-file").length >= limits.most) return words.many.replace("{most}", limits.most);
  return "";
}

function send(file, address) {
  const list = document.getElementById("reply-files");
  const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0, ariaLabel: file.name });
  const chip = Object.assign(document.createElement("span"), { className: "chip chip-loading", textContent: file.name });
  chip.append(bar);
  list.append(chip);
  return new Promise((resolve) => {
    const call = new XMLHttpRequest();
    call.open("POST", address);
    call.setRequestHeader("X-CSRFToken", token());
    call.setRequestHeader("HX-Request", "true");
    call.upload.addEventListener("progress", ({ loaded, total }) => { bar.value = total ? loaded / total : 0; });
    call.addEventListener("loadend", () => {
      chip.remove();
      if (call.status === 200) {
        const place = document.getElementById("reply-files");
        place.outerHTML = call.responseText;
        window.htmx.process(document.getElementById("reply-files"));
        document.getElementById("reply-text").dispatchEvent(new Event("input", { bubbles: true })); // the limit is another
      } else {
        const told = call.getResponseHeader("HX-Trigger");
        const toasts = told ? JSON.parse(told)["otklik:toasts"]?.toasts : null;
        if (toasts) document.dispatchEvent(new CustomEvent("otklik:toasts", { detail: { toasts } }));
        else say(document.querySelector("[data-attach]").dataset.failed);
      }
      resolve();
    });
    const body = new FormData();
    body.append("file", file);
    call.send(body);
  });
}

async function add(files) {
  const button = document.querySelector("[data-attach]");
  if (!button || !files.length) return;
  if (button.disabled) { say(button.title); return; }
  const [limits, words] = [JSON.parse(button.dataset.limits), JSON.parse(button.dataset.words)];
  for (const file of files) {
    const why = trouble(file, limits, words);
    if (why) say(`${file.name}: ${why}`);
    else await send(file, button.dataset.attach); // one after another: each is looked at beside those before it
  }
}

document.addEventListener("click", ({ target }) => {
  if (target.closest?.("[data-attach]")) document.getElementById("reply-file")?.click();
});
document.addEventListener("change", ({ target }) => {
  if (target.id !== "reply-file") return;
  add([...target.files]).then(() => { target.value = ""; });
});
document.addEventListener("paste", (event) => {
  const { files, types } = event.clipboardData;
  // A text out of an office program brings a picture of itself along: the text is meant.
  if (event.target.id !== "reply-text" || !files.length || types.includes("text/plain")) return;
  event.preventDefault();
  add([...files]);
});
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => {
    if (!event.target.closest?.("#composer") || ![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    if (name === "drop") add([...event.dataTransfer.files]);
  });
}
