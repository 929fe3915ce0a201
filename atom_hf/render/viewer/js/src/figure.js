// The capsule figure of one pane: body, outline, visor, shadow caster and the soles of standing feet.
import { BufferAttribute, BufferGeometry, Group, Matrix4, Mesh, Vector3 } from "three";
import body from "./body.json";
import { Hulls } from "./hull.js";
import { bodyMaterial, casterMaterial, outlineMaterial, plainMaterial, soleMaterial } from "./materials.js";
import { HULLS, placeBalls, placeBody } from "./pose.js";
import { SHADOW_LAYER } from "./shadow.js";

const paint = (part, light = 1) => body.colours[part].map((value) => (value / 255) * light);
// The bones along the two feet, for the marks on the floor; found by what they hang on.
const FEET = ["left", "right"].map((side) =>
  body.bones.find((bone) => bone.part === side && bone.balls[1].at.some(([joint, weight]) => weight > 1 && body.joints[joint] === `${side}_foot`)),
);

// A band over the face, as strips of angles from straight ahead to the left and up.
function visorGeometry() {
  const rows = 6;
  const places = [];
  const index = [];
  const columns = [];
  const angles = body.head.visor;
  angles.forEach(([left, low, high], i) => {
    columns.push([left, low, high]);
    const next = angles[i + 1];
    if (next) for (let k = 1; k < 4; k++) columns.push([0, 1, 2].map((axis) => angles[i][axis] + ((next[axis] - angles[i][axis]) * k) / 4));
  });
  const rad = Math.PI / 180;
  for (const [left, low, high] of columns) {
    for (let row = 0; row <= rows; row++) {
      const up = low + ((high - low) * row) / rows;
      places.push(Math.sin(left * rad) * Math.cos(up * rad), Math.sin(up * rad), Math.cos(left * rad) * Math.cos(up * rad));
    }
  }
  for (let c = 0; c + 1 < columns.length; c++) {
    for (let row = 0; row < rows; row++) {
      const a = c * (rows + 1) + row;
      const b = a + rows + 1;
      index.push(a, b, a + 1, a + 1, b, b + 1);
    }
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Float32Array(places), 3));
  geometry.setAttribute("normal", new BufferAttribute(new Float32Array(places), 3));
  geometry.setIndex(index);
  return geometry;
}

export class Figure {
  // `fineness`: how many times as many corners as usual a round part has around.
  constructor(clip, fineness) {
    this.clip = clip;
    this.object = new Group();
    this.joints = new Float32Array(body.joints.length * 3);

    this.hulls = new Hulls(HULLS.map(({ part, light = 1, detail, gloss }) => ({ detail: detail.map((count) => Math.round(count * fineness)), ink: [...paint(part, light), gloss ? 0.16 : 0.05] })));
    const { geometry } = this.hulls;
    this.outline = outlineMaterial();
    this.person = new Group();
    this.caster = new Mesh(geometry, casterMaterial());
    this.caster.layers.set(SHADOW_LAYER);
    this.visor = new Mesh(visorGeometry(), plainMaterial(paint("visor")));
    this.visor.matrixAutoUpdate = false;
    this.person.add(new Mesh(geometry, bodyMaterial()), new Mesh(geometry, this.outline), this.visor, this.caster);

    this.soles = new Hulls(["left", "right"].map((side) => ({ detail: [14, 8], ink: [...paint(side), 0] })));
    this.marks = new Mesh(this.soles.geometry, soleMaterial());
    this.marks.renderOrder = 1;
    this.object.add(this.person, this.marks);
    this.object.traverse((part) => {
      part.frustumCulled = false;
    });
  }

  pose(frame) {
    const joints = this.clip.pose(frame, this.joints);
    const { hulls, centre, axes } = placeBody(joints, this.clip.tilt);
    hulls.forEach((balls, i) => this.hulls.set(i, balls));
    const size = body.head.radius * 1.015;
    const matrix = new Matrix4().makeBasis(...[axes.left, axes.up, axes.face].map((axis) => new Vector3(...axis)));
    matrix.scale(new Vector3(size, size, size)).setPosition(...centre);
    this.visor.matrix.copy(matrix);

    const bits = this.clip.contact(frame);
    FEET.forEach((foot, i) => this.soles.set(i, placeBalls(foot.balls, joints, bits & (1 << i) ? 1.75 : 0)));
  }

  // The body gives way to a mesh; the marks on the floor stay.
  hideBody() {
    this.person.visible = false;
  }
}
