// The end of the Shortcut's script (Run JavaScript on Web Page): gives what was gathered, or why nothing was, to the next
// action, which sends it. Every path ends with completion().
(async () => {
  try {
    completion(JSON.stringify(await gather(plan)));
  } catch (error) {
    completion(JSON.stringify({ problem: String(error.message || error) }));
  }
})();
