// A ballot: choice, then degree or reason, perhaps questions; sent with a token until the server has acknowledged it.
const QUESTION_KEYS = { events: "E", order: "O", count: "C" };
const LETTERS = { first: "A", second: "B", both: "both", neither: "neither", unsure: "unsure" };
const ballot = { id: null, since: 0, rows: {}, parts: null };

function ballotScreen(place) {
  const { prompt, questions, viewer, id } = place.ballot;
  Object.assign(ballot, { id, since: performance.now() });
  if (!ballot.parts?.root.isConnected) buildBallot();
  const { parts } = ballot;
  parts.prompt.textContent = prompt;
  parts.note.value = "";
  parts.more.open = false;
  parts.questions.replaceChildren();
  ballot.rows = {};
  for (const { name, text, choices } of questions) {
    const row = choiceRow(name, text, choices.map((value) => [value, LETTERS[value] ?? value, null]), changed);
    const key = QUESTION_KEYS[name];
    if (key) row.querySelector("legend").append(" ", keycap(key));
    ballot.rows[name] = row;
    parts.questions.append(row);
  }
  for (const row of [parts.choice, parts.degree, parts.reason]) choose(row, null);
  showProgress(place.progress);
  listen();
  changed();
  play(viewer);
  focus(parts.root);
  if (parts.root.getBoundingClientRect().top < 0) parts.root.scrollIntoView({ block: "start" });
  say(`${state.said} ${place.progress.training_left ? "Training. " : ""}Next: ${prompt.replace(/[.\s]+$/, "")}. A and B play side by side.`.trim());
  state.said = "";
}

function buildBallot() {
  const parts = (ballot.parts = {});
  parts.count = make("span", { class: "ar-count" });
  parts.bar = make("progress", { "aria-label": "pairs judged" });
  parts.undo = button("Undo", undoVote, { key: "U", class: "ar-button ar-quiet" });
  parts.prompt = make("p", { class: "ar-prompt", dir: "auto" });
  stage.host = make("div", { class: "ar-viewer" });
  parts.choice = choiceRow("choice", about.title, [["first", "A is better", "A"], ["tie", "Tie", "T"], ["second", "B is better", "B"], ["skipped", "Skip", "S"]], changed);
  parts.degree = choiceRow("degree", "By how much?", about.degrees.map((value, i) => [value, value, String(i + 1)]), changed);
  parts.reason = choiceRow("reason", "Why skip it?", about.reasons.map((value, i) => [value, value, String(i + 1)]), changed);
  parts.questions = make("div", { class: "ar-questions" });
  parts.note = make("textarea", { maxlength: 500, rows: 2, "aria-label": "Note" });
  parts.more = make("details", { class: "ar-note" }, make("summary", { text: "Add a note" }), parts.note);
  parts.save = button("Save vote", sendVote, { key: "Enter", class: "ar-button ar-primary" });
  parts.problem = problem("");
  parts.body = make(
    "fieldset",
    { class: "ar-body" },
    make("div", { class: "ar-step" }, parts.choice),
    make("div", { class: "ar-step" }, parts.degree, parts.reason),
    parts.questions,
    parts.problem,
    make("div", { class: "ar-send" }, parts.more, parts.save),
  );
  const form = make("form", { class: "ar-vote", on: { submit: (event) => (event.preventDefault(), sendVote()) } }, parts.body);
  const head = make("div", { class: "ar-head" }, parts.count, parts.bar, make("span", { class: "ar-toast", "aria-hidden": "true" }), about.undo ? parts.undo : null);
  parts.root = make("section", { class: "ar-ballot", tabindex: -1, "aria-label": "Comparison" }, head, parts.prompt, stage.host, form, make("div", { class: "ar-foot" }, keyTable(), leaveButton()));
  show(parts.root, null);
}

function showProgress({ votes, training_left: training, available }) {
  const { count, bar, undo } = ballot.parts;
  const left = `about ${available} to go`;
  count.textContent = training ? `Training: ${training} to go, each with its answer` : `${votes} judged, ${left}`;
  bar.hidden = training > 0;
  bar.max = Math.max(1, votes + available);
  bar.value = votes;
  undo.disabled = votes === 0;
}

function changed() {
  const { choice, degree, reason, save } = ballot.parts;
  const said = chosen(choice);
  const decided = said === "first" || said === "second";
  degree.hidden = said === "skipped";
  degree.disabled = !decided;
  reason.hidden = said !== "skipped";
  if (!decided) choose(degree, null);
  if (said !== "skipped") choose(reason, null);
  save.disabled = state.busy || missing() !== null;
}

function missing() {
  const { choice, degree, reason } = ballot.parts;
  const said = chosen(choice);
  if (said === null) return "Choose A, B, a tie, or skip first.";
  if ((said === "first" || said === "second") && chosen(degree) === null) return "Say by how much: 1 to 4.";
  if (said === "skipped" && chosen(reason) === null) return `Say why it is skipped: 1 to ${about.reasons.length}.`;
  return null;
}

function listen() {
  const { choice, degree, reason } = ballot.parts;
  const pick = (value, words) => () => {
    choose(choice, value);
    changed();
    say(words);
  };
  const number = (i) => () => {
    const row = chosen(choice) === "skipped" ? reason : degree;
    const input = row.querySelectorAll("input")[i];
    if (!input || row.disabled) return say("Choose A or B first.");
    choose(row, input.value);
    changed();
    say(`${input.value}. Enter saves.`);
  };
  keys.actions = {
    a: pick("first", "A is better. By how much? 1 to 4."),
    b: pick("second", "B is better. By how much? 1 to 4."),
    t: pick("tie", "A tie. Enter saves."),
    s: pick("skipped", `Skip. Why? ${about.reasons.map((words, i) => `${i + 1} ${words}`).join(", ")}.`),
    Enter: sendVote,
    u: () => (ballot.parts.undo.disabled ? say("There is no vote to take back.") : undoVote()),
    "?": () => (element.querySelector(".ar-keys").open ^= true),
  };
  for (let i = 0; i < 5; i++) keys.actions[i + 1] = number(i);
  for (const [name, row] of Object.entries(ballot.rows)) if (QUESTION_KEYS[name]) keys.actions[QUESTION_KEYS[name].toLowerCase()] = () => cycle(row);
}

function cycle(row) {
  const inputs = [...row.querySelectorAll("input")];
  const next = inputs[inputs.findIndex((input) => input.checked) + 1]; // after the last one it is open again
  choose(row, next?.value ?? null);
  say(`${row.querySelector("legend").firstChild.textContent} ${next ? next.parentElement.textContent : "open"}.`);
}

function sendVote() {
  if (state.busy) return;
  const lack = missing();
  if (lack) return trouble(lack);
  const { choice, degree, reason, note } = ballot.parts;
  const questions = Object.fromEntries(Object.entries(ballot.rows).map(([name, row]) => [name, chosen(row)]).filter(([, said]) => said));
  const seconds = Math.round(performance.now() - ballot.since) / 1000;
  const answer = { choice: chosen(choice), degree: chosen(degree), reason: chosen(reason), questions, note: note.value, seconds };
  const pending = { key: state.key, ballot: ballot.id, answer, token: drawToken() };
  memory.set("pending", pending); // until it is acknowledged, so that a reload loses nothing
  working(() => deliver(pending));
}

async function deliver(pending) {
  const reply = await ask("arena_vote", pending, (words, pause) => trouble(`${words} Next try in ${Math.ceil(pause)} s.`));
  memory.set("pending", null);
  if (!reply.saved) return refused(reply);
  const { feedback, systems } = reply.saved;
  const next = LATER.includes(reply.next.kind) ? await once("arena_enter", { key: state.key }) : reply.next;
  toast("Saved, thank you");
  state.said = "Vote saved, thank you.";
  if (feedback || systems) feedbackScreen(reply.saved, next, pending.answer);
  else arrive(next);
}

async function refused(reply) {
  if (reply.kind === "ballot") {
    arrive(await once("arena_enter", { key: state.key })); // voted on in another window, or taken back there
    return trouble(reply.error);
  }
  if (reply.kind === "not allowed") return arrive(await once("arena_enter", { key: state.key }), reply.error);
  trouble(reply.error);
}

function feedbackScreen({ feedback, systems }, next, answer) {
  const letter = { first: "A", second: "B" };
  const lines = [];
  if (feedback) {
    const expected = feedback.expected === "tie" ? "a tie" : `${letter[feedback.expected]} is better`;
    lines.push(make("h2", { text: feedback.right ? "Right" : answer.choice === "skipped" ? "Skipped" : "Not quite", tabindex: -1 }));
    lines.push(make("p", { text: feedback.right ? `Yes: ${expected}.` : `The expected answer is: ${expected}.` }));
    if (feedback.lesson) lines.push(make("p", { text: feedback.lesson, dir: "auto" }));
  } else lines.push(make("h2", { text: "Saved", tabindex: -1 }));
  if (systems) lines.push(make("p", { text: `A was made by ${systems[0]}, B by ${systems[1]}.` }));
  const go = () => arrive(next);
  keys.actions = { Enter: go };
  const card = make("div", { class: `ar-feedback${feedback && !feedback.right ? " ar-wrong" : ""}` }, ...lines, button("Next", go, { key: "Enter", class: "ar-button ar-primary" }));
  const { root } = ballot.parts ?? {};
  if (!root?.isConnected) return show(make("section", { class: "ar-card" }, card), lines[0]);
  root.querySelector(".ar-vote").hidden = true; // the motions stay in sight, the buttons go
  root.querySelector(".ar-vote").after(card);
  if (next.progress) showProgress(next.progress);
  ballot.parts.undo.disabled = true;
  focus(lines[0]);
  card.scrollIntoView({ block: "nearest" });
  say(`${state.said} ${lines.map((line) => line.textContent).join(" ")} Enter goes on.`);
  state.said = "";
}

function undoVote() {
  if (state.busy) return;
  const call = { key: state.key, token: drawToken() };
  working(async () => {
    const place = await ask("arena_undo", call, (words, pause) => trouble(`${words} Next try in ${Math.ceil(pause)} s.`));
    if (place.error) return trouble(place.error);
    state.said = "Your last vote is taken back.";
    toast("Taken back");
    arrive(place);
  });
}
