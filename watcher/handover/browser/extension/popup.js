// The extension's window. Nothing happens before a button is pressed, and no page can send it a message.
const texts = plan.texts;
const show = (id, text) => {
  document.getElementById(id).textContent = text;
};
const tab = async () => (await chrome.tabs.query({ active: true, currentWindow: true }))[0];

// Runs in the tab, where it reads the answers and leaves for the watcher's page, which shows the result.
async function handOver() {
  const current = await tab();
  if (!current.url || new URL(current.url).origin !== plan.origin) {
    show("result", texts.elsewhere);
    return;
  }
  await chrome.scripting.executeScript({
    target: { tabId: current.id },
    files: ["plan.js", "gather.js", "leave.js"],
  });
  window.close();
}

async function handOverSession() {
  const cookies = [];
  for (const host of plan.session_hosts) {
    for (const cookie of await chrome.cookies.getAll({ url: `https://${host}/` })) {
      cookies.push(cookie);
    }
  }
  const answer = await fetch(`${plan.address}/session`, {
    method: "POST",
    credentials: "omit",
    headers: { "Content-Type": "application/json", Accept: "text/plain" },
    body: JSON.stringify(cookies),
  });
  show("result", await answer.text());
}

const guarded = (action) => async () => {
  show("result", texts.reading);
  try {
    await action();
  } catch (error) {
    show("result", texts.refused);
  }
};

document.documentElement.lang = texts.language;
show("title", texts.title);
show("hand-over", texts.hand_over);
show("hand-over-note", texts.hand_over_note);
show("session", texts.session);
show("session-note", texts.session_note);
document.getElementById("with-session").hidden = plan.session_hosts.length === 0;
document.getElementById("hand-over").addEventListener("click", guarded(handOver));
document.getElementById("session").addEventListener("click", guarded(handOverSession));
