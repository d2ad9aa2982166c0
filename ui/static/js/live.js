// Live news for open pages. All tabs of a browser share one server-sent-event stream, held by a shared worker;
// where a browser has none, the page opens a stream of its own.
//   import { listen } from "./live.js";
//   listen("instance:<id>", news => …, missed => …)   // missed: news may have been lost, read the state again

const address = document.documentElement.dataset.events || "/events";
const handlers = new Map(); // topic -> [{onNews, onMissed}]
let send = null;

function dispatch(message) {
  if (message.kind === "news") {
    for (const handler of handlers.get(message.news.topic) || []) handler.onNews(message.news);
  } else if (message.kind === "missed") {
    for (const group of handlers.values()) for (const handler of group) handler.onMissed();
  }
  document.documentElement.dataset.live = message.kind === "lost" ? "lost" : "on";
  dispatchEvent(new CustomEvent("cms-live", { detail: message.kind }));
}

function connect() {
  if (send) return;
  if ("SharedWorker" in window) {
    const worker = new SharedWorker(new URL("./live_worker.js", import.meta.url), { name: "cms-live" });
    worker.port.onmessage = event => dispatch(event.data);
    worker.port.start();
    send = topics => worker.port.postMessage({ address: new URL(address, location.href).href, topics });
    addEventListener("pagehide", () => worker.port.postMessage({ topics: [] }));
    addEventListener("pageshow", event => { if (event.persisted) { announce(); dispatch({ kind: "missed" }); } });
    return;
  }
  let stream = null;
  send = topics => {
    stream?.close();
    stream = new EventSource(`${address}?topics=${encodeURIComponent(topics.join(","))}`);
    stream.addEventListener("open", () => dispatch({ kind: "missed" }));
    stream.addEventListener("resync", () => dispatch({ kind: "missed" }));
    stream.addEventListener("news", event => dispatch({ kind: "news", news: JSON.parse(event.data) }));
    stream.addEventListener("error", () => dispatch({ kind: "lost" }));
  };
}

let announcing = 0;
function announce() {
  clearTimeout(announcing);
  announcing = setTimeout(() => send([...handlers.keys()]), 0);
}

/** Call `onNews(news)` for each news of `topic`, `onMissed()` when some may have been lost. */
export function listen(topic, onNews, onMissed = () => {}) {
  connect();
  handlers.set(topic, [...(handlers.get(topic) || []), { onNews, onMissed }]);
  announce();
}

// Plain elements: <… data-live="tasks:<tenant>"> hears "cms:news" (for htmx: hx-trigger="cms:news").
for (const element of document.querySelectorAll("[data-live]")) {
  const tell = detail => element.dispatchEvent(new CustomEvent("cms:news", { detail }));
  for (const topic of element.dataset.live.split(" ").filter(Boolean)) listen(topic, tell, () => tell(null));
}
