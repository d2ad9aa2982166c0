// The shared worker behind live.js: one EventSource for all tabs of this browser.
// A change of topics opens the new stream first and closes the old one once it is open, so that nothing is missed.
const ports = new Map(); // port -> topics
let current = null, opening = null, carried = "", address = null, changing = 0;

const tell = (port, message) => port.postMessage(message);
const everyone = message => { for (const port of ports.keys()) tell(port, message); };

function wanted() {
  return [...new Set([...ports.values()].flat())].sort().slice(0, 40).join(",");
}

function news(event) {
  const message = { kind: "news", news: JSON.parse(event.data) };
  for (const [port, topics] of ports) if (topics.includes(message.news.topic)) tell(port, message);
}

function renew() {
  const topics = wanted();
  if (topics === carried && (current || opening)) return;
  carried = topics;
  opening?.close();
  opening = null;
  if (!topics) { current?.close(); current = null; return; }
  const stream = new EventSource(`${address}?topics=${encodeURIComponent(topics)}`);
  opening = stream;
  stream.addEventListener("open", () => {
    if (opening === stream) { current?.close(); current = stream; opening = null; }
    everyone({ kind: "missed" }); // opened anew: what happened before is read from the server
  });
  stream.addEventListener("news", news);
  stream.addEventListener("resync", () => everyone({ kind: "missed" }));
  stream.addEventListener("error", () => {
    everyone({ kind: "lost" });
    if (stream.readyState === EventSource.CLOSED) { // refused (signed out, server full): try again later
      if (opening === stream) opening = null;
      if (current === stream) current = null;
      setTimeout(renew, 5000);
    }
  });
}

onconnect = event => {
  const port = event.ports[0];
  ports.set(port, []);
  port.onmessage = ({ data }) => {
    if (data.address) address = data.address;
    if (data.topics.length) ports.set(port, data.topics); else ports.delete(port);
    clearTimeout(changing);
    changing = setTimeout(renew, 20); // leaving one page and entering the next is one change
  };
};
