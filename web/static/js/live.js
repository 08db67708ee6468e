// What changes on the desk, as events of the document; and the word in the header when the line is cut.
const PATIENCE = 3000;
const AFTER = 2000; // the header follows what is read, and not everybody's at once

let heard = new Date();
let lost = false;
let waiting = null;
let following = null;

function show(state) {
  const place = document.getElementById("live");
  if (!place) return;
  place.dataset.state = state;
  const time = heard.toLocaleTimeString(document.documentElement.lang, { hour: "numeric", minute: "2-digit" });
  place.textContent = state === "lost" ? place.dataset.lost.replace("{time}", time) : "";
}

function receive({ state, data, people }) {
  if (people) document.dispatchEvent(new CustomEvent("otklik:presence", { detail: people }));
  if (!state) return;
  if (state === "lost") {
    waiting ??= setTimeout(() => { lost = true; show("lost"); }, PATIENCE);
    return;
  }
  clearTimeout(waiting);
  waiting = null;
  heard = new Date();
  show("on");
  if (lost) {
    lost = false;
    document.dispatchEvent(new CustomEvent("otklik:resync"));
  }
  if (!data?.kinds.length) return;
  document.dispatchEvent(new CustomEvent("otklik:events", { detail: data }));
  following ??= setTimeout(() => {
    following = null;
    document.dispatchEvent(new CustomEvent("otklik:after"));
  }, AFTER * (1 + 1.5 * Math.random()));
}

function listenAlone(address) {
  let source = null;
  const connect = () => {
    source = new EventSource(address);
    source.onopen = () => receive({ state: "on" });
    source.onmessage = (event) => receive({ state: "on", data: JSON.parse(event.data) });
    source.addEventListener("presence", (event) => receive({ people: JSON.parse(event.data) }));
    source.onerror = () => {
      receive({ state: "lost" });
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
    };
  };
  connect();
}

export function installLive() {
  const address = document.body.dataset.live;
  if (!address) return;
  // A laptop that slept has missed what the stream no longer repeats.
  let seen = Date.now();
  setInterval(() => {
    if (Date.now() - seen > 60000) document.dispatchEvent(new CustomEvent("otklik:resync"));
    seen = Date.now();
  }, 10000);
  if (!window.SharedWorker) {
    listenAlone(address);
    return;
  }
  const worker = new SharedWorker(document.body.dataset.liveWorker, { name: "otklik" });
  worker.port.onmessage = ({ data }) => receive(data);
  worker.onerror = () => listenAlone(address);
  worker.port.start();
  worker.port.postMessage({ address: new URL(address, location.href).href });
  addEventListener("pagehide", () => worker.port.postMessage({ bye: true }));
}
