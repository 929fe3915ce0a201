// Elements with text in them. Text comes from captions and names: it is set as text, never as markup.
export function el(name, options = {}, ...children) {
  const { text, on = {}, ...rest } = options;
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(rest)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(key, value === true ? "" : value);
  }
  if (text !== undefined) element.textContent = text;
  for (const [event, action] of Object.entries(on)) element.addEventListener(event, action);
  element.append(...children.filter(Boolean));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  play: "M7 4.8v14.4a.8.8 0 0 0 1.2.7l11.6-7.2a.8.8 0 0 0 0-1.4L8.2 4.1A.8.8 0 0 0 7 4.8z",
  pause: "M6.5 4.5h3.6v15H6.5zM13.9 4.5h3.6v15h-3.6z",
  back: "M5.5 5h2.6v14H5.5zM18.5 5.6v12.8L9.3 12z",
  forward: "M15.9 5h2.6v14h-2.6zM5.5 5.6v12.8L14.7 12z",
  loop: "M17 3.5 20.8 7 17 10.5V8.2H8.2A3.2 3.2 0 0 0 5 11.4V13H2.8v-1.6A5.4 5.4 0 0 1 8.2 6H17zM7 20.500 3.200 17 7 13.500v2.300h8.800A3.200 3.200 0 0 0 19 12.600V11h2.200v1.600a5.400 5.400 0 0 1-5.400 5.400H7z",
  follow: "M11 2h2v3.1A7 7 0 0 1 18.900 11H22v2h-3.100A7 7 0 0 1 13 18.900V22h-2v-3.100A7 7 0 0 1 5.100 13H2v-2h3.100A7 7 0 0 1 11 5.100zM12 7.200a4.800 4.800 0 1 0 0 9.600 4.800 4.800 0 0 0 0-9.600zm0 2.600a2.200 2.200 0 1 1 0 4.400 2.200 2.200 0 0 1 0-4.400z",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

export function seconds(value) {
  return `${value.toFixed(2)} s`;
}
