// Passkeys: asks the browser for one and sends its answer. A form with data-passkey has the options of the server.
"use strict";

const decoded = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

const encoded = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const actions = {
  async add(options) {
    const publicKey = {
      ...options,
      challenge: decoded(options.challenge),
      user: { ...options.user, id: decoded(options.user.id) },
      excludeCredentials: options.excludeCredentials.map((known) => ({ ...known, id: decoded(known.id) })),
    };
    const made = await navigator.credentials.create({ publicKey });
    return { ...common(made), response: parts(made.response, ["clientDataJSON", "attestationObject"]) };
  },
  async "sign-in"(options) {
    const publicKey = { ...options, challenge: decoded(options.challenge) };
    const used = await navigator.credentials.get({ publicKey });
    return {
      ...common(used),
      response: parts(used.response, ["clientDataJSON", "authenticatorData", "signature", "userHandle"]),
    };
  },
};

const common = (credential) => ({
  id: credential.id,
  rawId: encoded(credential.rawId),
  type: credential.type,
  clientExtensionResults: {},
});

const parts = (response, names) =>
  Object.fromEntries(names.filter((name) => response[name]).map((name) => [name, encoded(response[name])]));

const send = async (form, answer) => {
  const headers = { "Content-Type": "application/json" };
  if (form.dataset.csrf) headers["X-CSRF-Token"] = form.dataset.csrf;
  const response = await fetch(form.dataset.to, { method: "POST", headers, body: JSON.stringify(answer) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  location.assign((await response.json()).to);
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  const button = form.querySelector("button");
  const problem = form.querySelector("[role=alert]");
  button.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      await send(form, await actions[form.dataset.passkey](JSON.parse(form.dataset.options)));
    } catch {
      problem.hidden = false;
    }
    button.disabled = false;
  });
}
