// The way of the root over the floor, as a ribbon; without the sway of single steps, which would tangle it.
import { BufferAttribute, BufferGeometry, Mesh } from "three";
import body from "./body.json";
import { trailMaterial } from "./materials.js";

const SHORTEST = 0.03; // metres; the sway of someone who stands is no way

export function trailMesh(clip) {
  const points = [];
  const last = clip.frames - 1;
  for (let frame = 0; frame <= last; frame++) {
    const [x, z] = clip.target(frame);
    const before = points.at(-1);
    if (!before || Math.hypot(x - before.x, z - before.z) >= SHORTEST) points.push({ x, z, frame });
  }
  const count = points.length;
  const places = new Float32Array(6 * count);
  const sides = new Float32Array(4 * count);
  const times = new Float32Array(2 * count);
  const index = [];
  points.forEach((point, i) => {
    const a = points[Math.max(i - 1, 0)];
    const b = points[Math.min(i + 1, count - 1)];
    const way = Math.hypot(b.x - a.x, b.z - a.z) || 1;
    const side = [(b.z - a.z) / way, (a.x - b.x) / way];
    for (const k of [0, 1]) {
      places.set([point.x, 0, point.z], 3 * (2 * i + k));
      sides.set(k ? [-side[0], -side[1]] : side, 2 * (2 * i + k));
      times[2 * i + k] = point.frame;
    }
    if (i + 1 < count) index.push(2 * i, 2 * i + 1, 2 * i + 2, 2 * i + 2, 2 * i + 1, 2 * i + 3);
  });
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(places, 3));
  geometry.setAttribute("side", new BufferAttribute(sides, 2));
  geometry.setAttribute("time", new BufferAttribute(times, 1));
  geometry.setIndex(index);
  const material = trailMaterial(body.trail.map((value) => value / 255));
  material.side = 2; // both
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  mesh.renderOrder = 2;
  mesh.visible = count > 1;
  return mesh;
}
