// One clip, unpacked: positions of 22 joints at any moment, where the camera that follows looks, feet on the floor.
import body from "./body.json";

const JOINTS = body.joints.length;

function bytes(text) {
  const letters = atob(text);
  const values = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) values[i] = letters.charCodeAt(i);
  return values;
}

// Little-endian, whatever the machine is.
function integers(text, size) {
  const raw = bytes(text);
  const view = new DataView(raw.buffer);
  const values = size === 2 ? new Int16Array(raw.length / 2) : new Int32Array(raw.length / 4);
  for (let i = 0; i < values.length; i++) values[i] = size === 2 ? view.getInt16(2 * i, true) : view.getInt32(4 * i, true);
  return values;
}

// Gaussian mean along a path of [T, 2]; the ends are held.
function smooth(path, frames, sigma) {
  const reach = Math.ceil(3 * sigma);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / Math.max(sigma, 1e-6)) ** 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const result = new Float32Array(2 * frames);
  for (let t = 0; t < frames; t++) {
    for (let i = -reach; i <= reach; i++) {
      const from = 2 * Math.min(Math.max(t + i, 0), frames - 1);
      const weight = weights[i + reach] / total;
      result[2 * t] += weight * path[from];
      result[2 * t + 1] += weight * path[from + 1];
    }
  }
  return result;
}

export class Clip {
  constructor(data) {
    this.label = data.label ?? "";
    this.fps = data.fps;
    this.frames = data.frames;
    this.tilt = data.tilt;
    this.events = data.events ?? [];
    this.mesh = data.mesh ?? null;
    this.contacts = bytes(data.contacts);
    this.unit = data.unit;
    this.path = integers(data.path, 4);
    this.joints = integers(data.joints, 2);
    if (this.joints.length !== this.frames * JOINTS * 3 || this.path.length !== this.frames * 3) {
      throw new Error(`A clip of ${this.frames} frames came with ${this.joints.length / JOINTS / 3} frames of joints.`);
    }
    this.root = Float32Array.from({ length: 2 * this.frames }, (_, i) => this.path[3 * (i >> 1) + 2 * (i & 1)] * this.unit);
    this.followed = smooth(this.root, this.frames, body.camera.follow * this.fps);
  }

  // Seconds from the first frame to the last.
  get length() {
    return (this.frames - 1) / this.fps;
  }

  frameAt(seconds) {
    return Math.min(Math.max(seconds * this.fps, 0), this.frames - 1);
  }

  // Joints [22 * 3] in metres at a frame; between two frames the mean of both.
  pose(frame, out) {
    const before = Math.floor(frame);
    const after = Math.min(before + 1, this.frames - 1);
    const share = frame - before;
    for (let i = 0; i < JOINTS * 3; i++) {
      const axis = i % 3;
      const a = this.joints[before * JOINTS * 3 + i] + this.path[before * 3 + axis];
      const b = this.joints[after * JOINTS * 3 + i] + this.path[after * 3 + axis];
      out[i] = (a + (b - a) * share) * this.unit;
    }
    return out;
  }

  // Where a following camera looks, x and z.
  target(frame) {
    const before = Math.floor(frame);
    const after = Math.min(before + 1, this.frames - 1);
    const at = (axis) => {
      const a = this.followed[2 * before + axis];
      return a + (this.followed[2 * after + axis] - a) * (frame - before);
    };
    return [at(0), at(1)];
  }

  // Bits: 1 the left foot stands, 2 the right one.
  contact(frame) {
    return this.contacts[Math.round(frame)];
  }
}
