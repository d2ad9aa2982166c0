// Drawing a BPMN diagram with the page's own colours: bpmn-js' navigated viewer plus fit, centre and zoom tools.
// bpmn-js is loaded by the page as a classic script (global BpmnJS); its mark stays visible.

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
    const svg = box.querySelector("svg");
    svg?.setAttribute("aria-hidden", "true"); // its text twin is the list beside it
    this.canvas.resized();
    this.fit();
    new ResizeObserver(() => { this.canvas.resized(); if (this.fitted) this.fit(); }).observe(box);
    box.addEventListener("wheel", () => { this.fitted = false; }, { passive: true });
    box.addEventListener("pointerdown", event => { if (event.target.closest("svg")) this.fitted = false; });
  }

  /** Show the whole diagram, never larger than life by more than a tenth. */
  fit() {
    const { clientWidth: width, clientHeight: height } = this.box;
    if (!width || !height) return;
    const inner = this.canvas.viewbox().inner, pad = 28;
    const scale = Math.max(0.2, Math.min(1.1, (width - 2 * pad) / inner.width, (height - 2 * pad - 20) / inner.height));
    const w = width / scale, h = height / scale;
    this.canvas.viewbox({ x: inner.x - (w - inner.width) / 2, y: inner.y - (h - inner.height) / 2 + 4 / scale, width: w, height: h });
    this.fitted = true;
  }

  /** Put an element in the middle of the view. */
  centre(id, scale = 0.8) {
    const element = this.elements.get(id);
    if (!element || !this.box.clientWidth) return;
    const root = this.canvas.findRoot(element);
    if (root && root !== this.canvas.getRootElement()) this.canvas.setRootElement(root);
    const { x, y, width = 0, height = 0 } = middle(element);
    const w = this.box.clientWidth / scale, h = this.box.clientHeight / scale;
    this.canvas.viewbox({ x: x + width / 2 - w / 2, y: y + height / 2 - h / 2, width: w, height: h });
    this.fitted = false;
  }

  zoom(factor) {
    this.canvas.zoom(this.canvas.zoom() * factor);
    this.fitted = false;
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
    for (let scope = this.elements.get(id)?.parent; scope; scope = scope.parent) if (!scope.isImplicit) scopes.push(scope.id);
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

function middle(element) {
  if (!element.waypoints) return element;
  const points = element.waypoints;
  return points[Math.floor(points.length / 2)];
}

function badgePlace({ width, height }) {
  if (width <= 40) return { top: -16, left: -6 };
  if (height <= 60) return { top: 38, left: 30 };
  return { bottom: 11, left: 6 };
}
