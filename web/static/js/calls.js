// The card of whoever calls, in the corner: asked for when the desk tells of a call, closed for good by a press.
const kept = "otklik-calls-seen";
const seen = () => { try { return JSON.parse(sessionStorage.getItem(kept) ?? "[]"); } catch { return []; } };

export function installCalls() {
  document.addEventListener("otklik:events", (event) => {
    if (event.detail?.kinds?.some((kind) => kind === "call.answered" || kind === "call.missed")) {
      document.dispatchEvent(new CustomEvent("otklik:call"));
    }
  });
  document.addEventListener("click", (event) => {
    const shown = event.target instanceof Element && event.target.closest("[data-close-call]") && event.target.closest(".call-pop");
    if (!shown) return;
    try { sessionStorage.setItem(kept, JSON.stringify([...seen(), shown.dataset.call].slice(-50))); } catch { /* storage may be forbidden */ }
    shown.remove();
  });
  new MutationObserver(() => {
    const shown = document.querySelector(".call-pop");
    if (shown && seen().includes(shown.dataset.call)) shown.remove();
  }).observe(document.body, { childList: true, subtree: true });
}
