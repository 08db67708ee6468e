// Of the roles only those that the absent person holds are offered; the head's and a department's are ticked.
const who = document.querySelector("[data-lends]");

function offer(fresh) {
  const held = (who.selectedOptions[0]?.dataset.roles ?? "").split(" ");
  for (const label of document.querySelectorAll("[data-role]")) {
    const box = label.querySelector("input");
    const has = held.includes(label.dataset.role);
    label.hidden = !has;
    if (!has) box.checked = false;
    else if (fresh) box.checked = ["head", "manager"].includes(label.dataset.role);
  }
  document.querySelector(".away-roles").hidden = !held[0];
}

who?.addEventListener("change", () => offer(true));
if (who) offer(false);
