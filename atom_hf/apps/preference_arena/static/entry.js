// Sign-in, consent, and what is shown when nothing is left.
function signInScreen(message = "") {
  if (about.hub) {
    const words = "Please sign in with Hugging Face, with the button above. Your name is stored as a keyed hash.";
    return show(make("section", { class: "ar-card" }, make("h2", { text: about.title }), make("p", { text: words }), problem(message)));
  }
  const invited = about.access === "codes";
  const name = make("input", { id: "ar-name", maxlength: 60, autocomplete: "username", required: true });
  const code = make("input", { id: "ar-code", maxlength: 40, autocomplete: "current-password", spellcheck: "false", required: invited, placeholder: "XXXX-XXXX-XXXX" });
  const form = make(
    "form",
    { class: "ar-card ar-form" },
    make("h2", { text: about.title }),
    make("p", { text: invited ? "Sign in with the name and the code that you were invited with." : "Choose any name. You get a code for it, to come back from another browser." }),
    make("label", { for: "ar-name", text: "Name" }),
    name,
    make("label", { for: "ar-code", text: invited ? "Code" : "Code, if the name has one already" }),
    code,
    make("p", { class: "ar-soft", text: "Your name is stored as a keyed hash; nobody can read it from the votes." }),
    problem(message),
    make("button", { class: "ar-button ar-primary", type: "submit", text: "Sign in" }),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    working(async () => arrive(await once("arena_sign_in", { name: name.value, code: code.value })));
  });
  show(form, name);
}

function consentScreen(code) {
  const yes = button("I agree", () => answerConsent(true), { class: "ar-button ar-primary" });
  const card = make(
    "section",
    { class: "ar-card" },
    code ? codeCard(code) : null,
    make("h2", { text: "Before you begin" }),
    make("p", { text: about.consent }),
    make("p", { text: `Licence of the votes: ${about.license}` }),
    make("div", { class: "ar-buttons" }, yes, button("I do not agree", () => answerConsent(false))),
  );
  show(card, yes);
}

const codeCard = (code) =>
  make("p", { class: "ar-code", role: "note" }, make("span", { text: "Your code, shown this once: " }), make("b", { text: code }), make("span", { text: ". Write it down: with it you come back from another browser." }));

function answerConsent(given) {
  working(async () => {
    const place = await once("arena_consent", { key: state.key, given });
    if (place.error) return signInScreen(place.error);
    if (given) return arrive(place);
    leave("You did not agree, so nothing is asked and no vote is kept. You can sign in again at any time.");
  });
}

function doneScreen(place) {
  const { votes } = place.progress;
  const undo = about.undo && votes > 0 ? button("Take the last vote back", undoVote, { key: "U" }) : null;
  keys.actions = { u: () => (undo ? undoVote() : false) };
  const head = make("h2", { text: "Nothing is left for you", tabindex: -1 });
  const words = `You have judged ${votes} pairs. Thank you! New pairs may come; how your votes compare stands under “Progress”.`;
  show(make("section", { class: "ar-card" }, head, make("p", { text: words }), problem(""), make("div", { class: "ar-buttons" }, undo, leaveButton(), withdrawButton())), head);
}

const leaveButton = () => (about.hub ? null : button("Sign out", () => leave()));

const withdrawButton = () =>
  button("Withdraw my votes", () => {
    if (confirm("Leave your votes out of all later exports and results? You can agree again later.")) answerConsent(false);
  });

function leave(message = "") {
  state.key = null;
  memory.set("key", null);
  memory.set("pending", null);
  keys.actions = {};
  signInScreen(message);
}
