// Single keys for everything; they can be switched off, since readers of screens have keys of their own (WCAG 2.1.4).
const KEYS = [
  ["A  B  T", "A is better, B is better, a tie"],
  ["S", "skip, then 1 to 5 for the reason"],
  ["1 2 3 4", "how much better"],
  ["E  O  C", "questions: go through the answers"],
  ["Enter", "save the vote, go on"],
  ["U", "take the last vote back"],
  ["Space", "play or pause"],
  ["← →", "a frame back or forward"],
  ["− +", "slower, faster"],
  ["V", "another view"],
  ["?", "these keys"],
];
const VIEWS = ["three-quarter", "front", "side", "back", "top"];
const SPEEDS = [0.25, 0.5, 1, 2];
const keys = { on: memory.get("keys") !== false, actions: {} };

const typing = (target) => target.closest?.("textarea, select, [contenteditable], input:not([type=radio]):not([type=checkbox])");
const pressed = (target) => target.closest?.("button, a, summary, [role=tab], input[type=checkbox]");

function movesViewer(key, target) {
  const { viewer } = stage;
  if (!viewer) return false;
  const speed = SPEEDS.indexOf(viewer.state.speed);
  const radio = target.matches?.("input[type=radio]");
  if (key === " " && !(radio && !target.checked)) viewer.toggle();
  else if ((key === "ArrowLeft" || key === "ArrowRight") && !radio) viewer.step(key === "ArrowLeft" ? -1 : 1);
  else if (key === "-") viewer.setSpeed(SPEEDS[Math.max(0, speed - 1)]);
  else if (key === "+" || key === "=") viewer.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, speed + 1)]);
  else if (key === "v") viewer.setView(VIEWS[(VIEWS.indexOf(viewer.state.view) + 1) % VIEWS.length]);
  else return false;
  return true;
}

function heard(event) {
  if (!element.isConnected) {
    document.removeEventListener("keydown", heard);
    return;
  }
  const { target } = event;
  if (!keys.on || state.busy || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (element.offsetParent === null || typing(target)) return; // another tab of the page, or a text field
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if ((key === "Enter" || key === " ") && pressed(target)) return; // what has the focus is pressed
  const act = keys.actions[key];
  if (act && event.repeat) event.preventDefault();
  else if (act ? act() !== false : movesViewer(key, target)) event.preventDefault();
}

document.addEventListener("keydown", heard);

function keyTable() {
  const box = make("input", { type: "checkbox", on: { change: () => setKeys(box.checked) } });
  box.checked = keys.on;
  const rows = KEYS.flatMap(([name, words]) => [make("dt", {}, make("kbd", { text: name })), make("dd", { text: words })]);
  return make(
    "details",
    { class: "ar-keys" },
    make("summary", { text: "Keys" }),
    make("label", { class: "ar-check" }, box, make("span", { text: "Single keys are on" })),
    make("dl", {}, ...rows),
  );
}

function setKeys(on) {
  keys.on = on;
  memory.set("keys", on);
  stage.viewer?.setKeys(!on);
  element.querySelector(".arena").toggleAttribute("data-keys", on);
  say(on ? "Single keys are on." : "Single keys are off; every control can be reached with Tab.");
}
