// Drawing a BPMN diagram with the page's own colours: bpmn-js' navigated viewer plus fit, centre and zoom tools.
// bpmn-js is loaded by the page as a classic script (global BpmnJS); its mark stays visible.

/** Below this scale the names cannot be read; READABLE is the scale for a part of the diagram. */
const SMALLEST = 0.62, READABLE = 0.8;

const font = { fontFamily: "Inter, sans-serif", fontWeight: "500", lineHeight: 1.25 };

/** Draw `xml` into `box`; returns a Diagram. Throws when there is nothing to draw. */
export async function drawDiagram(box, xml, { fontSize = 12 } = {}) {
  await document.fonts.load("500 12px Inter");
  const viewer = new window.BpmnJS({
    container: box,
    textRenderer: { defaultStyle: { ...font, fontSize }, externalStyle: { ...font, fontSize: fontSize - 0.5 } },
    bpmnRenderer: { defaultFillColor: "var(--surface)", defaultStrokeColor: "var(--text-3)", defaultLabelColor: "var(--text)" },
  });
  try {
    await viewer.importXML(xml);
  } catch (error) {
    viewer.destroy();
    throw error;
  }
  return new Diagram(box, viewer);
}

/** One drawn diagram: marks, badges and the view onto it. */
export class Diagram {
  constructor(box, viewer) {
    this.box = box;
    this.viewer = viewer;
    this.canvas = viewer.get("canvas");
    this.overlays = viewer.get("overlays");
    this.elements = viewer.get("elementRegistry");
    this.marked = [];
    const svg = box.querySelector("svg[data-element-id]"); // can be focused and moved by keys; the lists beside it say the same in words
    svg?.setAttribute("role", "img");
    svg?.setAttribute("aria-label", box.getAttribute("aria-label") || "Diagram");
    this.canvas.resized();
    this.fit();
    new ResizeObserver(() => { this.canvas.resized(); if (this.view === "whole") this.fit(); }).observe(box);
    const own = event => { if (event.target.closest?.("svg")) this.view = "own"; }; // whoever moves it himself is left alone
    box.addEventListener("wheel", own, { passive: true });
    box.addEventListener("pointerdown", own);
  }

  /** The scale at which the whole diagram fits, never larger than life by more than a tenth. */
  get fitting() {
    const inner = this.canvas.viewbox().inner, pad = 28;
    return Math.max(0.2, Math.min(1.1, (this.box.clientWidth - 2 * pad) / inner.width, (this.box.clientHeight - 2 * pad - 20) / inner.height));
  }

  /** Show the whole diagram. */
  fit() {
    const { clientWidth: width, clientHeight: height } = this.box;
    if (!width || !height) return;
    const inner = this.canvas.viewbox().inner, scale = this.fitting;
    const w = width / scale, h = height / scale;
    this.canvas.viewbox({ x: inner.x - (w - inner.width) / 2, y: inner.y - (h - inner.height) / 2 + 4 / scale, width: w, height: h });
    this.view = "whole";
  }

  /** Put an element in the middle of the view. */
  centre(id, scale = READABLE) {
    const element = this.elements.get(id);
    if (!element || !this.box.clientWidth) return;
    const root = this.canvas.findRoot(element);
    if (root && root !== this.canvas.getRootElement()) this.canvas.setRootElement(root);
    const { x, y, width = 0, height = 0 } = middle(element);
    const w = this.box.clientWidth / scale, h = this.box.clientHeight / scale, inner = this.canvas.viewbox().inner;
    const left = within(x + width / 2 - w / 2, w, inner.x, inner.width), top = within(y + height / 2 - h / 2, h, inner.y, inner.height);
    this.canvas.viewbox({ x: left, y: top, width: w, height: h });
    this.view = "reading";
  }

  /** Follow elements: the whole diagram where that can be read, else its part around the first of them. */
  follow(ids) {
    if (this.view === "own" || !this.box.clientWidth) return;
    if (this.fitting >= SMALLEST) { if (this.view !== "whole") this.fit(); return; }
    const seen = ids.map(id => this.elements.get(id)).filter(element => element && !element.waypoints);
    if (!seen.length) { if (this.view !== "whole") this.fit(); return; }
    if (this.view === "reading" && seen.every(element => this.inView(element))) return;
    this.centre(seen[0].id);
  }

  inView({ x, y, width, height }) {
    const view = this.canvas.viewbox(), pad = 20;
    return x >= view.x + pad && y >= view.y + pad && x + width <= view.x + view.width - pad && y + height <= view.y + view.height - pad;
  }

  zoom(factor) {
    this.canvas.zoom(this.canvas.zoom() * factor);
    this.view = "own";
  }

  /** Connect the buttons `[data-zoom=in|out|fit]` inside `tools`. */
  connectTools(tools) {
    const acts = { in: () => this.zoom(1.2), out: () => this.zoom(1 / 1.2), fit: () => this.fit() };
    for (const button of tools.querySelectorAll("[data-zoom]")) button.addEventListener("click", acts[button.dataset.zoom]);
  }

  mark(id, marker) {
    if (!this.elements.get(id)) return;
    this.canvas.addMarker(id, marker);
    this.marked.push([id, marker]);
  }

  /** Remove every mark and badge. */
  clear() {
    for (const [id, marker] of this.marked) if (this.elements.get(id)) this.canvas.removeMarker(id, marker);
    this.marked = [];
    this.overlays.clear();
  }

  /** Hang a badge on the lower edge of an element; `html` is an element made by the caller. */
  badge(id, html) {
    const element = this.elements.get(id);
    if (element && !element.waypoints) this.overlays.add(id, { position: badgePlace(element), html });
  }

  /** Ids of the flows that lead from one element to another. */
  flowsBetween(from, to) {
    const target = this.elements.get(to);
    return (target?.incoming || []).filter(flow => flow.source?.id === from).map(flow => flow.id);
  }

  incomingOf(id) {
    return (this.elements.get(id)?.incoming || []).filter(flow => flow.type === "bpmn:SequenceFlow");
  }

  /** Ids of the elements around `id`, from the inside out (subprocesses, pools). */
  scopesOf(id) {
    const scopes = [];
    for (let scope = this.elements.get(id)?.parent; scope?.parent; scope = scope.parent) scopes.push(scope.id);
    return scopes;
  }

  /** The element to badge for `id` on the drawing that is shown: itself, or the collapsed subprocess around it. */
  visible(id) {
    let element = this.elements.get(id);
    while (element && this.canvas.findRoot(element) !== this.canvas.getRootElement()) {
      const plane = this.canvas.findRoot(element);
      element = this.elements.get(plane.id.replace(/_plane$/, ""));
    }
    return element?.id;
  }
}

/** Keep a span of `size` inside the drawing, with a margin; a smaller drawing stands in the middle. */
function within(start, size, from, length) {
  const pad = 28;
  if (length + 2 * pad <= size) return from - (size - length) / 2;
  return Math.min(Math.max(start, from - pad), from + length + pad - size);
}

function middle(element) {
  if (!element.waypoints) return element;
  const points = element.waypoints;
  return points[Math.floor(points.length / 2)];
}

function badgePlace({ y, width, height, attachers, labels }) {
  const named = labels?.[0]?.y < y; // its name stands above it
  if (attachers?.length) return { top: -11, left: 6 }; // its boundary events sit on the lower edge
  if (width <= 40) return named ? { top: 26, left: -6 } : { top: -16, left: -6 };
  if (height <= 60) return { top: 38, left: 30 };
  return { bottom: 11, left: 6 };
}
