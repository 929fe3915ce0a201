// The module's door: mount(element, spec, options) makes one viewer; blocks that stand in the page are mounted at once.
import { Viewer } from "./viewer.js";

export function mount(element, spec, options = {}) {
  element.atomViewer?.destroy();
  element.atomViewer = new Viewer(element, spec, options); // where other scripts of the page find it
  return element.atomViewer;
}

// Mounts every block `<div data-atom-viewer><script type="application/json">…` below a node that has no viewer yet.
export function mountAll(node = document) {
  const viewers = [];
  for (const element of node.querySelectorAll("[data-atom-viewer]")) {
    if (element.atomViewer) continue;
    const data = element.querySelector('script[type="application/json"]');
    if (!data) continue;
    let spec;
    try {
      spec = JSON.parse(data.textContent);
    } catch {
      continue; // what stands in the block without this script stays
    }
    // The still stands in the page once, where it is seen without this script, too.
    const still = element.querySelector("img[data-still]");
    if (still) spec.fallback = { ...spec.fallback, still: still.src };
    viewers.push(mount(element, spec));
  }
  return viewers;
}

if (typeof document !== "undefined") {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => mountAll());
  else mountAll();
}
