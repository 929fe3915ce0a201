// One viewer: builds its elements, keeps time, and draws only when something has changed.
import { Clip } from "./clip.js";
import { Clock } from "./clock.js";
import { el } from "./dom.js";
import { fallback } from "./fallback.js";
import { observe } from "./observe.js";
import { Rig, VIEWS } from "./rig.js";
import { Stage } from "./stage.js";
import { DARK, STILL, palette, prefers } from "./theme.js";
import { Timeline } from "./timeline.js";
import { SPEEDS, Transport } from "./transport.js";
import { eventList, keyList, legend } from "./words.js";

const VERSION = 1;
const NARROW = 480; // pixels below which two panes stand above each other
const LEAVE = 800; // milliseconds out of sight after which the drawing context is given back
const SHOW = 120; // milliseconds between two changes of the numbers
const NO_WEBGL = "This browser cannot draw in three dimensions here (no WebGL).";
const LOST = "The browser took the drawing surface away; the picture comes back if it returns.";

export class Viewer {
  constructor(element, spec, options = {}) {
    if (spec?.version !== VERSION || !spec.clips?.length) {
      throw new Error(`Expected what viewer_spec() gives, version ${VERSION} with clips, got version ${spec?.version}.`);
    }
    this.element = element;
    this.spec = { ...spec, ...options };
    this.clips = spec.clips.map((clip) => new Clip(clip));
    const fps = Math.max(...this.clips.map((clip) => clip.fps));
    this.clock = new Clock(Math.max(...this.clips.map((clip) => clip.length)), fps, this.spec.loop ?? true);
    this.follow = this.spec.follow ?? true;
    this.keys = true;
    this.seen = false;
    this.broken = false;
    this.waiting = 0;
    this.shown = -Infinity;
    this.endings = [];
    this.build();
    this.setTheme(this.spec.theme ?? null);
    this.endings.push(observe(this));
    if ((this.spec.autoplay ?? false) && !prefers(STILL)) this.play();
    this.refresh();
  }

  // Elements.

  build() {
    const { prompt = "" } = this.spec;
    const words = prompt ? `A person moves: ${prompt}` : "A person moves";
    this.words = this.clips.length > 1 ? `${words}; ${this.clips.length} clips side by side` : words;
    this.panes = this.clips.map((clip) => {
      const note = el("span", { class: "av-note", text: "holds its last frame", hidden: true });
      return { clip, note, element: el("div", { class: "av-pane" }, clip.label ? el("span", { class: "av-label", text: clip.label, dir: "auto" }) : null, note) };
    });
    this.picture = el("div", { class: "av-picture", tabindex: 0, role: "img", "aria-label": this.words });
    this.stageBox = el("div", { class: "av-stage" }, this.picture, el("div", { class: "av-panes" }, ...this.panes.map((pane) => pane.element)));
    this.stageBox.dataset.panes = this.clips.length;
    const seek = (time) => this.moveTo(time);
    this.timeline = new Timeline(this.clips, this.clock, { seek });
    this.transport = new Transport({
      toggle: () => this.toggle(),
      step: (count) => this.step(count),
      setSpeed: (speed) => this.setSpeed(speed),
      toggleLoop: () => this.setLoop(!this.clock.loop),
      toggleFollow: () => this.setFollow(!this.follow),
      setView: (view) => this.setView(view),
    });
    this.keyList = keyList(this.keys, (on) => this.setKeys(on));
    this.root = el(
      "section",
      { class: "atom-viewer", "aria-label": "Motion viewer" },
      prompt ? el("p", { class: "av-prompt", text: prompt, dir: "auto" }) : null,
      this.stageBox,
      this.timeline.element,
      this.transport.element,
      legend(),
      el("div", { class: "av-more" }, eventList(this.clips, seek), this.keyList.element),
    );
    this.element.replaceChildren(this.root);
    const view = VIEWS.includes(this.spec.camera) ? this.spec.camera : "three-quarter";
    this.rig = new Rig(this.picture, this.clips, {
      view,
      follow: this.follow,
      onChange: () => this.refresh(),
      onView: () => this.refresh(),
    });
    this.stage = new Stage(this.picture, this.clips, this.rig, {
      onLost: () => this.showFallback(LOST),
      onRestored: () => this.hideFallback(),
      onMesh: (error) => this.meshArrived(error),
    });
    this.stage.onEvict = () => this.refresh();
  }

  measure() {
    const narrow = this.root.clientWidth < NARROW;
    this.stage.stacked = this.clips.length > 1 && narrow;
    this.root.toggleAttribute("data-narrow", narrow);
    this.stageBox.toggleAttribute("data-stacked", this.stage.stacked);
    this.refresh();
  }

  setSeen(seen) {
    this.seen = seen;
    clearTimeout(this.leaving);
    // Who scrolls past comes back; what has left the document does not.
    if (!seen && this.root.isConnected) this.leaving = setTimeout(() => this.stage.stop(), LEAVE);
    else if (!seen) this.stage.stop();
    this.refresh();
  }

  setTheme(theme) {
    this.spec.theme = theme;
    this.theme = theme === "dark" || theme === "light" ? theme : prefers(DARK) ? "dark" : "light";
    this.root.dataset.theme = this.theme;
    this.refresh();
  }

  // What users and pages do.

  play() {
    if (this.clock.playing || this.clock.frames < 2) return;
    if (this.clock.time >= this.clock.length) this.clock.seek(0);
    this.clock.playing = true;
    this.last = null;
    this.say("motion:play");
    this.refresh();
  }

  pause() {
    if (!this.clock.playing) return;
    this.clock.playing = false;
    this.clock.step(0); // a whole frame
    this.say("motion:pause");
    this.refresh();
  }

  toggle() {
    if (this.clock.playing) this.pause();
    else this.play();
  }

  // Moves on without stopping what plays.
  seek(seconds) {
    this.clock.seek(seconds);
    this.say("motion:frame");
    this.refresh();
  }

  // What a user points at is looked at: it stands.
  moveTo(seconds) {
    this.pause();
    this.seek(seconds);
    const video = this.fallbackBox?.querySelector("video");
    if (video) video.currentTime = this.clock.time;
  }

  step(count = 1) {
    this.pause();
    this.clock.step(count);
    this.say("motion:frame");
    this.refresh();
  }

  setSpeed(speed) {
    const value = Number(speed);
    if (!(value > 0)) return;
    this.clock.speed = SPEEDS.reduce((best, known) => (Math.abs(known - value) < Math.abs(best - value) ? known : best));
    this.refresh();
  }

  setLoop(loop) {
    this.clock.loop = loop;
    this.refresh();
  }

  setFollow(follow) {
    this.follow = follow;
    this.rig.setFollow(follow);
    this.refresh();
  }

  setView(view) {
    if (!VIEWS.includes(view)) return;
    this.rig.setView(view);
    this.refresh();
  }

  setKeys(on) {
    this.keys = on;
    this.keyList.box.checked = on;
  }

  get state() {
    const { time, frame, playing, speed, loop, length, frames } = this.clock;
    const { follow, keys, theme, broken } = this;
    return { time, frame, frames, length, playing, speed, loop, follow, view: this.rig.view, keys, theme, fallback: broken, drawing: this.stage.open };
  }

  destroy() {
    if (this.destroyed) return;
    this.destroyed = true;
    this.clock.playing = false;
    cancelAnimationFrame(this.waiting);
    clearTimeout(this.leaving);
    for (const end of this.endings) end();
    this.stage.stop();
    this.rig.destroy();
    this.root.remove();
  }

  // Drawing.

  refresh() {
    if (this.destroyed || !this.stage) return;
    this.showState(); // what buttons say is true at once; the picture follows
    if (this.waiting) return;
    this.waiting = requestAnimationFrame((now) => {
      this.waiting = 0;
      this.tick(now);
    });
  }

  tick(now) {
    let ended = false;
    if (this.clock.playing && (this.seen || this.broken)) {
      const before = this.clock.frame;
      const passed = this.last === null ? 0 : now - this.last;
      this.stage.adapt(passed);
      ended = this.clock.advance(passed / 1000);
      this.last = now;
      if (this.clock.frame !== before) this.say("motion:frame");
    } else {
      this.last = null;
    }
    // Text and time line cost more than the picture: while it plays, a few times a second are enough.
    if (!this.clock.playing || now - this.shown > SHOW) {
      this.shown = now;
      this.show();
    }
    if (this.seen && !this.broken) this.draw();
    if (ended) this.say("motion:end");
    if (this.clock.playing && this.seen && !this.broken) this.refresh();
  }

  draw() {
    const colours = palette(this.theme);
    if (!this.stage.open) {
      try {
        this.stage.start(colours);
      } catch {
        this.showFallback(NO_WEBGL);
        return;
      }
      this.say("motion:ready");
    }
    const { clock } = this;
    this.stage.draw(clock.playing ? Math.min(clock.time, clock.length) : clock.frame / clock.fps, colours, clock.playing);
  }

  show() {
    this.timeline.show();
    this.transport.showTime(this.clock);
    this.showState();
    for (const { clip, note } of this.panes) {
      note.hidden = !(clip.length + 0.5 / clip.fps < this.clock.length && this.clock.time > clip.length + 0.5 / clip.fps);
    }
  }

  showState() {
    this.transport.showState({ playing: this.clock.playing, loop: this.clock.loop, follow: this.follow, speed: this.clock.speed, view: this.rig.view });
  }

  say(name) {
    const { time, frame } = this.clock;
    this.element.dispatchEvent(new CustomEvent(name, { bubbles: true, detail: { time, frame } }));
  }

  // What goes wrong.

  showFallback(reason) {
    this.broken = true;
    this.clock.playing = false;
    this.fallbackBox?.remove();
    this.fallbackBox = fallback(this.spec.fallback ?? {}, this.words, reason);
    this.stageBox.append(this.fallbackBox);
    this.root.toggleAttribute("data-broken", true);
    this.say("motion:fallback");
    this.show();
  }

  hideFallback() {
    this.broken = false;
    this.fallbackBox?.remove();
    this.root.removeAttribute("data-broken");
    this.refresh();
  }

  meshArrived(error) {
    if (error && !this.meshNote) {
      this.meshNote = el("p", { class: "av-message", role: "status", text: "The body model could not be read; capsules are drawn instead." });
      this.stageBox.append(this.meshNote);
    }
    this.refresh();
  }
}
