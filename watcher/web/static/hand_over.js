// Sends on what a bookmark put behind the "#" of this page's address, because its own site does not let it post here.
const packed = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
const visible = (id) => {
  for (const each of ["waiting", "sending", "failed"]) {
    document.getElementById(each).hidden = each !== id;
  }
};
if (packed) {
  visible("sending");
  (async () => {
    try {
      const text = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
      const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
      const content = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      const answer = await fetch(location.pathname, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "text/html" },
        body: await new Response(content).blob(),
      });
      const shown = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("report");
      document.getElementById("report").replaceWith(shown);
      document.title = shown.querySelector("h1").textContent;
    } catch (error) {
      visible("failed");
    }
  })();
}
