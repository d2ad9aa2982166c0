// The story of an instance: finished tokens (history rows) and open tokens in the order in which they were
// entered, and what was true at any step of it. Pure arithmetic; no page, no diagram.

/** `rows` finished tokens, `tokens` open ones, `ended` the last instant (µs) of an instance that is over. */
export class Story {
  constructor() {
    this.rows = [];
    this.tokens = [];
    this.base = {};
    this.steps = [];
  }

  /** Take a state as the server gives it; `state.rows` are those after the last known one. */
  update(state) {
    const last = this.lastRow;
    this.rows.push(...state.rows.filter(row => row.id > last));
    this.tokens = state.tokens;
    if (state.base) this.base = state.base;
    const steps = [...this.rows.map(row => ({ ...row, open: false })), ...this.tokens.map(token => ({ ...token, open: true, left: Infinity }))];
    steps.sort((a, b) => a.entered - b.entered || (a.id ?? Infinity) - (b.id ?? Infinity));
    if (state.ended) steps.push({ end: true, name: state.status === "cancelled" ? "Cancelled" : "Completed", entered: state.ended, left: Infinity });
    this.steps = steps;
  }

  get lastRow() {
    return this.rows.length ? this.rows[this.rows.length - 1].id : 0;
  }

  /** What was true at step `n` (from 1): `{step, live, here, done, data, before, changedBy}`. */
  at(n) {
    const step = this.steps[n - 1], live = n === this.steps.length;
    const entered = this.steps.slice(0, n);
    const finished = entered.filter(other => !other.end && (live ? !other.open : other !== step && other.left <= step.entered));
    const gone = new Set(finished);
    const here = live ? entered.filter(other => other.open) : entered.filter(other => !gone.has(other) && !other.end);
    const { before, after, by } = this.dataAfter(new Set(finished.map(row => row.id)));
    return { step, live, here, done: finished, entered, data: after, before, changedBy: by };
  }

  /** Fold the changes of the rows in `ids`, in the order they were written; `before` is without the last change. */
  dataAfter(ids) {
    let before = this.base, after = this.base, by = null;
    for (const row of this.rows) {
      if (!ids.has(row.id) || !row.changes || !Object.keys(row.changes).length) continue;
      before = after;
      after = { ...after };
      for (const [name, value] of Object.entries(row.changes)) {
        if (value?.$removed === true) delete after[name]; else after[name] = value;
      }
      by = row;
    }
    return { before, after, by };
  }
}

/** Flatten nested data to `[["call.from", value], …]`; lists and empty objects stay whole. */
export function flatten(data, prefix = "") {
  return Object.entries(data).flatMap(([name, value]) => {
    const path = prefix + name;
    const nested = value && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length;
    return nested ? flatten(value, path + ".") : [[path, value]];
  });
}

/** Compare two states: `[{path, kind: "same|added|changed|removed", old, value}]` in path order. */
export function difference(before, after) {
  const old = new Map(flatten(before)), fresh = new Map(flatten(after));
  const paths = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  return paths.map(path => {
    const was = old.get(path), is = fresh.get(path);
    const kind = !old.has(path) ? "added" : !fresh.has(path) ? "removed" : JSON.stringify(was) === JSON.stringify(is) ? "same" : "changed";
    return { path, kind, old: was, value: is };
  });
}

/** A span in words: 950 ms, 42.3 s, 13 min, 2 h 5 min, 3 d. */
export function span(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} d`;
}

/** The time of day of an instant (µs), to the millisecond, in an IANA zone: 10:43:17.219. */
export function timeOfDay(micros, timeZone) {
  const time = new Date(micros / 1000).toLocaleTimeString("en-GB", { timeZone });
  return `${time}.${String(Math.floor(micros / 1000) % 1000).padStart(3, "0")}`;
}
