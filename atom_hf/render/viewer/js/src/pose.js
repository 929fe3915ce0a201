// From 22 joints to the balls that the body is the hull of: the arithmetic of the Python renderer's place_body.
import body from "./body.json";

const name = (joint) => body.joints.indexOf(joint) * 3;
const CHEST = name("spine3");
const NECK = name("neck");
const HEAD = name("head");
const ACROSS = [name("left_collar"), name("right_collar"), name("left_shoulder"), name("right_shoulder")];

function unit(v) {
  const length = Math.max(Math.hypot(v[0], v[1], v[2]), 1e-6);
  return [v[0] / length, v[1] / length, v[2] / length];
}

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

function mix(point, joints) {
  const at = [0, 0, 0];
  for (const [joint, weight] of point) for (let i = 0; i < 3; i++) at[i] += weight * joints[3 * joint + i];
  return at;
}

// Unit vectors towards the person's left, the crown and the face.
function headAxes(joints, tilt) {
  const rise = unit([0, 1, 2].map((i) => joints[HEAD + i] - joints[NECK + i]));
  const [a, b, c, d] = ACROSS;
  let across = unit([0, 1, 2].map((i) => joints[a + i] - joints[b + i] + joints[c + i] - joints[d + i]));
  const along = dot(across, rise);
  across = unit(across.map((value, i) => value - rise[i] * along));
  const ahead = cross(across, rise);
  const cosine = Math.cos(tilt);
  const sine = Math.sin(tilt);
  return {
    left: across,
    up: rise.map((value, i) => cosine * value - sine * ahead[i]),
    face: ahead.map((value, i) => cosine * value + sine * rise[i]),
  };
}

// Every hull of the body: its colour, how finely it is drawn, and its balls.
export const HULLS = [
  ...body.bones.map((bone) => ({ part: bone.part, balls: bone.balls, detail: [14, 10] })),
  ...body.torso.map((balls) => ({ part: "torso", balls, detail: [24, 16] })),
  { part: "head", detail: [24, 16], gloss: true },
  { part: "head", light: 0.84, detail: [12, 8] }, // the nose
];

// The balls of a hull, [[x, y, z, radius], …].
export function placeBalls(balls, joints, grow = 1) {
  return balls.map(({ at, radius }) => [...mix(at, joints), radius * grow]);
}

// The balls of all hulls, and where the head is.
export function placeBody(joints, tilt) {
  const centre = mix(body.head.centre, joints);
  const axes = headAxes(joints, tilt);
  const size = body.head.radius;
  const nose = body.head.nose.map(({ at, radius }) => [
    ...centre.map((c, i) => c + size * (at[0] * axes.left[i] + at[1] * axes.up[i] + at[2] * axes.face[i])),
    radius * size,
  ]);
  const hulls = HULLS.filter((hull) => hull.balls).map((hull) => placeBalls(hull.balls, joints));
  return { hulls: [...hulls, [[...centre, size]], nose], centre, axes };
}
