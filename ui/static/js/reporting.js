// The page of reports: the days are asked for only where the period needs them, and the wait ends with the preview.
(() => {
  "use strict";
  const period = document.getElementById("period");
  const days = document.querySelector("[data-days]");
  const show = () => {
    days.hidden = period.value !== "days";
    for (const input of days.querySelectorAll("input")) input.disabled = days.hidden;
  };
  period.addEventListener("change", show);
  show();
  const frame = document.querySelector("[data-preview]");
  if (frame) {
    const wait = document.querySelector("[data-wait]");
    frame.addEventListener("load", () => { wait.hidden = true; });
  }
})();
