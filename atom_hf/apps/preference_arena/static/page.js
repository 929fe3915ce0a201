// The page: what is shown, what is said, and one thing at a time.
const about = props.about;
const state = { key: memory.get("key"), busy: false, said: "", focus: null };
const root = element.querySelector(".arena");
const screen = make("div", { class: "ar-screen" });
const live = make("div", { class: "ar-live", role: "status", "aria-live": "polite" });
root.replaceChildren(live, screen);
root.toggleAttribute("data-keys", keys.on);

function say(words) {
  if (words) live.textContent = live.textContent === words ? `${words} ` : words; // the same twice is heard twice
}

const problem = (words) => make("p", { class: "ar-problem", role: "alert", text: words });

function trouble(words) {
  const place = screen.querySelector(".ar-problem");
  if (place) place.textContent = words;
  else say(words);
}

function toast(words) {
  const place = screen.querySelector(".ar-toast");
  if (!place) return;
  place.textContent = `✓ ${words}`;
  place.getAnimations().forEach((one) => one.cancel());
  place.animate([{ opacity: 1 }, { opacity: 1, offset: 0.8 }, { opacity: 0 }], { duration: 2500, fill: "forwards" });
}

function show(content, focused) {
  if (content !== ballot.parts?.root) {
    stage.viewer?.destroy();
    stage.viewer = null;
  }
  screen.replaceChildren(content);
  focus(focused);
}

// While a call is under way nothing can have the focus; it goes there afterwards.
function focus(place) {
  state.focus = place;
  if (!state.busy) place?.focus({ preventScroll: true });
}

// Nothing can be pressed while a call is under way.
async function working(task) {
  if (state.busy) return;
  state.busy = true;
  screen.inert = true;
  screen.setAttribute("aria-busy", "true");
  trouble("");
  try {
    await task();
  } finally {
    state.busy = false;
    screen.inert = false;
    screen.removeAttribute("aria-busy");
    if (ballot.parts?.root.isConnected) changed();
    if (document.activeElement === document.body) focus(state.focus?.isConnected ? state.focus : ballot.parts?.root);
  }
}

async function once(name, call) {
  return ask(name, call, (words) => trouble(words));
}

function arrive(place, message = "") {
  if (place.key) {
    state.key = place.key;
    if (!about.hub) memory.set("key", place.key);
  }
  root.querySelector(".ar-feedback")?.remove();
  root.querySelector(".ar-vote")?.removeAttribute("hidden");
  keys.actions = {};
  if (place.error && screen.querySelector("#ar-name")) return trouble(place.error); // what was typed stays
  if (place.error) return signInScreen(place.error);
  if (place.screen === "sign-in") return signInScreen(message);
  if (place.screen === "consent") return consentScreen(place.code);
  if (place.screen === "done") return doneScreen(place);
  ballotScreen(place);
  if (message) trouble(message);
}

// The other tabs of the page ask through here.
globalThis.arenaPage = {
  async fill(name, selector) {
    const place = document.querySelector(selector);
    if (!place) return;
    if (!state.key) return place.replaceChildren(make("p", { class: "ar-soft", text: "Please sign in first, under “Label”." }));
    const reply = await server[name]({ key: state.key });
    if (reply?.html !== undefined) place.innerHTML = reply.html; // the server has escaped it
    else place.replaceChildren(make("p", { class: "ar-soft", text: reply?.error ?? "No answer from the server; please try again." }));
  },
};

working(async () => {
  screen.replaceChildren(make("p", { class: "ar-soft", text: "One moment…" }));
  const pending = memory.get("pending");
  const place = await once("arena_enter", { key: state.key ?? "" });
  if (place.key) state.key = place.key;
  if (pending && state.key && (about.hub || pending.key === state.key)) await deliver({ ...pending, key: state.key });
  else arrive(place);
});
