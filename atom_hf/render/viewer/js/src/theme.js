// Colours of the picture in light and dark; the light ones are the Python renderer's.
import body from "./body.json";

const grey = (value) => [value / 255, value / 255, value / 255];
const rgb = (red, green, blue) => [red / 255, green / 255, blue / 255];

const DAY = {
  sky: grey(body.floor.sky),
  plain: grey(body.floor.plain),
  grid: grey(body.floor.line),
  shadow: rgb(66, 68, 76),
  shadowStrength: 1,
  outline: 0.3,
  trail: body.trail.map((value) => value / 255),
};
const NIGHT = {
  sky: rgb(23, 25, 30),
  plain: rgb(34, 37, 44),
  grid: rgb(66, 71, 82),
  shadow: rgb(8, 9, 11),
  shadowStrength: 1.6,
  outline: 0.22,
  trail: rgb(46, 184, 120),
};

export const palette = (theme) => (theme === "dark" ? NIGHT : DAY);

export const DARK = "(prefers-color-scheme: dark)";
export const STILL = "(prefers-reduced-motion: reduce)";

// Calls back when a preference of the system changes; gives back a function that ends it.
export function watchPreference(query, action) {
  const list = window.matchMedia(query);
  const listener = () => action(list.matches);
  list.addEventListener("change", listener);
  return () => list.removeEventListener("change", listener);
}

export const prefers = (query) => window.matchMedia(query).matches;
