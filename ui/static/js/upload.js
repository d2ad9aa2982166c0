// The upload page: files are checked on the server, drawn here with what lint says, and deployed on request.
// Nothing is stored before that, so the files stay in this page.
import { drawDiagram } from "./diagram.js";

const page = document.getElementById("upload"), $ = id => document.getElementById(id);
let files = [], outcome = null, drawing = null, shown = "";

const clean = name => name.replaceAll("\\", "/").split("/").pop();

async function send(url) {
  const body = new FormData();
  for (const file of files) body.append("files", file, file.name);
  body.append("published", String(Boolean($("published")?.checked)));
  const answer = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": window.cms.token(), Accept: "application/json" } });
  const json = await answer.json().catch(() => null);
  if (json && (answer.ok || json.html)) return json;
  throw new Error(json?.message || `The server answered ${answer.status}.`);
}

async function check(chosen) {
  files = [...chosen];
  if (!files.length) return;
  busy("Checking…");
  try {
    refuseExcess(files.reduce((sum, file) => sum + file.size, 0), +page.dataset.limit);
    outcome = await send(page.dataset.check);
    await present();
  } catch (error) {
    fail(error.message);
  }
}

// The server refuses too, but cuts the connection of a request this large before its answer is read.
function refuseExcess(size, limit) {
  if (size > 4 * limit) throw new Error(`The files are too large: ${(size / 1e6).toFixed(1)} MB, allowed are ${(limit / 1e6).toFixed(1)} MB.`);
}

function busy(text) {
  $("deploy").disabled = true;
  $("why").textContent = text;
  page.setAttribute("aria-busy", "true");
}

function fail(message) {
  page.removeAttribute("aria-busy");
  const note = document.createElement("div"), icon = document.createElement("i"), text = document.createElement("div");
  note.className = "note incident"; note.setAttribute("role", "alert"); note.style.margin = "16px";
  icon.className = "ti ti-alert-octagon"; icon.setAttribute("aria-hidden", "true");
  text.textContent = message;
  note.append(icon, text);
  $("found").replaceChildren(note);
  $("why").textContent = "Nothing was stored.";
}

async function present() {
  page.removeAttribute("aria-busy");
  $("found").innerHTML = outcome.html; // made by our own template, which escapes
  const names = Object.keys(outcome.drawings), errors = outcome.problems.filter(problem => problem.severity === "error").length;
  $("deploy").disabled = !outcome.ok;
  $("why").textContent = outcome.ok ? "Warnings do not stop you." : `Mend the ${errors === 1 ? "error" : `${errors} errors`} first. Nothing was stored.`;
  if (outcome.ok && !outcome.problems.length) $("why").textContent = "Ready.";
  for (const line of $("found").querySelectorAll("[data-problem]")) line.addEventListener("click", () => select(+line.dataset.problem));
  $("drop").hidden = true;
  $("diagram").hidden = false;
  $("again").hidden = false;
  which(names);
  shown = "";
  await draw(names[0]);
}

function which(names) {
  $("which").hidden = names.length < 2;
  $("which").replaceChildren(...names.map(name => {
    const button = document.createElement("button");
    button.type = "button"; button.textContent = name; button.dataset.name = name;
    button.addEventListener("click", () => draw(name));
    return button;
  }));
}

async function draw(name) {
  if (shown === name && name) return;
  shown = name || "";
  for (const button of $("which").children) button.setAttribute("aria-pressed", String(button.dataset.name === name));
  drawing?.viewer.destroy();
  drawing = null;
  $("no-drawing").hidden = true;
  $("diagram").querySelector(".tools").hidden = !name;
  try {
    if (!name) throw new Error("none");
    drawing = await drawDiagram($("diagram"), outcome.drawings[name]);
  } catch (error) {
    $("no-drawing").textContent = name && /no diagram to display/.test(error.message)
      ? "This file has no drawing: an editor for BPMN adds one when it saves." : "There is nothing that could be drawn. The list says why.";
    $("no-drawing").hidden = false;
    return;
  }
  drawing.connectTools($("diagram"));
  paint();
}

function paint() {
  const marks = new Map();
  outcome.problems.forEach((problem, index) => {
    if (!problem.element || clean(problem.file || shown) !== clean(shown)) return;
    marks.set(problem.element, [...(marks.get(problem.element) || []), [problem, index]]);
  });
  for (const [element, found] of marks) {
    const error = found.some(([problem]) => problem.severity === "error");
    drawing.mark(element, error ? "broken" : "live");
    const badge = document.createElement("button");
    badge.type = "button";
    badge.className = `token still ${error ? "incident" : "waiting"}`;
    const messages = found.map(([problem]) => problem.message).join(" "); // the name begins with what is seen
    badge.setAttribute("aria-label", `${found.length} ${found.length === 1 ? "problem" : "problems"}: ${messages}`);
    badge.title = found.map(([problem]) => `${problem.message} ${problem.remedy || ""}`).join("\n");
    const icon = document.createElement("i");
    icon.className = `ti ti-${error ? "alert-octagon" : "alert-triangle"}`;
    icon.setAttribute("aria-hidden", "true");
    badge.append(icon, String(found.length));
    badge.addEventListener("click", () => select(found[0][1], false));
    const place = drawing.visible(element);
    if (place) drawing.badge(place, badge);
  }
}

async function select(index, move = true) {
  const problem = outcome.problems[index];
  for (const line of $("found").querySelectorAll("[data-problem]")) line.setAttribute("aria-current", String(+line.dataset.problem === index));
  if (problem.file && outcome.drawings[problem.file] !== undefined) await draw(problem.file);
  const line = $("found").querySelector(`[data-problem="${index}"]`);
  if (!move) { line.scrollIntoView({ block: "nearest" }); line.focus(); }
  if (!drawing || !problem.element) return;
  drawing.clear();
  paint();
  drawing.mark(problem.element, "chosen");
  if (move) drawing.centre(problem.element, 1);
}

async function deploy() {
  busy("Deploying…");
  try {
    const answer = await send(page.dataset.deploy);
    if (answer.location) location.assign(answer.location);
    else { outcome = answer; await present(); }
  } catch (error) {
    fail(error.message);
  }
}

for (const input of page.querySelectorAll("input[type=file]")) input.addEventListener("change", () => { check(input.files); });
$("deploy").addEventListener("click", deploy);
for (const kind of ["dragover", "dragenter"]) page.addEventListener(kind, event => { event.preventDefault(); $("drop").classList.add("over"); });
for (const kind of ["dragleave", "drop"]) page.addEventListener(kind, () => $("drop").classList.remove("over"));
page.addEventListener("drop", event => { event.preventDefault(); check(event.dataTransfer.files); });
page.dataset.ready = "true";
