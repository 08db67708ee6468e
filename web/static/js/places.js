// After a check or a refused save: what came of it is brought into view, since the form is longer than the screen.
document.addEventListener("htmx:after:swap", () => {
  const form = document.getElementById("place-form");
  const told = form?.querySelector(".has-problem, .problem, .checked");
  told?.scrollIntoView({ block: "center", behavior: "smooth" });
});
