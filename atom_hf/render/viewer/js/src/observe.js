// What a viewer listens to: keys, the wheel, whether it is in sight, its size, and the reader's preferences.
import { pressed } from "./keys.js";
import { DARK, STILL, watchPreference } from "./theme.js";

// Gives back a function that ends it all.
export function observe(viewer) {
  const { root, picture } = viewer;
  const listeners = new AbortController();
  const { signal } = listeners;
  root.addEventListener(
    "keydown",
    (event) => {
      if (viewer.keys && !viewer.broken && pressed(event, viewer)) event.preventDefault();
    },
    { signal },
  );
  // The wheel scrolls the page until the viewer has been clicked.
  picture.addEventListener(
    "wheel",
    (event) => {
      viewer.rig.controls.enableZoom = event.ctrlKey || root.contains(document.activeElement);
    },
    { capture: true, passive: true, signal },
  );
  picture.addEventListener("pointerdown", () => picture.focus({ preventScroll: true }), { signal });
  const sight = new IntersectionObserver((entries) => viewer.setSeen(entries.at(-1).isIntersecting), { rootMargin: "80px" });
  sight.observe(root);
  const size = new ResizeObserver(() => viewer.measure());
  size.observe(root);
  const ends = [
    () => listeners.abort(),
    () => sight.disconnect(),
    () => size.disconnect(),
    watchPreference(DARK, () => viewer.setTheme(viewer.spec.theme ?? null)),
    watchPreference(STILL, (still) => still && viewer.pause()),
  ];
  return () => ends.forEach((end) => end());
}
