// A paste is recognised as soon as it lies there: the button does the same for whoever types.
document.addEventListener("paste", (event) => {
  if (event.target.id !== "p-pasted") return;
  setTimeout(() => document.querySelector("[data-paste-read]")?.click());
});
