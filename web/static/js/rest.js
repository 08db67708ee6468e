// «Остальное»: rows that were read fade, rows that became cases go.
document.addEventListener("otklik:rest", ({ detail }) => {
  for (const id of detail.read ?? []) {
    const row = document.getElementById(`rest-${id}`);
    row?.classList.add("is-read");
    row?.querySelector("button[name=message_id]")?.remove();
  }
  if (detail.gone) document.getElementById(`rest-${detail.gone}`)?.remove();
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-read-page]") : null;
  if (button) {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const ids = [...document.querySelectorAll(".rest-row:not(.is-read)")].map((row) => row.dataset.message);
    const body = new FormData();
    ids.forEach((id) => body.append("message_id", id));
    fetch(button.dataset.action, { method: "POST", body, headers: { "X-CSRFToken": token, "HX-Request": "true" } })
      .then((answer) => { if (answer.ok) document.dispatchEvent(new CustomEvent("otklik:rest", { detail: { read: ids } })); });
  }
  const views = event.target instanceof Element && event.target.closest("[data-views]");
  document.body.classList.toggle("views-open", Boolean(views) && !document.body.classList.contains("views-open"));
});
