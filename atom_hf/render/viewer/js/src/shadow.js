// The shadow below a figure, under a light from straight above: drawn small from there, softened, laid on the floor.
import { LinearFilter, Mesh, OrthographicCamera, PlaneGeometry, Scene, ShaderMaterial, WebGLRenderTarget } from "three";

export const SHADOW_LAYER = 1;
export const SHADOW_HALF = 1.35; // metres around the root
const FINE = 160; // pixels
const SOFT = 96;

const target = (size) => new WebGLRenderTarget(size, size, { depthBuffer: false, minFilter: LinearFilter, magFilter: LinearFilter });

export class Shadow {
  constructor() {
    this.sharp = target(FINE);
    this.soft = target(SOFT);
    this.sun = new OrthographicCamera(-SHADOW_HALF, SHADOW_HALF, SHADOW_HALF, -SHADOW_HALF, 0.1, 30);
    this.sun.up.set(0, 0, -1);
    this.sun.layers.set(SHADOW_LAYER);
    this.material = new ShaderMaterial({
      depthTest: false,
      depthWrite: false,
      uniforms: { image: { value: this.sharp.texture } },
      vertexShader: /* glsl */ `
varying vec2 at;
void main() {
  at = uv;
  gl_Position = vec4(position.xy, 0.0, 1.0);
}`,
      fragmentShader: /* glsl */ `
uniform sampler2D image;
varying vec2 at;
void main() {
  float sum = 0.0;
  for (int i = -1; i <= 1; i++) {
    for (int j = -1; j <= 1; j++) sum += texture2D(image, at + vec2(float(i), float(j)) * 0.0062).r * (i == 0 ? 1.5 : 1.0) * (j == 0 ? 1.5 : 1.0);
  }
  gl_FragColor = vec4(vec3(sum / 12.25), 1.0);
}`,
    });
    this.sheet = new Scene();
    const quad = new Mesh(new PlaneGeometry(2, 2), this.material);
    quad.frustumCulled = false;
    this.quad = quad;
    quad.layers.set(SHADOW_LAYER);
    this.sheet.add(quad);
  }

  get texture() {
    return this.soft.texture;
  }

  // Draws what of the scene is on the layer of shadows, above a place on the floor.
  draw(renderer, scene, material, x, z) {
    this.sun.position.set(x, 20, z);
    this.sun.lookAt(x, 0, z);
    this.sun.updateMatrixWorld();
    renderer.setScissorTest(false);
    renderer.setClearColor(0, 1);
    renderer.setRenderTarget(this.sharp);
    renderer.clear();
    scene.overrideMaterial = material;
    renderer.render(scene, this.sun);
    scene.overrideMaterial = null;
    renderer.setRenderTarget(this.soft);
    renderer.render(this.sheet, this.sun);
    renderer.setRenderTarget(null);
  }

  dispose() {
    this.sharp.dispose();
    this.soft.dispose();
    this.quad.geometry.dispose();
    this.material.dispose();
  }
}
