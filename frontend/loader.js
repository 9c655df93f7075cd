// Starts the islands of a page. Which files to load stands on the script's own tag, because their names change with
// their content.
const tag = document.querySelector("script[data-wasm]");
const module = await import(tag.dataset.script);
await module.default({ module_or_path: tag.dataset.wasm });
module.hydrate();

const start = () => {
  for (const island of document.querySelectorAll("leptos-island:not([data-started])")) {
    island.dataset.started = "";
    module[island.dataset.component]?.(island);
  }
};
document.addEventListener("islands:added", start);
start();
