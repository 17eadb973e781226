// Parts of a page that change while one looks: [data-live] is fetched anew when calls of the account have ended. Where
// the page is not seen nothing is fetched; who comes back is told what was missed.

const part = document.querySelector("[data-live]");
let source = null, last = "", due = null, fetched = 0;

const fetchAnew = () => {
  due = null;
  fetched = Date.now();
  const target = `#${part.id}`;
  htmx.ajax("GET", location.href, { target, select: target, swap: "outerMorph" });
};

// The first change shows at once, further ones each second at most.
const changed = (event) => {
  last = event.lastEventId || last;
  due ??= setTimeout(fetchAnew, Math.max(0, fetched + 1000 - Date.now()));
};

const listen = () => {
  if (source) return;
  source = new EventSource(`/console/events${last ? `?after=${encodeURIComponent(last)}` : ""}`);
  source.addEventListener("message", changed);
  source.addEventListener("refresh", changed);
  source.addEventListener("bye", () => { source.close(); location.reload(); });
};

const stop = () => {
  source?.close();
  source = null;
};

if (part && window.htmx) {
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", () => document.hidden || listen());
  if (!document.hidden) listen();
}
