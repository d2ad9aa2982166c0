// The process page: its drawing.
import { drawDiagram } from "./diagram.js";

const page = document.getElementById("process"), box = document.getElementById("diagram");
try {
  const diagram = await drawDiagram(box, await (await fetch(page.dataset.diagram)).text());
  diagram.connectTools(box);
} catch {
  document.getElementById("no-drawing").hidden = false;
}
page.dataset.ready = "true";
