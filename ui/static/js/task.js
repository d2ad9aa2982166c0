// The task page: keeps a draft of the form in this browser tab, and draws where the task stands.
(() => {
  const form = document.getElementById("task-form"), note = document.getElementById("draft-note");
  const key = form && `cms-draft-${form.dataset.draft}`;
  const time = () => new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

  /** Names with their values, in order; the form's token is not part of the work. */
  const values = () => [...new FormData(form)].filter(([name]) => name !== "csrf_token");

  const restore = () => {
    const kept = JSON.parse(sessionStorage.getItem(key) || "null");
    if (!kept || "refused" in form.dataset) return;
    const left = kept.values.slice();
    for (const field of form.elements) {
      const at = left.findIndex(([name, value]) => name === field.name && (field.type !== "radio" && field.type !== "checkbox" || value === field.value));
      if (field.type === "radio" || field.type === "checkbox") field.checked = at >= 0;
      else if (at >= 0 && field.type !== "hidden") [[, field.value]] = left.splice(at, 1);
    }
    if (note) note.textContent = `Draft kept ${kept.at}`;
  };

  if (form) {
    form.addEventListener("input", () => {
      sessionStorage.setItem(key, JSON.stringify({ at: time(), values: values() }));
      if (note) note.textContent = `Draft kept ${time()}`;
    });
    form.addEventListener("submit", () => {
      document.getElementById("task-state")?.remove(); // news of our own change must not overtake its answer
      document.querySelectorAll(`[form=${form.id}]`).forEach(button => { button.disabled = true; });
    });
    addEventListener("pageshow", () => document.querySelectorAll(`[form=${form.id}]`).forEach(button => { button.disabled = false; }));
    restore();
  } else {
    Object.keys(sessionStorage).filter(name => name.startsWith("cms-draft-") && location.pathname.endsWith(name.slice(10))).forEach(name => sessionStorage.removeItem(name));
  }

  const draw = async box => {
    const answer = await fetch(box.dataset.source);
    if (!answer.ok) throw new Error(answer.status);
    const viewer = await cms.diagram(box, await answer.text(), 14), canvas = viewer.get("canvas"), registry = viewer.get("elementRegistry");
    const here = registry.get(box.dataset.here), taken = new Set(box.dataset.taken.split(" "));
    const svg = box.querySelector("svg"); // its text twin is the history below
    svg?.setAttribute("aria-hidden", "true");
    svg?.removeAttribute("tabindex");
    for (const id of taken) if (registry.get(id)) canvas.addMarker(id, "visited");
    for (const flow of registry.filter(element => element.waypoints && taken.has(element.source?.id) && (taken.has(element.target?.id) || element.target === here))) canvas.addMarker(flow.id, "visited");
    if (!here) return canvas.zoom("fit-viewport");
    canvas.addMarker(here.id, "live");
    const show = () => {
      if (!box.clientWidth) return;
      const scale = 1.4, width = box.clientWidth * scale, height = box.clientHeight * scale;
      canvas.viewbox({ x: here.x + here.width / 2 - width / 2, y: here.y + here.height / 2 - height / 2, width, height });
    };
    show();
    addEventListener("resize", show);
  };
  const box = document.getElementById("mini");
  if (box) draw(box).catch(() => { box.classList.add("no-diagram"); box.textContent = "The diagram cannot be drawn."; });
})();
