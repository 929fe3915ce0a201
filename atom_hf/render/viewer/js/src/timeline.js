// The scrub bar, and below it what was asked for and what was seen, as bars that lead to their moment.
import { el, seconds } from "./dom.js";

const ROWS = { asked: "Asked", seen: "Seen" };

export function said(event) {
  return [event.side, event.name].filter(Boolean).join(" ");
}

// Events that overlap take lanes of their own.
function lanes(events) {
  const ends = [];
  return events.map((event) => {
    let lane = ends.findIndex((end) => end <= event.start + 1e-6);
    if (lane < 0) lane = ends.length;
    ends[lane] = event.end;
    return { event, lane };
  });
}

export class Timeline {
  constructor(clips, clock, { seek }) {
    this.clock = clock;
    this.bars = [];
    this.range = el("input", {
      type: "range",
      class: "av-range",
      min: 0,
      max: clock.frames - 1,
      step: 1,
      value: 0,
      "aria-label": "Time",
      on: { input: () => seek(Number(this.range.value) / clock.fps) },
    });
    this.range.disabled = clock.frames < 2;
    const rows = clips.flatMap((clip) => Object.keys(ROWS).map((row) => this.row(clip, row, clips.length > 1, seek)));
    this.element = el("div", { class: "av-timeline", "data-clips": clips.length }, el("div", { class: "av-line" }, this.range), ...rows);
  }

  row(clip, row, named, seek) {
    const events = clip.events.filter((event) => event.row === row).sort((a, b) => a.start - b.start || a.end - b.end);
    if (!events.length) return null;
    const placed = lanes(events);
    const length = Math.max(this.clock.length, 1e-6);
    const track = el("div", { class: "av-track" });
    track.style.setProperty("--av-lanes", Math.max(...placed.map(({ lane }) => lane)) + 1);
    for (const { event, lane } of placed) {
      const words = `${said(event)}, ${seconds(event.start)} to ${seconds(event.end)}`;
      const bar = el(
        "button",
        { type: "button", class: `av-event av-${row}`, title: words, "aria-label": `Go to ${words}`, on: { click: () => seek(event.start) } },
        el("span", { text: said(event), dir: "auto" }),
      );
      const start = Math.min(event.start / length, 1);
      bar.style.left = `${100 * start}%`;
      bar.style.width = `${100 * Math.max(Math.min(event.end / length, 1) - start, 0)}%`;
      bar.style.setProperty("--av-lane", lane);
      if (event.side === "left" || event.side === "right") bar.dataset.side = event.side;
      track.append(bar);
      this.bars.push({ bar, event });
    }
    const whose = named ? clip.label : "";
    const name = whose ? `${whose} · ${ROWS[row]}` : ROWS[row];
    const words = el("span", { class: "av-rowname", title: name }, whose ? el("span", { class: "av-whose", text: whose, dir: "auto" }) : null, el("span", { text: whose ? `\u00a0· ${ROWS[row]}` : ROWS[row] }));
    return el("div", { class: "av-row", role: "group", "aria-label": `${name} events` }, words, track);
  }

  show() {
    const { clock } = this;
    this.range.value = String(clock.frame);
    this.range.setAttribute("aria-valuetext", `${clock.time.toFixed(2)} of ${clock.length.toFixed(2)} seconds, frame ${clock.frame}`);
    this.range.style.setProperty("--av-done", `${clock.length ? (100 * clock.time) / clock.length : 0}%`);
    for (const { bar, event } of this.bars) {
      bar.toggleAttribute("data-on", event.start <= clock.time + 1e-6 && clock.time < Math.max(event.end, event.start + 1 / clock.fps));
    }
  }
}
