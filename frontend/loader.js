// Starts the islands of a page. Which files to load stands on the script's own tag, because their names change with
// their content.
const tag = document.querySelector("script[data-wasm]");
// Both at once: the bindings are small, the program isn't.
const program = fetch(tag.dataset.wasm);
const module = await import(tag.dataset.script);
await module.default({ module_or_path: program });
module.hydrate();

const start = () => {
  for (const island of document.querySelectorAll("leptos-island:not([data-started])")) {
    island.dataset.started = "";
    module[island.dataset.component]?.(island);
  }
};
document.addEventListener("islands:added", start);
start();
