// Without WebGL: a video or a still in place of the picture, and a line that says so.
import { el } from "./dom.js";

const safe = (uri, kinds) => typeof uri === "string" && (uri.startsWith("data:") ? kinds.test(uri) : !/^\s*javascript:/i.test(uri));

export function fallback({ video, still } = {}, words, reason) {
  const children = [];
  if (safe(video, /^data:video\//)) {
    children.push(el("video", { class: "av-video", src: video, controls: true, muted: true, loop: true, playsinline: true, "aria-label": words }));
  } else if (safe(still, /^data:image\//)) {
    children.push(el("img", { class: "av-still", src: still, alt: words }));
  }
  const shown = children.length ? (children[0].tagName === "VIDEO" ? " A video is shown instead." : " A still is shown instead.") : "";
  children.push(el("p", { class: "av-message", role: "status", text: `${reason}${shown}` }));
  return el("div", { class: "av-fallback" }, ...children);
}
