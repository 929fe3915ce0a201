// One camera for all panes. It turns around a point near the person; a pane that follows its person moves it along.
import { PerspectiveCamera, Spherical, Vector3 } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import body from "./body.json";

const RAD = Math.PI / 180;
const SAMPLES = 240; // frames that are looked at
const STANDING = [[-0.45, 0, 0], [0.45, 0, 0], [0, 0, -0.45], [0, 0, 0.45], [0, 1.6, 0]];

export const VIEWS = ["front", "side", "three-quarter", "back", "top"];

export class Rig {
  constructor(element, clips, { view, follow, onChange, onView }) {
    this.clips = clips;
    this.follow = follow;
    this.view = view;
    this.aspect = 1;
    this.touched = false;
    this.onView = onView;
    this.camera = new PerspectiveCamera(30, 1, 0.05, 200);
    this.camera.layers.set(0);
    this.controls = new OrbitControls(this.camera, element);
    Object.assign(this.controls, { enableDamping: false, minDistance: 0.8, maxDistance: 40, maxPolarAngle: 0.5 * Math.PI, zoomSpeed: 0.8 });
    this.controls.addEventListener("change", onChange);
    this.controls.addEventListener("start", () => this.leaveView());
    this.setView(view);
  }

  // The camera was moved by hand: no preset is on any more.
  leaveView() {
    this.touched = true;
    if (this.view === null) return;
    this.view = null;
    this.onView(null);
  }

  setAspect(aspect) {
    if (Math.abs(aspect - this.aspect) < 1e-3) return;
    this.aspect = aspect;
    if (this.touched) this.project();
    else this.setView(this.view ?? "three-quarter");
  }

  setFollow(follow) {
    this.follow = follow;
    this.touched = false;
    this.setView(this.view ?? "three-quarter");
  }

  project() {
    const half = Math.tan((body.camera.field / 2) * RAD);
    this.camera.aspect = this.aspect;
    this.camera.fov = (2 / RAD) * Math.atan(this.aspect < 1 ? half / this.aspect : half);
    this.camera.updateProjectionMatrix();
  }

  setView(name) {
    const [azimuth, elevation] = body.views[name];
    this.view = name;
    this.touched = false;
    this.project();
    const back = new Vector3().setFromSpherical(new Spherical(1, Math.max((90 - elevation) * RAD, 1e-4), azimuth * RAD));
    const right = new Vector3(Math.cos(azimuth * RAD), 0, -Math.sin(azimuth * RAD));
    const up = new Vector3().crossVectors(back, right);
    const { target, distance } = this.fit(right, up, back);
    this.controls.target.copy(target);
    this.camera.position.copy(target).addScaledVector(back, distance);
    this.controls.update();
    this.onView(name);
  }

  // The nearest place from which every frame of every clip is seen; the Python renderer's fit_camera.
  fit(right, up, back) {
    const seen = [];
    const joints = new Float32Array(66);
    const place = new Vector3();
    const add = (x, y, z) => {
      place.set(x, y, z);
      seen.push([place.dot(right), place.dot(up), place.dot(back)]);
    };
    for (const clip of this.clips) {
      for (let i = 0; i < Math.min(SAMPLES, clip.frames); i++) {
        const frame = Math.floor((i * (clip.frames - 1)) / Math.max(1, Math.min(SAMPLES, clip.frames) - 1));
        clip.pose(frame, joints);
        const [x, z] = this.follow ? clip.target(frame) : [0, 0];
        for (let k = 0; k < 66; k += 3) add(joints[k] - x, joints[k + 1], joints[k + 2] - z);
        const [rootX, rootZ] = this.follow ? [0, 0] : [joints[0], joints[2]];
        for (const [dx, dy, dz] of STANDING) add(rootX + dx, dy, rootZ + dz);
      }
    }
    const low = [0, 1].map((axis) => seen.reduce((least, at) => Math.min(least, at[axis]), Infinity) - body.camera.margin);
    const high = [0, 1].map((axis) => seen.reduce((most, at) => Math.max(most, at[axis]), -Infinity) + body.camera.margin);
    const middle = [this.follow ? 0 : (low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
    const tall = Math.tan((this.camera.fov / 2) * RAD);
    let distance = 0;
    for (const [x, y, z] of seen) {
      const aside = (Math.abs(x - middle[0]) + body.camera.margin) / (tall * this.aspect);
      const above = (Math.abs(y - middle[1]) + body.camera.margin) / tall;
      distance = Math.max(distance, Math.max(aside, above) + z);
    }
    const target = new Vector3().addScaledVector(right, middle[0]).addScaledVector(up, middle[1]);
    return { target, distance: Math.min(Math.max(distance * 1.02, 1.5), 39) };
  }

  // Turn by degrees, or come nearer by a factor; for keys.
  turn(around, upwards, nearer = 1) {
    this.leaveView();
    const offset = new Vector3().subVectors(this.camera.position, this.controls.target);
    const ball = new Spherical().setFromVector3(offset);
    ball.theta += around * RAD;
    ball.phi = Math.min(Math.max(ball.phi - upwards * RAD, 1e-4), Math.PI / 2);
    ball.radius = Math.min(Math.max(ball.radius * nearer, 0.8), 40);
    this.camera.position.copy(this.controls.target).add(offset.setFromSpherical(ball));
    this.controls.update();
  }

  get distance() {
    return this.camera.position.distanceTo(this.controls.target);
  }

  // Sets `camera` to look at what a clip shows in a frame; gives back the middle of its floor.
  aim(camera, clip, frame, middle) {
    camera.copy(this.camera, false);
    const [x, z] = this.follow ? clip.target(frame) : [0, 0];
    camera.position.x += x;
    camera.position.z += z;
    camera.updateMatrixWorld();
    return middle.set(x + this.controls.target.x * (this.follow ? 0 : 1), 0, z + this.controls.target.z * (this.follow ? 0 : 1));
  }

  destroy() {
    this.controls.dispose();
  }
}
