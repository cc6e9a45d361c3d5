// The end of the bookmark: leaves the tab for the watcher's page with what was gathered. A form is posted, as that has
// no limit of size. Where the portal's policy forbids its page to post elsewhere, the content is put behind the "#" of
// the address, compressed: that part is never sent to a server, and the watcher's page reads it there.
(async () => {
  const say = (text) => {
    const line = document.createElement("div");
    line.setAttribute("role", "status");
    line.textContent = text;
    line.style.cssText =
      "position:fixed;z-index:2147483647;left:0;right:0;top:0;padding:16px;background:#fff;color:#000;" +
      "font:16px/1.4 system-ui,sans-serif;border-bottom:3px solid #1a5fb4";
    document.querySelector("#case-watcher-status")?.remove();
    line.id = "case-watcher-status";
    document.body.append(line);
  };
  try {
    say(plan.texts.reading);
    const content = JSON.stringify(await gather(plan));
    document.addEventListener("securitypolicyviolation", async (event) => {
      if (event.effectiveDirective === "form-action") {
        const packed = new Response(new Blob([content]).stream().pipeThrough(new CompressionStream("gzip")));
        const bytes = new Uint8Array(await packed.arrayBuffer());
        let text = "";
        for (let start = 0; start < bytes.length; start += 32768) {
          text += String.fromCharCode(...bytes.subarray(start, start + 32768));
        }
        location.href = plan.address + "#" + btoa(text).replaceAll("+", "-").replaceAll("/", "_");
      }
    });
    const form = document.createElement("form");
    form.method = "post";
    form.action = plan.address;
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "content";
    field.value = content;
    form.append(field);
    document.body.append(form);
    form.submit();
  } catch (error) {
    say(error.message);
  }
})();
