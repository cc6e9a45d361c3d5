// Reads the portal's answers in the tab of the person who is signed in, as the portal's own page does. `plan` is a
// HandoverPlan with the numbers of the watched cases. The browser sends its own cookies; the script never reads one.
async function gather(plan) {
  const LIMIT = 8 * 1024 * 1024;
  const ACCEPT = "application/json, text/html;q=0.9";
  if (location.origin !== plan.origin) {
    throw new Error(plan.texts.elsewhere);
  }
  const answers = [];
  const add = (number, url, status, type, text) =>
    answers.push({ case: number, url: url, status: status, type: type.slice(0, 200), text: text });
  const get = async (path, accept) => {
    let response, text;
    try {
      response = await fetch(path, { credentials: "include", cache: "no-store", headers: { Accept: accept } });
      text = await response.text();
    } catch (error) {
      // The browser says no more than that; a session that has ended leads to another host, which looks like this.
      throw new Error(plan.texts.unanswered);
    }
    if (text.length > LIMIT) {
      throw new Error(plan.texts.large);
    }
    return { url: response.url, status: response.status, type: response.headers.get("content-type") || "", text: text };
  };
  const numbers = new Set(plan.cases);
  const find = (text) => {
    for (const found of text.matchAll(new RegExp(plan.number, "gi"))) {
      numbers.add(found[1]);
    }
  };
  if (plan.listing && plan.all_cases) {
    find(document.body.innerText);
    const listed = await get(plan.listing, "text/html");
    find(new DOMParser().parseFromString(listed.text, "text/html").body.textContent);
  }
  for (const number of numbers) {
    for (const path of plan.paths) {
      const answer = await get(path.replaceAll("{case_number}", encodeURIComponent(number)), ACCEPT);
      add(number, answer.url, answer.status, answer.type, answer.text);
    }
  }
  if (plan.takes_page) {
    // What the person typed, and the page's own scripts, stay here.
    const page = document.documentElement.cloneNode(true);
    page.querySelectorAll("input, textarea, select, script, style").forEach((each) => each.remove());
    add("", location.href, 200, "text/html", page.outerHTML);
  }
  const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0"));
  return { version: 1, nonce: nonce.join(""), at: Date.now(), site: location.origin, answers: answers };
}
