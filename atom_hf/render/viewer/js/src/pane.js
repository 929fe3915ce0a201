// One clip's half of the picture: floor, shadow, trail and figure, drawn into a part of the canvas.
import { DirectionalLight, HemisphereLight, PerspectiveCamera, Scene, Vector3 } from "three";
import { Figure } from "./figure.js";
import { Floor } from "./floor.js";
import { SHADOW_HALF, Shadow } from "./shadow.js";
import { trailMesh } from "./trail.js";

export class Pane {
  constructor(clip, rig, colours, fineness) {
    this.clip = clip;
    this.rig = rig;
    this.scene = new Scene();
    this.camera = new PerspectiveCamera();
    this.middle = new Vector3();
    this.trail = trailMesh(clip);
    this.figure = new Figure(clip, fineness);
    this.mesh = null;
    this.shadow = new Shadow();
    this.floor = new Floor(this.shadow.texture, SHADOW_HALF);
    const light = new DirectionalLight(0xffffff, 2.2); // for meshes; the capsules light themselves
    light.position.set(-2, 5, 4);
    const sky = new HemisphereLight(0xffffff, 0x8a8d94, 1.6);
    this.scene.add(this.floor.object, this.trail, this.figure.object, light, sky);
    this.reach = 1.5 + clip.root.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    this.setColours(colours);
  }

  setColours(colours) {
    this.floor.setColours(colours);
    this.figure.outline.uniforms.strength.value = colours.outline;
    this.trail.material.uniforms.ink.value.set(...colours.trail);
  }

  // Draws into a box of the canvas (left, bottom, width, height in pixels of the page).
  draw(renderer, box, seconds, ratio) {
    const frame = this.clip.frameAt(seconds);
    this.figure.pose(frame);
    this.mesh?.pose(seconds);
    const middle = this.rig.aim(this.camera, this.clip, frame, this.middle);

    const half = Math.tan((this.camera.fov * Math.PI) / 360);
    const pixel = (2 * half) / box.height; // metres per metre of depth, of a pixel of the page
    const fine = Math.max(0.7, Math.min((Math.min(box.width, box.height) / 256) ** 0.7, 2));
    this.figure.outline.uniforms.line.value = 1.1 * fine * pixel;
    const trail = this.trail.material.uniforms;
    trail.now.value = frame;
    trail.width.value = 2.3 * fine * pixel;
    const clear = Math.max(this.rig.follow ? 2.2 : this.reach, 0.42 * this.rig.distance);
    trail.centre.value.copy(middle);
    trail.radius.value = clear;
    this.floor.place(middle, clear, pixel, ratio);

    const [x, , z] = this.figure.joints;
    this.floor.castShadow(x, z);
    this.shadow.draw(renderer, this.scene, this.mesh?.shadow ?? null, x, z);
    renderer.setViewport(box.left, box.bottom, box.width, box.height);
    renderer.setScissor(box.left, box.bottom, box.width, box.height);
    renderer.setScissorTest(true);
    renderer.setClearColor(this.floor.sky, 1);
    renderer.clear();
    renderer.render(this.scene, this.camera);
  }

  setMesh(mesh) {
    this.mesh = mesh;
    this.figure.hideBody();
    this.scene.add(mesh.object);
  }

  dispose() {
    this.shadow.dispose();
    this.mesh?.dispose();
    this.scene.traverse((part) => {
      part.geometry?.dispose();
      for (const material of [part.material].flat()) material?.dispose();
    });
  }
}
