// The Data and History tabs of the instance page; both follow the slider.
import { difference, flatten, span } from "./story.js";

let view = "diff";
const MASK = "••••";
const SIGNS = { same: ["", "the same", ""], added: ["+", "added", "completed"], changed: ["~", "changed", "waiting"], removed: ["−", "removed", "incident"] };

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function shown(value) {
  if (value === MASK) return make("span", { class: "t3", title: "Secret" }, `${MASK} masked`);
  return document.createTextNode(JSON.stringify(value));
}

function row({ path, kind, old, value }) {
  const [sign, label, colour] = SIGNS[kind];
  const cell = make("td");
  if (kind === "changed") cell.append(make("del", {}, shown(old)), make("br"), make("ins", {}, shown(value)));
  else if (kind === "removed") cell.append(make("del", {}, shown(old)));
  else cell.append(shown(value));
  return make("tr", { class: colour }, make("td", { "aria-label": label }, sign), make("td", {}, path), cell);
}

/** Fill the Data tab for one step of the story. */
export function dataPanel(box, now) {
  const head = box.querySelector("[data-changed-by]"), body = box.querySelector("[data-body]");
  if (now.changedBy) head.replaceChildren("Changed by ", make("span", { class: "b text-body" }, nameOf(now.changedBy)));
  else head.replaceChildren("As it started");
  for (const button of box.querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
    button.onclick = () => { view = button.dataset.view; box.dispatchEvent(new CustomEvent("cms:view")); };
  }
  const names = Object.keys(now.data).length || Object.keys(now.before).length;
  if (!names) {
    body.replaceChildren(make("p", { class: "t2", style: "padding:14px 16px;margin:0" }, "No data at this step."));
    return;
  }
  if (view === "json") {
    body.replaceChildren(make("pre", { class: "json mono", tabindex: "0", "aria-label": "Data as JSON" }, JSON.stringify(now.data, null, 2)));
    return;
  }
  const lines = view === "all" ? flatten(now.data).sort().map(([path, value]) => ({ path, kind: "same", value })) : difference(now.before, now.data);
  const table = make("table", { class: "diff" }, make("tbody", {}, ...lines.map(row)));
  body.replaceChildren(table);
  if (view === "diff") body.append(make("p", { class: "sm t2", style: "padding:12px 16px;margin:0" }, summary(lines)));
}

function summary(lines) {
  const count = kind => lines.filter(line => line.kind === kind).length;
  const parts = [["added", "added"], ["changed", "changed"], ["removed", "removed"], ["same", "the same"]];
  const told = parts.filter(([kind]) => count(kind)).map(([kind, word]) => `${count(kind)} ${word}`).join(", ");
  return `${told}. Move the slider to compare another step.`;
}

const TYPES = { exclusiveGateway: "decision", inclusiveGateway: "decision", parallelGateway: "split or join", startEvent: "start", endEvent: "end", userTask: "person", subProcess: "scope",
  intermediateCatchEvent: "event", intermediateThrowEvent: "event", boundaryEvent: "event", businessRuleTask: "DMN", scriptTask: "script", callActivity: "process", receiveTask: "message", manualTask: "by hand", task: "step" };

const UNNAMED = { startEvent: "Start", endEvent: "End", boundaryEvent: "Event", intermediateCatchEvent: "Event", intermediateThrowEvent: "Event", exclusiveGateway: "Gateway", parallelGateway: "Gateway", inclusiveGateway: "Gateway", eventBasedGateway: "Gateway" };

/** What people call a token's element. */
export const nameOf = item => item.name || UNNAMED[item.type] || item.element || "";

function what(item) {
  if (item.end) return "";
  const parts = [item.operation || TYPES[item.type] || item.type];
  if (item.rules?.length) parts.push(item.rules.length === 1 ? `rule ${item.rules[0].rule ?? item.rules[0].index ?? 1}` : `${item.rules.length} rules`);
  if (item.left !== Infinity && (item.operation || item.left - item.entered >= 1000000)) parts.push(span((item.left - item.entered) / 1e6));
  if (item.attempt > 1) parts.push(`${item.attempt} tries`);
  if (item.outcome === "cancelled") parts.push("cancelled");
  return parts.join(" · ");
}

function colour(item, now) {
  if (item.end) return "completed";
  if (now.here.includes(item)) return now.live ? item.state || "running" : "running";
  return item.outcome === "cancelled" ? "cancelled" : "completed";
}

/** Fill the History tab up to the shown step, newest first; a click on an entry moves the slider there. */
export function historyPanel(box, now, goTo, clock) {
  const list = box.querySelector("ol");
  const items = now.entered.map((item, index) => [item, index + 1]).reverse().slice(0, 300);
  list.replaceChildren(...items.map(([item, n]) => {
    const name = make("button", { type: "button", class: "link-plain grow b", title: "Show this step" }, nameOf(item));
    name.addEventListener("click", () => goTo(n));
    const line = make("span", { class: "d-flex" }, name, make("time", { class: "xs t2 num", datetime: new Date(item.entered / 1000).toISOString() }, clock(item.entered)));
    return make("li", { class: `${colour(item, now)}${now.here.includes(item) ? " now" : ""}` }, line, make("span", { class: "t2 sm" }, what(item)), ...details(item));
  }));
}

function details(item) {
  if (!item.input && item.output === undefined && !item.rules?.length && !hasAny(item.changes)) return [];
  const facts = make("dl", { class: "dl sm" });
  const add = (label, value) => facts.append(make("dt", {}, label), make("dd", {}, make("code", {}, typeof value === "string" ? value : JSON.stringify(value))));
  if (hasAny(item.input)) add("Input", item.input);
  if (item.output !== undefined && item.output !== null) add("Output", item.output);
  if (item.rules?.length) add("Rules", item.rules);
  if (hasAny(item.changes)) add("Changed", item.changes);
  if (item.actor && item.actor !== "system") add("By", item.actor_name || item.actor);
  if (!facts.children.length) return [];
  return [make("details", { class: "more" }, make("summary", { class: "sm t2" }, "Details"), facts)];
}

const hasAny = value => value && Object.keys(value).length > 0;
