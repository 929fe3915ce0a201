// Time within the clips: plays, stops, loops. Seconds from the first frame; the last one is `length`.
export class Clock {
  constructor(length, fps, loop) {
    this.length = length;
    this.fps = fps;
    this.loop = loop;
    this.speed = 1;
    this.time = 0;
    this.playing = false;
  }

  get frames() {
    return Math.round(this.length * this.fps) + 1;
  }

  get frame() {
    return Math.min(Math.round(this.time * this.fps), this.frames - 1);
  }

  seek(seconds) {
    const time = Number(seconds);
    if (Number.isFinite(time)) this.time = Math.min(Math.max(time, 0), this.length);
  }

  // To a whole frame, so many away.
  step(count) {
    const frame = Math.min(Math.max(this.frame + count, 0), this.frames - 1);
    this.seek(frame / this.fps);
  }

  // Lets time pass; true when the end has been reached and nothing repeats. The last frame lasts as long as any other.
  advance(seconds) {
    const time = this.time + Math.min(seconds, 0.25) * this.speed;
    const end = this.length + 1 / this.fps;
    if (time < end) {
      this.time = time;
      return false;
    }
    if (this.loop) {
      this.time = time % end;
      return false;
    }
    this.time = this.length;
    this.playing = false;
    return true;
  }
}
