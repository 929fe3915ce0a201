// A skinned body from a GLB file, in step with the capsules' clock. A file from elsewhere may name other hosts: only what
// it carries itself is loaded.
import { AnimationMixer, Group, LoadingManager, LoopOnce, MeshBasicMaterial } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { SHADOW_LAYER } from "./shadow.js";

export async function loadMesh(data) {
  const letters = atob(data.glb);
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const manager = new LoadingManager();
  manager.setURLModifier((url) => (/^(blob|data):/.test(url) ? url : "data:,"));
  const gltf = await new GLTFLoader(manager).parseAsync(bytes.buffer, "");
  return new MeshFigure(gltf, data);
}

class MeshFigure {
  constructor(gltf, { yaw, at }) {
    this.object = new Group();
    this.object.rotation.y = yaw;
    this.object.position.set(...at);
    this.object.add(gltf.scene);
    this.parts = [];
    this.object.traverse((part) => {
      part.frustumCulled = false;
      part.layers.enable(SHADOW_LAYER);
      if (part.isMesh) this.parts.push(part);
      if (part.isLight || part.isCamera) part.visible = false;
    });
    // Beside a skinned body, what has no skin is scenery such as a floor, and the viewer has its own.
    if (this.parts.some((part) => part.isSkinnedMesh)) for (const part of this.parts) part.visible = part.isSkinnedMesh;
    if (!this.parts.length) throw new Error("The GLB file has no mesh.");
    this.shadow = new MeshBasicMaterial({ color: 0x9a9a9a, depthTest: false });
    this.mixer = new AnimationMixer(gltf.scene);
    for (const clip of gltf.animations.slice(0, 1)) {
      const action = this.mixer.clipAction(clip).setLoop(LoopOnce, 1);
      action.clampWhenFinished = true;
      action.play();
      this.length = clip.duration;
    }
  }

  pose(seconds) {
    this.mixer.setTime(Math.min(seconds, (this.length ?? 0) - 1e-6 > 0 ? this.length - 1e-6 : 0));
  }

  dispose() {
    this.mixer.stopAllAction();
    this.shadow.dispose();
    for (const part of this.parts) {
      part.skeleton?.dispose();
      for (const material of [part.material].flat()) {
        for (const value of Object.values(material)) if (value?.isTexture) value.dispose();
      }
    }
  }
}
