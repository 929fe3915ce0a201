// The row of buttons below the time line: play, step, time, speed, loop, follow, views.
import { el, icon, seconds } from "./dom.js";
import { VIEWS } from "./rig.js";

export const SPEEDS = [0.25, 0.5, 1, 1.5, 2];
const NAMES = { front: "Front", side: "Side", "three-quarter": "Three-quarter", back: "Back", top: "Top" };

const button = (label, name, action) => el("button", { type: "button", class: "av-button", "aria-label": label, title: label, on: { click: action } }, icon(name));

export class Transport {
  constructor(actions) {
    this.play = button("Play", "play", actions.toggle);
    this.play.classList.add("av-play");
    this.now = el("span", { class: "av-now" });
    this.total = el("span", { class: "av-total" });
    this.frame = el("span", { class: "av-frame" });
    this.loop = button("Loop", "loop", actions.toggleLoop);
    this.follow = button("Camera follows the person", "follow", actions.toggleFollow);
    this.speed = el(
      "select",
      { class: "av-select", "aria-label": "Speed", title: "Speed", on: { change: () => actions.setSpeed(Number(this.speed.value)) } },
      ...SPEEDS.map((speed) => el("option", { value: speed, text: `${speed}×` })),
    );
    this.views = new Map(
      VIEWS.map((view) => [
        view,
        el("button", { type: "button", class: "av-view", "aria-pressed": "false", text: NAMES[view], on: { click: () => actions.setView(view) } }),
      ]),
    );
    this.element = el(
      "div",
      { class: "av-bar" },
      el(
        "div",
        { class: "av-group", role: "group", "aria-label": "Playing" },
        button("One frame back", "back", () => actions.step(-1)),
        this.play,
        button("One frame forward", "forward", () => actions.step(1)),
        el("span", { class: "av-time" }, this.now, this.total, this.frame),
      ),
      el("div", { class: "av-group av-options", role: "group", "aria-label": "How it plays" }, this.speed, this.loop, this.follow),
      el("div", { class: "av-group av-views", role: "group", "aria-label": "Camera" }, ...this.views.values()),
    );
  }

  showTime(clock) {
    this.now.textContent = clock.time.toFixed(2);
    this.total.textContent = ` / ${seconds(clock.length)}`;
    this.frame.textContent = `frame ${clock.frame}`;
  }

  showState({ playing, loop, follow, speed, view }) {
    const said = `${playing} ${loop} ${follow} ${speed} ${view}`;
    if (said === this.said) return;
    this.said = said;
    if (this.shown !== playing) {
      this.shown = playing;
      const label = playing ? "Pause" : "Play";
      this.play.setAttribute("aria-label", label);
      this.play.title = label;
      this.play.replaceChildren(icon(playing ? "pause" : "play"));
    }
    this.loop.setAttribute("aria-pressed", String(loop));
    this.follow.setAttribute("aria-pressed", String(follow));
    this.speed.value = String(speed);
    for (const [name, element] of this.views) element.setAttribute("aria-pressed", String(name === view));
  }

  disable() {
    for (const control of this.element.querySelectorAll("button, select")) control.disabled = true;
  }
}
