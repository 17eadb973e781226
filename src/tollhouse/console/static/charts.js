// Draws the table of each <figure data-chart>. The table is the source: without this module it stays, and it stays
// below the plot for whoever reads rather than looks. What a table says of itself:
//   th[data-series="bar"]    a column that is drawn, stacked on those before it
//   th[data-series="ghost"]  a column that is drawn as a dashed line behind them
//   tr[data-label]           what stands below its bar; data-from and data-until: the span it covers
//   td[data-value]           the exact figure of a cell; its text is what people read
// A figure with data-zoom leads to its own address with the span that was drawn over.

const drawn = new Map(); // figure -> {plot, watcher}
const opened = new Set(); // ids of figures whose table somebody opened

const read = (figure) => {
  const table = figure.querySelector("table");
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  const totals = table.tFoot ? [...table.tFoot.rows[0].cells] : [];
  const series = heads.flatMap((head, column) => head.dataset.series
    ? [{ column, kind: head.dataset.series, name: head.textContent.trim(), total: totals[column]?.textContent.trim() ?? "" }]
    : []);
  for (const one of series) {
    one.values = rows.map((row) => row.cells[one.column].dataset.value === undefined ? null : Number(row.cells[one.column].dataset.value));
    one.texts = rows.map((row) => row.cells[one.column].textContent.trim());
  }
  return { rows, series, labels: rows.map((row) => row.dataset.label ?? row.cells[0].textContent.trim()) };
};

// A number on an axis: short, never with an exponent.
const short = (unit) => (value) => {
  if (value === null) return "";
  const size = Math.abs(value);
  const text = size >= 1e9 ? `${+(value / 1e9).toFixed(1)}G` : size >= 1e6 ? `${+(value / 1e6).toFixed(1)}M`
    : size >= 1e4 ? `${+(value / 1e3).toFixed(1)}k` : `${+value.toFixed(9)}`;
  return unit === "usd" ? `$${text}` : text;
};

const span = (name, text = "") => {
  const made = document.createElement("span");
  made.className = name;
  made.textContent = text;
  return made;
};

// The names of the series with the figures under the cursor; its swatches also tell the plot its colours.
const legendOf = (series, words) => {
  const list = document.createElement("ul");
  list.className = "legend";
  const when = document.createElement("li");
  when.className = "when";
  when.textContent = words;
  list.append(when);
  for (const one of series) {
    const item = document.createElement("li");
    one.swatch = span(`swatch ${one.kind === "ghost" ? "ghost" : `s${one.place}`}`);
    one.figure = span("value", one.total);
    item.append(one.swatch, span("name", one.name), one.figure);
    list.append(item);
  }
  return { list, when };
};

const stacked = (bars) => {
  let below = bars[0].values.map(() => 0);
  return bars.map((bar) => (below = below.map((height, at) => height + (bar.values[at] ?? 0))));
};

const colour = (element, property) => getComputedStyle(element)[property];

const options = (figure, host, data, hooks) => {
  const { series, labels } = data;
  const bars = series.filter((one) => one.kind === "bar").reverse(); // the tallest first, the others are drawn over it
  const ghosts = series.filter((one) => one.kind === "ghost");
  const text = colour(figure, "color"), line = colour(host, "borderTopColor");
  const font = `12px ${colour(figure, "fontFamily")}`;
  const axis = { stroke: text, font, ticks: { show: false } };
  const unit = short(figure.dataset.unit);
  return {
    width: host.clientWidth,
    height: host.clientHeight,
    legend: { show: false },
    padding: [8, 4, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: "zoom" in figure.dataset, y: false, setScale: false } },
    scales: { x: { time: false, range: [-0.5, labels.length - 0.5] }, y: { range: (u, low, high) => [0, high > 0 ? high * 1.05 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 30, incrs: [1, 2, 3, 4, 6, 7, 12, 14, 24, 48, 60, 120, 240, 480],
        values: (u, places) => places.map((place) => labels[place] ?? "") },
      { ...axis, grid: { stroke: line, width: 1 }, space: 40, size: 64, incrs: figure.dataset.unit === "usd" ? undefined : [1, 2, 5, 10, 20, 50, ...[1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].flatMap((ten) => [ten, 2 * ten, 5 * ten])],
        values: (u, places) => places.map(unit) },
    ],
    series: [
      {},
      ...bars.map((bar) => ({ fill: colour(bar.swatch, "backgroundColor"), stroke: colour(host, "backgroundColor"), width: labels.length > 120 ? 0 : 1,
        paths: uPlot.paths.bars({ size: [labels.length > 120 ? 1 : 0.8, 48], radius: 0 }), points: { show: false } })),
      ...ghosts.map((ghost) => ({ stroke: colour(ghost.swatch, "borderTopColor"), width: 1.5, dash: [5, 4], points: { show: labels.length < 2 } })),
    ],
    hooks,
  };
};

const draw = (figure) => {
  erase(figure);
  const data = read(figure);
  if (!data.rows.length || !data.series.length) return;
  data.series.filter((one) => one.kind === "bar").forEach((bar, at) => (bar.place = at + 1));
  const words = figure.dataset.sum ?? "";
  const { list, when } = legendOf(data.series, words);
  const host = Object.assign(document.createElement("div"), { className: "plot", tabIndex: 0 });
  host.setAttribute("role", "group");
  host.setAttribute("aria-label", figure.dataset.keys ?? "");
  const said = span("hidden");
  said.setAttribute("role", "status");
  const frame = Object.assign(document.createElement("div"), { className: "drawn" });
  frame.append(list, host, said);
  const details = figure.querySelector("details");
  details.before(frame);
  details.open = opened.has(figure.id);
  details.addEventListener("toggle", () => (details.open ? opened.add(figure.id) : opened.delete(figure.id)));

  let at = null, speaking;
  const show = (place) => {
    at = place;
    const row = place === null ? null : data.rows[place];
    when.textContent = row ? row.cells[0].textContent.trim() : words;
    for (const one of data.series) one.figure.textContent = row ? one.texts[place] : one.total;
    host.classList.toggle("leads", Boolean(row?.querySelector("a")));
  };
  const follow = () => at !== null && data.rows[at].querySelector("a")?.click();
  const zoom = (first, last) => {
    const address = new URL(location.href);
    address.searchParams.set("from", data.rows[first].dataset.from);
    address.searchParams.set("to", data.rows[last].dataset.until);
    for (const name of ["span", "every"]) address.searchParams.delete(name);
    location.assign(address);
  };
  const hooks = {
    setCursor: [(u) => show(u.cursor.idx ?? null)],
    setSelect: [(u) => {
      if (u.select.width < 12) return;
      const [first, last] = [u.select.left, u.select.left + u.select.width].map((left) => Math.round(u.posToVal(left, "x")));
      zoom(Math.max(0, first), Math.min(data.rows.length - 1, last));
    }],
  };
  const bars = data.series.filter((one) => one.kind === "bar");
  const heights = [...(bars.length ? stacked(bars).reverse() : []), ...data.series.filter((one) => one.kind === "ghost").map((one) => one.values)];
  const plot = new uPlot(options(figure, host, data, hooks), [data.labels.map((_, place) => place), ...heights], host);
  plot.root.setAttribute("aria-hidden", "true");
  let pressed = 0;
  plot.over.addEventListener("mousedown", (event) => (pressed = event.clientX));
  plot.over.addEventListener("click", (event) => Math.abs(event.clientX - pressed) < 4 && follow());

  const move = (place) => {
    plot.setCursor({ left: plot.valToPos(place, "x"), top: 0 });
    show(place);
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      said.textContent = [data.rows[place].cells[0].textContent.trim(), ...data.series.filter((one) => one.values[place]).map((one) => `${one.name} ${one.texts[place]}`)].join(", ");
    }, 250);
  };
  host.addEventListener("keydown", (event) => {
    const end = data.rows.length - 1;
    const places = { ArrowLeft: at === null ? end : Math.max(0, at - 1), ArrowRight: at === null ? 0 : Math.min(end, at + 1), Home: 0, End: end };
    if (event.key in places) move(places[event.key]);
    else if (event.key === "Enter") follow();
    else if (event.key === "Escape") { plot.setCursor({ left: -10, top: -10 }); show(null); }
    else return;
    event.preventDefault();
  });
  const watcher = new ResizeObserver(() => host.clientWidth && plot.setSize({ width: host.clientWidth, height: host.clientHeight }));
  watcher.observe(host);
  figure.dataset.drawn = "";
  drawn.set(figure, { plot, watcher, frame });
};

const erase = (figure) => {
  const there = drawn.get(figure);
  if (!there) return;
  there.watcher.disconnect();
  there.plot.destroy();
  there.frame.remove();
  drawn.delete(figure);
};

const drawAll = () => {
  for (const figure of drawn.keys()) if (!figure.isConnected) erase(figure);
  document.querySelectorAll("figure[data-chart]").forEach(draw);
};

drawAll();
document.addEventListener("htmx:after:swap", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
