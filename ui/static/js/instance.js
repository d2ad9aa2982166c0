// The instance page: the diagram with its tokens, the slider that replays history, and live news.
// The server says what happened (state.json); this file draws it.
import { drawDiagram } from "./diagram.js";
import { dataPanel, historyPanel, nameOf } from "./instance_panels.js";
import { listen } from "./live.js";
import { span, Story, timeOfDay } from "./story.js";

const page = document.getElementById("instance"), $ = id => document.getElementById(id);
const story = new Story();
let diagram = null, step = 0, following = true, state = JSON.parse($("state").textContent);

const TASKS = /Task$|^task$|^callActivity$/;
const clock = micros => timeOfDay(micros, page.dataset.zone);

// ---- drawing one step

function draw() {
  const now = story.at(step);
  if (diagram) paint(now);
  caption(now);
  dataPanel($("p-data"), now);
  historyPanel($("p-history"), now, goTo, clock);
  $("live").hidden = !(now.live && state.open);
  $("past").hidden = now.live;
}

function paint(now) {
  diagram.clear();
  const groups = new Map();
  for (const token of now.here) {
    const shown = isScope(token) ? null : diagram.visible(token.element);
    if (shown) groups.set(shown, [...(groups.get(shown) || []), token]);
    for (const scope of [...(isScope(token) ? [token.element] : []), ...diagram.scopesOf(token.element)]) {
      diagram.mark(scope, "visited");
      diagram.mark(scope, "scope");
    }
  }
  for (const done of now.done) {
    if (groups.has(done.element)) continue; // it was passed before, and a token is there again
    if (done.outcome === "cancelled") { if (TASKS.test(done.type)) diagram.mark(done.element, "halted"); continue; }
    diagram.mark(done.element, "visited");
    if (isScope(done)) diagram.mark(done.element, "scope");
  }
  for (const token of now.entered) for (const flow of flowsOf(token, now)) diagram.mark(flow, "visited");
  for (const [id, tokens] of groups) {
    const kind = now.live ? worst(tokens) : "running";
    diagram.mark(id, { incident: "broken", waiting: "live", running: "here", suspended: "held" }[kind]);
    diagram.badge(id, badge(tokens, kind, now.live));
  }
  for (const item of page.querySelectorAll("[data-key]")) item.hidden = item.dataset.key !== "running" && !present(item.dataset.key, now);
  page.querySelector("[data-key=running]").hidden = !present("running", now);
  diagram.follow([...groups.keys()]);
  page.dataset.drawn = Date.now();
}

const present = (kind, now) => now.here.some(token => !isScope(token) && (now.live ? token.state : "running") === kind);
const isScope = token => /subprocess$|^process$|^transaction$/i.test(token.type || "");
const worst = tokens => ["incident", "suspended", "waiting"].find(kind => tokens.some(token => token.state === kind)) || "running";

// A token that was cancelled before it did anything (a timer beside a task that was in time) took no way.
function flowsOf(token, now) {
  if (token.end || (token.outcome === "cancelled" && !TASKS.test(token.type))) return [];
  if (token.from) {
    const flows = diagram.flowsBetween(token.from, token.element);
    if (!/^(parallel|inclusive)Gateway$/.test(token.type)) return flows;
  }
  const sources = new Set(now.entered.filter(other => other.entered <= token.entered).map(other => other.element));
  const incoming = diagram.incomingOf(token.element).filter(flow => sources.has(flow.source.id));
  return token.from && !/^(parallel|inclusive)Gateway$/.test(token.type) ? [] : incoming.map(flow => flow.id);
}

const ICONS = { incident: "alert-octagon", waiting: "hourglass", running: "player-play", suspended: "player-pause" };

function badge(tokens, kind, live) {
  const box = document.createElement("div");
  box.className = `token ${kind}`;
  const icon = document.createElement("i");
  icon.className = `ti ti-${ICONS[kind]}`;
  const text = document.createElement("span");
  const age = span(Math.max(0, serverNow() - Math.min(...tokens.map(token => token.entered)) / 1e6));
  const many = tokens.length > 1 ? `${tokens.length} ` : "";
  if (!live) text.textContent = `${many}here`;
  else if (kind === "incident") text.textContent = tokens[0].attempts > 1 ? `${tokens[0].attempts} tries failed` : `${many}failed`;
  else if (kind === "waiting") text.textContent = `${tokens.length} waits ${age}`;
  else if (kind === "suspended") text.textContent = `${many}held`;
  else text.textContent = `${many}runs ${age}`;
  box.append(icon, text);
  return box;
}

function caption(now) {
  const total = story.steps.length, time = $("time");
  time.max = Math.max(total, 1);
  time.value = step;
  time.style.setProperty("--p", total > 1 ? `${((step - 1) / (total - 1)) * 100}%` : "100%");
  const name = nameOf(now.step);
  const title = document.createElement("span"), rest = document.createElement("span");
  title.className = "b"; title.textContent = name;
  rest.className = "t2 num"; rest.textContent = ` · step ${step} of ${total} · ${clock(now.step.entered)}`;
  $("at").replaceChildren(title, rest);
  time.setAttribute("aria-valuetext", `${name}, step ${step} of ${total}`);
  $("prev").disabled = step <= 1;
  $("next").disabled = step >= total;
  ticks(total);
}


function ticks(total) {
  const box = $("ticks"), room = Math.max(1, Math.floor(box.clientWidth / 118));
  const wanted = new Set([step]);
  const stride = Math.max(1, Math.ceil((total - 1) / room));
  for (let n = 1; n <= total; n += stride) if (Math.abs(n - step) >= stride || n === step) wanted.add(n);
  if (total > 1 && Math.abs(total - step) >= stride && ![...wanted].some(n => n !== total && total - n < stride)) wanted.add(total);
  box.replaceChildren(...[...wanted].sort((a, b) => a - b).map(n => {
    const tick = document.createElement("span"), at = document.createElement("small"), it = story.steps[n - 1];
    tick.className = n === step ? "on" : "";
    const share = total > 1 ? (n - 1) / (total - 1) : 1;
    tick.style.left = `${share * 100}%`;
    tick.textContent = shorten(nameOf(it));
    at.textContent = clock(it.entered).slice(3, 8);
    tick.append(at);
    return tick;
  }));
}

const shorten = text => (text.length > 18 ? text.slice(0, 17) + "…" : text);

function goTo(n) {
  step = Math.min(Math.max(1, n), story.steps.length);
  following = step === story.steps.length;
  draw();
}

// ---- live

let offset = 0;
const serverNow = () => Date.now() / 1000 + offset;

function take(fresh) {
  offset = fresh.now / 1e6 - Date.now() / 1000;
  state = fresh;
  story.update(fresh);
  step = following ? story.steps.length : Math.min(step, story.steps.length);
  if (story.steps.length) draw();
  for (const [id, html] of Object.entries(fresh.html || {})) swap($(id), html);
  for (const [name, number] of Object.entries(fresh.counts || {})) {
    $(`n-${name}`).textContent = number;
    $(`n-${name}`).classList.toggle("zero", !number);
  }
  ages();
}

/** Put server-made HTML into the page, unless somebody is just using what it would replace. */
function swap(box, html) {
  if (!box || box.dataset.html === html || box.contains(document.activeElement) && box.querySelector(".show")) return;
  const focused = box.contains(document.activeElement) ? document.activeElement.id : "";
  box.innerHTML = html;
  box.dataset.html = html;
  if (focused) $(focused)?.focus();
}

let reading = null, again = false;
/** Read what is new; while one answer is on its way, further news lead to one more reading. */
async function refresh() {
  if (reading) { again = true; return; }
  reading = fetch(`${page.dataset.state}?after=${story.lastRow}`, { headers: { Accept: "application/json" } });
  try {
    const answer = await reading;
    if (answer.ok) take(await answer.json());
    else if (answer.status === 401) location.reload();
  } catch { /* offline: the stream's return reads again */ } finally {
    reading = null;
  }
  if (again) { again = false; refresh(); }
}

function ages() {
  for (const element of document.querySelectorAll("[data-since]")) {
    const until = element.dataset.until ? +element.dataset.until / 1e6 : serverNow();
    element.textContent = span(Math.max(0, until - +element.dataset.since / 1e6));
  }
  for (const element of document.querySelectorAll("[data-due]")) {
    const left = +element.dataset.due / 1e6 - serverNow();
    element.textContent = left >= 0 ? `in ${span(left)}` : `late ${span(-left)}`;
  }
}

// ---- start

async function start() {
  try {
    const xml = await (await fetch(page.dataset.diagram)).text();
    diagram = await drawDiagram($("diagram"), xml);
    diagram.connectTools($("diagram"));
  } catch {
    $("no-drawing").hidden = false;
  }
  take(state);
  $("time").addEventListener("input", () => goTo(+$("time").value));
  $("prev").addEventListener("click", () => goTo(step - 1));
  $("next").addEventListener("click", () => goTo(step + 1));
  $("now").addEventListener("click", () => goTo(story.steps.length));
  $("p-data").addEventListener("cms:view", draw);
  new ResizeObserver(() => story.steps.length && ticks(story.steps.length)).observe($("ticks"));
  if (state.open) {
    listen(`instance:${page.dataset.id}`, refresh, refresh);
    setInterval(() => { ages(); if (following && diagram && story.steps.length) paint(story.at(step)); }, 10000);
  }
  page.dataset.ready = "true";
}

const wanted = new URLSearchParams(location.search);
if (wanted.get("tab")) $(`tab-${wanted.get("tab")}`)?.click();
start().then(() => { if (wanted.get("step")) goTo(+wanted.get("step")); });
