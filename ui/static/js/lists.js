// Behaviour of list pages: the clicked row fills the preview, ticked rows switch Delete on, columns can be hidden.
(() => {
  const rows = () => document.getElementById("rows");
  const ticks = () => [...document.querySelectorAll("#rows input[name=id]")];

  const count = () => {
    const all = ticks(), picked = all.filter(tick => tick.checked);
    all.forEach(tick => tick.closest("tr").classList.toggle("picked", tick.checked));
    const button = document.getElementById("delete"), head = document.querySelector("[data-all]");
    if (button) {
      button.disabled = !picked.length;
      button.querySelector("[data-selected]").textContent = picked.length || "";
      document.getElementById("selected").textContent = `${picked.length} selected`;
    }
    if (head) {
      head.checked = picked.length > 0 && picked.length === all.length;
      head.indeterminate = picked.length > 0 && picked.length < all.length;
    }
  };

  const select = id => rows().querySelectorAll("tr").forEach(row => {
    if (row.dataset.id === id) row.setAttribute("aria-selected", "true"); else row.removeAttribute("aria-selected");
  });

  /** Hidden columns are kept per list in this browser. */
  const columns = document.querySelector("[data-columns]");
  const key = columns && `cms-columns-${columns.dataset.columns}`;
  const hide = hidden => {
    document.querySelectorAll(".list tr").forEach(row => [...row.children].forEach((cell, at) => { if (!cell.hasAttribute("colspan")) cell.classList.toggle("column-off", hidden.includes(String(at + 1))); }));
    document.querySelectorAll(".list col").forEach((col, at) => { col.classList.toggle("column-off", hidden.includes(String(at + 1))); });
  };
  const hidden = () => JSON.parse(localStorage.getItem(key) || "[]");

  addEventListener("change", event => {
    if (event.target.matches("[data-all]")) { ticks().forEach(tick => { tick.checked = event.target.checked; }); count(); }
    if (event.target.matches("#rows input[name=id]")) count();
    if (event.target.closest("[data-columns]")) {
      localStorage.setItem(key, JSON.stringify([...columns.querySelectorAll("input:not(:checked)")].map(box => box.value)));
      hide(hidden());
    }
  });

  addEventListener("click", event => {
    const row = event.target.closest?.("#rows tr");
    if (row && !event.target.closest("a, button, input, label") && !getSelection().toString()) row.querySelector(".row-link, td:nth-child(2) a")?.click();
  });

  addEventListener("htmx:afterSwap", event => {
    if (event.detail.target.id === "peek" || event.target.id === "peek") {
      const pane = document.getElementById("peek");
      select(pane.dataset.id);
      document.body.dataset.view = "peek";
      pane.scrollTop = 0;
      if (matchMedia("(max-width: 1023px)").matches) pane.querySelector("a, button")?.focus();
    } else {
      select(document.getElementById("peek")?.dataset.id);
      hide(hidden());
      count();
    }
  });

  // Ticks and the column menu are not part of the search: they must not fetch the list again.
  document.getElementById("list")?.addEventListener("htmx:confirm", event => {
    const source = event.detail.triggeringEvent?.target;
    if (source?.matches?.("[data-all], [name=id]") || source?.closest?.("[data-columns]")) event.preventDefault();
  });

  if (columns) {
    columns.querySelectorAll("input").forEach(box => { box.checked = !hidden().includes(box.value); });
    hide(hidden());
  }
  count();
})();
