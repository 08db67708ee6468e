// One line to the desk for all tabs of a browser: HTTP/1.1 allows six connections a host, and a stream holds one.
const ports = new Set();
let source = null;
let state = "lost";
let address = "";
let last = null;
let people = {};

function tell(message) {
  for (const port of ports) port.postMessage(message);
}

function connect() {
  source?.close();
  source = new EventSource(last === null ? address : `${address}?after=${last}`);
  source.onopen = () => { state = "on"; tell({ state }); };
  source.onmessage = (event) => {
    const data = JSON.parse(event.data);
    last = data.id;
    tell({ state: "on", data });
  };
  source.addEventListener("presence", (event) => {
    people = JSON.parse(event.data);
    tell({ people });
  });
  source.onerror = () => {
    state = "lost";
    tell({ state });
    // A refusal (the session has ended, the desk restarts) closes the source for good: ask again by ourselves.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  };
}

self.onconnect = (event) => {
  const port = event.ports[0];
  ports.add(port);
  port.onmessage = ({ data }) => {
    if (data.bye) ports.delete(port);
    if (data.address && !source) { address = data.address; connect(); }
    if (data.address) port.postMessage({ state, people });
  };
  port.start();
};
