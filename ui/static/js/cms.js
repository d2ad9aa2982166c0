// The shell's behaviour: theme, navigation drawer and rail, search dialog, toasts, form tokens for htmx.
(() => {
  const root = document.documentElement;
  const kept = (key, value) => {
    try { return value === undefined ? localStorage.getItem(key) : localStorage.setItem(key, value); } catch { return null; }
  };
  const wear = theme => { root.dataset.bsTheme = theme; root.style.colorScheme = theme; };
  wear(kept("cms-theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));

  const ICONS = { incident: "alert-octagon", waiting: "alert-triangle", running: "info-circle", completed: "circle-check" };
  const cms = window.cms = {
    /** The token that every request which changes something must carry. */
    token: () => document.querySelector("meta[name=csrf-token]").content,

    /** Resolve a CSS colour token (light-dark included) to rgb(), for charts. */
    colour(token) {
      const probe = document.createElement("i");
      probe.style.color = `var(${token})`;
      document.body.append(probe);
      const value = getComputedStyle(probe).color;
      probe.remove();
      return value;
    },

    /** Show a line in the corner; errors and news to keep stay until dismissed. */
    toast(text, status = "completed") {
      const line = document.createElement("div");
      line.className = `toast-line ${status}`;
      line.setAttribute("role", status === "incident" ? "alert" : "status");
      line.innerHTML = `<i class="ti ti-${ICONS[status] || "circle-check"}" aria-hidden="true"></i><span class="grow"></span>
        <button class="btn btn-ghost btn-sm btn-icon" type="button" aria-label="Dismiss notice" data-dismiss><i class="ti ti-x" aria-hidden="true"></i></button>`;
      line.querySelector(".grow").textContent = text;
      document.querySelector(".toasts").append(line);
      fade(line);
      return line;
    },

    /** Ask a question; the promise tells whether the answer was the verb. */
    confirm(question, verb = "Continue") {
      const box = document.createElement("dialog");
      box.className = "ask";
      box.setAttribute("aria-label", "Please confirm");
      box.innerHTML = `<form method="dialog"><p></p><div class="row-f"><button class="btn btn-danger" value="yes"></button><button class="btn" value="no" autofocus>Cancel</button></div></form>`;
      box.querySelector("p").textContent = question;
      box.querySelector("button").textContent = verb;
      document.body.append(box);
      box.showModal();
      return new Promise(resolve => box.addEventListener("close", () => { box.remove(); resolve(box.returnValue === "yes"); }));
    },

    /** Draw a diagram with the look's colours; returns the viewer. Needs vendor/bpmn-js on the page. */
    async diagram(box, xml, fontSize = 12) {
      await document.fonts.load("500 12px Inter");
      const font = { fontFamily: "Inter, sans-serif", fontSize, fontWeight: "500", lineHeight: 1.25 };
      const viewer = new BpmnJS({
        container: box,
        textRenderer: { defaultStyle: font, externalStyle: { ...font, fontSize: fontSize - 0.5 } },
        bpmnRenderer: { defaultFillColor: "var(--surface)", defaultStrokeColor: "var(--text-3)", defaultLabelColor: "var(--text)" },
      });
      await viewer.importXML(xml);
      return viewer;
    },
  };

  const fade = line => { if (!/incident|running/.test(line.className)) setTimeout(() => line.remove(), 6000); };
  const drawer = open => document.body.classList.toggle("nav-open", open);

  const finder = () => document.getElementById("finder");
  const openFinder = () => { const box = finder(); if (box && !box.open) { box.showModal(); box.querySelector("input").select(); } };

  const moveHit = step => {
    const hits = [...finder().querySelectorAll(".finder-hit")];
    const at = hits.indexOf(document.activeElement);
    const next = at + step < 0 ? finder().querySelector("input") : hits[Math.min(at + step, hits.length - 1)];
    next?.focus();
  };

  /** One listener for all buttons, so that swapped-in fragments work without wiring. */
  const clicks = {
    "[data-theme-toggle]": () => {
      const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
      wear(next);
      kept("cms-theme", next);
      dispatchEvent(new Event("cms-theme"));
    },
    "[data-nav-toggle]": () => { drawer(true); document.querySelector(".nav-side :is(.tenant, a, summary)")?.focus(); },
    ".scrim": () => drawer(false),
    "[data-rail-toggle]": () => kept("cms-rail", document.getElementById("shell").classList.toggle("rail") ? "1" : ""),
    ".rail .nav-side summary": () => { document.getElementById("shell").classList.remove("rail"); kept("cms-rail", ""); },
    "[data-find]": openFinder,
    "[data-close-dialog]": at => at.closest("dialog").close(),
    "[data-dismiss]": at => at.closest(".toast-line").remove(),
    "[data-back]": () => history.back(),
    "[data-copy]": at => navigator.clipboard?.writeText(at.dataset.copy).then(() => cms.toast("Copied.")),
    "[data-view-to]": (at, event) => { event.preventDefault(); document.body.dataset.view = at.dataset.viewTo; },
  };
  addEventListener("click", event => {
    for (const [selector, run] of Object.entries(clicks)) {
      const at = event.target.closest?.(selector);
      if (at) run(at, event);
    }
    if (event.target === finder()) finder().close();
  });

  addEventListener("keydown", event => {
    if (event.key === "Escape") drawer(false);
    if ((event.metaKey || event.ctrlKey) && event.key === "k") { event.preventDefault(); openFinder(); }
    if ((event.metaKey || event.ctrlKey) && event.key === "Enter") event.target.form?.requestSubmit();
    if (finder()?.open && (event.key === "ArrowDown" || event.key === "ArrowUp")) { event.preventDefault(); moveHit(event.key === "ArrowDown" ? 1 : -1); }
  });

  /** Ask before something that cannot be undone. Forms say so by data-confirm and data-confirm-verb. */
  addEventListener("submit", async event => {
    const form = event.target, ask = event.submitter?.dataset.confirm || form.dataset.confirm;
    if (!ask || form.dataset.confirmed) return;
    event.preventDefault();
    if (await cms.confirm(ask, event.submitter?.dataset.confirmVerb || form.dataset.confirmVerb)) {
      form.dataset.confirmed = "1";
      form.requestSubmit(event.submitter);
      delete form.dataset.confirmed;
    }
  });
  addEventListener("htmx:confirm", event => {
    if (!event.detail.question) return;
    event.preventDefault();
    cms.confirm(event.detail.question, event.detail.elt.dataset.confirmVerb).then(yes => yes && event.detail.issueRequest(true));
  });

  addEventListener("htmx:configRequest", event => { event.detail.headers["X-CSRFToken"] = cms.token(); });
  addEventListener("htmx:responseError", event => {
    const answer = event.detail.xhr;
    const plain = (answer.getResponseHeader("Content-Type") || "").startsWith("text/plain");
    if (answer.status !== 401) cms.toast(plain ? answer.responseText : "That did not work. Try again.", "incident");
  });
  addEventListener("htmx:sendError", () => cms.toast("The platform did not answer. Check the connection, then try again.", "incident"));
  addEventListener("toast", event => cms.toast(event.detail.text ?? event.detail.value, event.detail.status));

  /** Numbers in the navigation follow the news; many news make one request. */
  const counts = async nav => {
    const answer = await fetch(nav.dataset.counts, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    for (const [title, number] of Object.entries(await answer.json())) {
      const at = nav.querySelector(`[data-nav-count="${CSS.escape(title)}"]`);
      if (!at) continue;
      at.textContent = number;
      at.hidden = !number;
      at.setAttribute("aria-label", `${number} ${title}`);
    }
  };
  let counting = 0;
  addEventListener("cms:news", event => {
    const nav = document.getElementById("modules");
    if (event.target !== nav) return;
    clearTimeout(counting);
    counting = setTimeout(() => counts(nav).catch(() => {}), 400);
  }, true);

  /** The foot of the navigation tells how the platform is. */
  const health = async () => {
    const [dot, text] = [document.getElementById("health-dot"), document.getElementById("health")];
    if (!dot) return;
    const say = (status, words) => { dot.className = `dot ${status}`; text.textContent = words; text.parentElement.title = words; };
    try {
      const answer = await fetch("/health/summary", { headers: { Accept: "application/json" } });
      const { status, text: words, notices } = await answer.json();
      say(status, words);
      const bell = document.getElementById("bell");
      bell.setAttribute("aria-label", notices === 1 ? "1 notice" : `${notices || "No"} notices`);
      bell.querySelector(".dot").hidden = !notices;
    } catch { say("incident", "The platform does not answer"); }
  };

  addEventListener("DOMContentLoaded", () => {
    if (kept("cms-rail")) document.getElementById("shell")?.classList.add("rail");
    document.querySelectorAll(".toast-line").forEach(fade);
    health();
    setInterval(() => { if (!document.hidden) health(); }, 60_000);
  });
})();
