// Surfaces of hulls of balls: a vertex of the unit sphere with direction n moves to the farthest point of the hull in
// that direction, on the ball for which centre · n + radius is largest. With two balls this is a tapered capsule.
// All hulls of a figure are one geometry, whose vertices are worked out anew for every frame: some thousands.
import { BufferAttribute, BufferGeometry } from "three";

const SHARP = 45; // per metre; near a tie the balls are mixed, which spreads vertices over the sides and shades smoothly

function sphere(around, rings) {
  const directions = [];
  const index = [];
  for (let ring = 0; ring <= rings; ring++) {
    const down = (Math.PI * ring) / rings;
    for (let i = 0; i <= around; i++) {
      const turn = (2 * Math.PI * i) / around;
      directions.push(Math.sin(down) * Math.cos(turn), Math.cos(down), -Math.sin(down) * Math.sin(turn));
    }
  }
  for (let ring = 0; ring < rings; ring++) {
    for (let i = 0; i < around; i++) {
      const a = ring * (around + 1) + i;
      const b = a + around + 1;
      if (ring > 0) index.push(a, b, a + 1); // at the poles one of the two is no triangle
      if (ring < rings - 1) index.push(a + 1, b, b + 1);
    }
  }
  return { directions, index };
}

const normal = (x, y, z) => {
  const length = Math.hypot(x, y, z) || 1;
  return [x / length, y / length, z / length];
};

export class Hulls {
  // `parts`: [{ detail: [around, rings], ink: [r, g, b, gloss] }]
  constructor(parts) {
    this.parts = [];
    const directions = [];
    const index = [];
    const inks = [];
    for (const { detail, ink } of parts) {
      const first = directions.length / 3;
      const ball = sphere(...detail);
      directions.push(...ball.directions);
      index.push(...ball.index.map((i) => i + first));
      const count = ball.directions.length / 3;
      for (let i = 0; i < count; i++) inks.push(...ink);
      this.parts.push({ first, count });
    }
    this.directions = new Float32Array(directions);
    this.places = new BufferAttribute(new Float32Array(directions.length), 3).setUsage(35048); // DYNAMIC_DRAW
    this.normals = new BufferAttribute(new Float32Array(directions.length), 3).setUsage(35048);
    this.geometry = new BufferGeometry();
    this.geometry.setAttribute("position", this.places);
    this.geometry.setAttribute("normal", this.normals);
    this.geometry.setAttribute("ink", new BufferAttribute(new Float32Array(inks), 4));
    this.geometry.setIndex(index);
  }

  // Puts a part where its balls are: [[x, y, z, radius], …].
  set(part, balls) {
    const { first, count } = this.parts[part];
    const [a, b = a] = balls;
    const up = Math.hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]) > 1e-4 ? normal(b[0] - a[0], b[1] - a[1], b[2] - a[2]) : [0, 1, 0];
    const side = Math.abs(up[1]) < 0.9 ? normal(-up[2], 0, up[0]) : normal(0, up[2], -up[1]);
    const third = [side[1] * up[2] - side[2] * up[1], side[2] * up[0] - side[0] * up[2], side[0] * up[1] - side[1] * up[0]];
    const places = this.places.array;
    const normals = this.normals.array;
    const reaches = new Float64Array(balls.length);
    for (let i = 3 * first; i < 3 * (first + count); i += 3) {
      const [u, v, w] = [this.directions[i], this.directions[i + 1], this.directions[i + 2]];
      const x = side[0] * u + up[0] * v + third[0] * w;
      const y = side[1] * u + up[1] * v + third[1] * w;
      const z = side[2] * u + up[2] * v + third[2] * w;
      let most = -Infinity;
      for (let k = 0; k < balls.length; k++) {
        reaches[k] = balls[k][0] * x + balls[k][1] * y + balls[k][2] * z + balls[k][3];
        if (reaches[k] > most) most = reaches[k];
      }
      let total = 0;
      let [cx, cy, cz, radius] = [0, 0, 0, 0];
      for (let k = 0; k < balls.length; k++) {
        const weight = Math.exp(SHARP * (reaches[k] - most));
        total += weight;
        cx += weight * balls[k][0];
        cy += weight * balls[k][1];
        cz += weight * balls[k][2];
        radius += weight * balls[k][3];
      }
      // The mean lies inside of the hull; from there out to where the hull ends in this direction.
      const out = radius / total + most - (cx * x + cy * y + cz * z + radius) / total;
      places[i] = cx / total + x * out;
      places[i + 1] = cy / total + y * out;
      places[i + 2] = cz / total + z * out;
      normals[i] = x;
      normals[i + 1] = y;
      normals[i + 2] = z;
    }
    this.places.needsUpdate = this.normals.needsUpdate = true;
  }
}
