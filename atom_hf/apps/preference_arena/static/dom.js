// Elements without markup: what people typed only ever becomes text.
const make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else if (name === "on") for (const [event, action] of Object.entries(value)) made.addEventListener(event, action);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};

const button = (text, action, { key = null, ...attributes } = {}) =>
  make("button", { type: "button", class: "ar-button", "aria-keyshortcuts": key, on: { click: action }, ...attributes }, make("span", { text }), keycap(key));

const keycap = (key) => (key ? make("kbd", { text: key, "aria-hidden": "true" }) : null);

// Radio buttons of one question, as a row; `choices` are [value, words, key].
function choiceRow(name, words, choices, changed) {
  const row = make("fieldset", { class: "ar-row", "data-name": name }, make("legend", { text: words }));
  for (const [value, text, key] of choices) {
    const input = make("input", { type: "radio", name: `ar-${name}`, value, "aria-keyshortcuts": key, on: { change: changed } });
    row.append(make("label", { class: "ar-choice" }, input, make("span", { text }), keycap(key)));
  }
  return row;
}

const chosen = (row) => row.querySelector("input:checked")?.value ?? null;

function choose(row, value) {
  for (const input of row.querySelectorAll("input")) input.checked = input.value === value;
}
