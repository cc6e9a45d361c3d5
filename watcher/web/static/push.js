// Alerts on this device: asks the browser for a push subscription and sends it to the server.
"use strict";

const keyBytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

const isSupported = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

const endSubscription = async (registration) => {
  const present = await registration?.pushManager.getSubscription();
  await present?.unsubscribe();
};

const post = async (form, address, content) => {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": form.dataset.csrf };
  const response = await fetch(address, { method: "POST", headers, body: JSON.stringify(content) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
};

const subscribe = async (form) => {
  await navigator.serviceWorker.register(form.dataset.worker);
  const registration = await navigator.serviceWorker.ready;
  const { key } = await post(form, form.dataset.key, {});
  await endSubscription(registration);
  const options = { userVisibleOnly: true, applicationServerKey: keyBytes(key) };
  const subscription = await registration.pushManager.subscribe(options);
  const { privacy, min_severity } = Object.fromEntries(new FormData(form));
  const { to } = await post(form, form.dataset.to, { subscription, privacy, min_severity });
  location.assign(to);
};

for (const form of document.querySelectorAll("form[data-push]")) {
  const button = form.querySelector("button");
  const show = (problem) => {
    for (const text of form.querySelectorAll("[data-problem]")) text.hidden = text.dataset.problem !== problem;
  };
  button.hidden = !isSupported;
  if (!isSupported) show("unsupported");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    show("");
    try {
      if ((await Notification.requestPermission()) === "granted") await subscribe(form);
      else show("denied");
    } catch {
      show("failed");
    }
    button.disabled = false;
  });
}

for (const form of document.querySelectorAll("form[data-push-stop]")) {
  if (!isSupported) continue;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await endSubscription(await navigator.serviceWorker.getRegistration());
    } finally {
      form.submit();
    }
  });
}
