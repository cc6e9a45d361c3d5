// Makes the page pleasanter. Everything works without it.
"use strict";
(() => {
  const PAUSE = 10000;
  const forms = [...document.querySelectorAll('main form[method="post"]')];
  const kept = "textarea, input[type=date], input:not([type])";
  const secret = '[name="code"], [readonly]';
  const isTouched = (field) => field.value !== field.defaultValue;
  const fields = () => forms.flatMap((form) => [...form.querySelectorAll("input, textarea, select")]);
  const isBusy = () => fields().some((field) => field.type !== "hidden" && (field.type === "file" ? field.files.length : isTouched(field) && field.tagName !== "SELECT"));

  // What was typed is kept until it is sent, also when the page is loaded again.
  for (const form of forms) {
    const key = `typed ${form.getAttribute("action")}`;
    const inputs = [...form.querySelectorAll(kept)].filter((field) => !field.matches(secret));
    let before = {};
    try { before = JSON.parse(sessionStorage.getItem(key) ?? "{}"); } catch { sessionStorage.removeItem(key); }
    for (const field of inputs) {
      if (typeof before[field.name] === "string" && before[field.name] !== field.defaultValue) {
        field.value = before[field.name];
        field.closest("details")?.setAttribute("open", "");
      }
    }
    form.addEventListener("input", () => {
      const typed = Object.fromEntries(inputs.filter(isTouched).map((field) => [field.name, field.value]));
      sessionStorage.setItem(key, JSON.stringify(typed));
    });
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "yes"; // a second press sends nothing twice
      sessionStorage.removeItem(key);
      form.querySelector("button")?.setAttribute("aria-busy", "true");
    });
  }
  window.addEventListener("pageshow", () => forms.forEach((form) => { delete form.dataset.sent; form.querySelector("button")?.removeAttribute("aria-busy"); }));

  // Shows what is new when a check ends; asks first if something was typed.
  const address = document.body.dataset.state;
  const notice = document.getElementById("new");
  if (!address || !notice) return;
  let version = null;
  const look = async () => {
    if (document.hidden) return;
    let answer;
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" }, cache: "no-store", redirect: "error" });
      if (!response.ok) return;
      answer = await response.json();
    } catch { return; } // the network is away; the next look tries again
    if (version !== null && answer.version !== version) {
      if (isBusy() || document.activeElement?.matches("input, textarea, select")) notice.hidden = false;
      else location.reload();
    }
    version = answer.version;
  };
  notice.querySelector("button").addEventListener("click", () => location.reload());
  document.addEventListener("visibilitychange", look);
  setInterval(look, PAUSE);
  look();
})();
