// Rows of array fields: add, remove, and keep their numbers without gaps.
(() => {
  const list = box => box.querySelector(":scope > [data-rows-list]");

  /** Give every row the number of its position, in names, ids and whatever refers to them. */
  const number = box => {
    const names = `${box.dataset.pointer}/`, ids = `f${names.replaceAll("/", "-")}`;
    const heads = { name: names, "data-pointer": names, id: ids, for: ids, "aria-describedby": ids };
    [...list(box).children].forEach((row, index) => row.querySelectorAll("*").forEach(at => {
      for (const [attribute, head] of Object.entries(heads)) {
        const value = at.getAttribute(attribute);
        if (value?.includes(head)) at.setAttribute(attribute, value.split(head).map((part, n) => n ? part.replace(/^(\d+|__)/, index) : part).join(head));
      }
    }));
    box.querySelector(":scope > [data-row-add]").hidden = list(box).children.length >= Number(box.dataset.maximum);
  };

  addEventListener("click", event => {
    const add = event.target.closest?.("[data-row-add]");
    if (add) {
      const box = add.closest("[data-rows]");
      list(box).append(box.querySelector(":scope > template").content.cloneNode(true));
      number(box);
      list(box).lastElementChild.querySelector("input, select, textarea")?.focus();
    }
    const remove = event.target.closest?.("[data-row-remove]");
    if (remove) {
      const box = remove.closest("[data-rows]");
      remove.closest("[data-row]").remove();
      number(box);
      box.querySelector(":scope > [data-row-add]").focus();
    }
  });

  addEventListener("DOMContentLoaded", () => document.getElementById("form-errors")?.focus());
})();
