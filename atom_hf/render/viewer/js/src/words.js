// What can be read instead of seen: the events as a list, the colours, the keys.
import { el, seconds } from "./dom.js";
import { said } from "./timeline.js";

const WAYS = { asked: "asked for", seen: "seen" };
const KEYS = [
  ["Space", "play or pause"],
  ["← →", "one frame back or forward"],
  ["Shift ← →", "ten frames"],
  ["Home End", "first and last frame"],
  ["+ −", "faster, slower"],
  ["L", "loop on or off"],
  ["F", "camera follows, or stays"],
  ["1 2 3 4 5", "seen from the front, the side, three-quarter, the back, the top"],
  ["Alt ← → ↑ ↓", "turn the camera, while the picture has the focus"],
  ["Alt Page Up, Page Down", "nearer, farther, while the picture has the focus"],
];

export function eventList(clips, seek) {
  const events = clips.flatMap((clip) => clip.events.map((event) => ({ ...event, clip: clip.label })));
  if (!events.length) return null;
  events.sort((a, b) => a.start - b.start || a.end - b.end);
  const items = events.map((event) => {
    const where = clips.length > 1 && event.clip ? ` in ${event.clip}` : "";
    return el(
      "li",
      {},
      el("button", { type: "button", class: "av-moment", text: `${seconds(event.start)} – ${seconds(event.end)}`, on: { click: () => seek(event.start) } }),
      el("span", { text: ` ${said(event)} `, dir: "auto" }),
      el("span", { class: "av-soft", text: `${WAYS[event.row]}${where}`, dir: "auto" }),
    );
  });
  return el("details", { class: "av-details" }, el("summary", { text: "What happens" }), el("ol", {}, ...items));
}

const swatch = (name, words) => el("li", {}, el("span", { class: `av-swatch av-${name}`, "aria-hidden": "true" }), el("span", { text: words }));

export function legend() {
  return el(
    "ul",
    { class: "av-legend", "aria-label": "Colours" },
    swatch("left", "left arm and leg: blue"),
    swatch("right", "right arm and leg: orange"),
    swatch("way", "way over the floor: green"),
    swatch("sole", "coloured sole: foot on the floor"),
  );
}

export function keyList(enabled, setKeys) {
  const box = el("input", { type: "checkbox", on: { change: () => setKeys(box.checked) } });
  box.checked = enabled;
  const rows = KEYS.flatMap(([keys, words]) => [el("dt", { text: keys }), el("dd", { text: words })]);
  const element = el(
    "details",
    { class: "av-details" },
    el("summary", { text: "Keys" }),
    el("label", { class: "av-check" }, box, el("span", { text: "Keys are on, while the focus is in this viewer" })),
    el("dl", {}, ...rows),
    el("p", { class: "av-soft", text: "Drag turns the camera, with the right button or two fingers it moves; wheel or two fingers bring it nearer." }),
  );
  return { element, box };
}
