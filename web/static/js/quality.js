// Checking from the keyboard: 1–6 say the kind.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  const button = document.querySelector(`[data-check] [data-digit="${event.key}"]`);
  if (button) { event.preventDefault(); button.click(); }
});
