// The floor: a disc that fades into the sky, grid lines of constant width on the picture, and the shadow on it. Lines and
// disc are geometry rather than a pattern worked out per pixel, which without a graphics card takes three times as long.
import { BufferAttribute, BufferGeometry, Color, DoubleSide, Group, Mesh, PlaneGeometry, RingGeometry, SRGBColorSpace, ShaderMaterial, Vector3 } from "three";
import body from "./body.json";

const LINES = 32; // on either side of the middle
const PIECES = 12; // of a line
const FOG = 1.8; // radii at which all is fog
const LINE_WIDTH = 1.15; // pixels

const FADE = /* glsl */ `
uniform vec3 centre;
uniform float radius;
float fogAt(vec2 at) { return smoothstep(0.0, 1.0, (distance(at, centre.xz) - radius) / (0.8 * radius)); }
`;

function groundMaterial(shared) {
  return new ShaderMaterial({
    depthWrite: false,
    uniforms: { ...shared, plain: { value: new Vector3() }, sky: { value: new Vector3() } },
    vertexShader: /* glsl */ `
${FADE}
uniform vec3 plain, sky;
varying vec3 colour;
void main() {
  vec3 at = centre + vec3(position.x, 0.0, position.y) * radius * ${FOG.toFixed(1)};
  colour = mix(plain, sky, fogAt(at.xz));
  gl_Position = projectionMatrix * viewMatrix * vec4(at, 1.0);
}`,
    fragmentShader: /* glsl */ `
varying vec3 colour;
void main() { gl_FragColor = vec4(colour, 1.0); }`,
  });
}

// `position` is (number of the line, place along it from -1 to 1, side of the line: ±1); `across` says which way it runs.
function lineMaterial(shared) {
  return new ShaderMaterial({
    transparent: true,
    depthWrite: false,
    side: DoubleSide,
    uniforms: { ...shared, ink: { value: new Vector3() }, cell: { value: 0.5 }, pixel: { value: 0.002 }, ratio: { value: 1 } },
    vertexShader: /* glsl */ `
${FADE}
attribute float across;
uniform float cell, pixel, ratio;
varying float strength;
varying float away;
void main() {
  vec2 middle = across > 0.5 ? centre.zx : centre.xz; // (where the line lies, along it)
  float lies = (floor(middle.x / cell + 0.5) + position.x) * cell;
  float reach = ${FOG.toFixed(1)} * radius;
  float half_ = sqrt(max(0.0, reach * reach - (lies - middle.x) * (lies - middle.x)));
  vec2 place = vec2(lies, middle.y + position.y * half_);
  vec3 at = across > 0.5 ? vec3(place.y, 0.0, place.x) : vec3(place.x, 0.0, place.y);
  vec4 seen = viewMatrix * vec4(at, 1.0);
  float depth = max(-seen.z, 0.05);
  float slope = max(abs(cameraPosition.y) / max(distance(cameraPosition, at), 1e-3), 0.1);
  float crowded = clamp(1.6 - 5.0 * depth * pixel / (cell * slope), 0.0, 1.0);
  strength = (1.0 - fogAt(at.xz)) * crowded;
  // Widened on the picture, by half a drawn pixel more than the line for its soft edge.
  vec3 along = across > 0.5 ? vec3(1.0, 0.0, 0.0) : vec3(0.0, 0.0, 1.0);
  vec2 way = (viewMatrix * vec4(along, 0.0)).xy * depth + seen.xy * (viewMatrix * vec4(along, 0.0)).z;
  vec2 aside = normalize(vec2(-way.y, way.x) + vec2(1e-6, 0.0));
  float half_width = 0.5 * ${LINE_WIDTH.toFixed(2)} + 0.5 / ratio;
  away = position.z * half_width;
  seen.xy += aside * away * pixel * depth;
  gl_Position = projectionMatrix * seen;
}`,
    fragmentShader: /* glsl */ `
uniform vec3 ink;
uniform float ratio;
varying float strength;
varying float away;
void main() {
  float edge = clamp((0.5 * ${LINE_WIDTH.toFixed(2)} + 0.5 / ratio - abs(away)) * ratio, 0.0, 1.0);
  gl_FragColor = vec4(ink, strength * edge);
}`,
  });
}

function shadowMaterial() {
  return new ShaderMaterial({
    transparent: true,
    depthWrite: false,
    uniforms: { shadow: { value: null }, ink: { value: new Vector3() }, strength: { value: 1 } },
    vertexShader: /* glsl */ `
varying vec2 at;
void main() {
  at = uv;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
}`,
    fragmentShader: /* glsl */ `
uniform sampler2D shadow;
uniform vec3 ink;
uniform float strength;
varying vec2 at;
void main() { gl_FragColor = vec4(ink, min(strength * texture2D(shadow, at).r, 0.9)); }`,
  });
}

// Lines from the middle outwards, so that the first of them are enough for a small floor.
function lineGeometry() {
  const places = [];
  const ways = [];
  const index = [];
  const numbers = [0];
  for (let line = 1; line <= LINES; line++) numbers.push(line, -line);
  for (const line of numbers) {
    for (const across of [0, 1]) {
      for (let piece = 0; piece <= PIECES; piece++) {
        const first = places.length / 3;
        for (const side of [-1, 1]) {
          places.push(line, (2 * piece) / PIECES - 1, side);
          ways.push(across);
        }
        if (piece < PIECES) index.push(first, first + 1, first + 2, first + 2, first + 1, first + 3);
      }
    }
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Float32Array(places), 3));
  geometry.setAttribute("across", new BufferAttribute(new Float32Array(ways), 1));
  geometry.setIndex(index);
  return geometry;
}

export class Floor {
  constructor(shadow, half) {
    this.sky = new Color();
    const shared = { centre: { value: new Vector3() }, radius: { value: 2.2 } };
    this.shared = shared;
    this.ground = new Mesh(new RingGeometry(0, 1, 40, 12), groundMaterial(shared));
    this.ground.material.side = DoubleSide;
    this.lines = new Mesh(lineGeometry(), lineMaterial(shared));
    this.shadow = new Mesh(new PlaneGeometry(2 * half, 2 * half).rotateX(-Math.PI / 2), shadowMaterial());
    this.texture = shadow;
    this.object = new Group();
    [this.ground, this.lines, this.shadow].forEach((part, i) => {
      part.renderOrder = i - 5;
      part.frustumCulled = false;
      this.object.add(part);
    });
  }

  setColours(colours) {
    this.sky.setRGB(...colours.sky, SRGBColorSpace);
    this.ground.material.uniforms.sky.value.set(...colours.sky);
    this.ground.material.uniforms.plain.value.set(...colours.plain);
    this.lines.material.uniforms.ink.value.set(...colours.grid);
    this.shadow.material.uniforms.ink.value.set(...colours.shadow);
    this.shadow.material.uniforms.strength.value = colours.shadowStrength;
  }

  // `clear` metres around the middle do not fade; `pixel` is metres per metre of depth, of a pixel of the page.
  place(middle, clear, pixel, ratio) {
    this.shared.centre.value.copy(middle);
    this.shared.radius.value = clear;
    const { cell, pixel: fine, ratio: sharp } = this.lines.material.uniforms;
    const base = body.floor.cell;
    cell.value = base * 2 ** Math.max(0, Math.ceil(Math.log2((FOG * clear) / (LINES * base))));
    fine.value = pixel;
    sharp.value = ratio;
    const lines = 2 * Math.min(Math.ceil((FOG * clear) / cell.value) + 1, LINES) + 1;
    this.lines.geometry.setDrawRange(0, lines * 2 * PIECES * 6);
  }

  castShadow(x, z) {
    this.shadow.position.set(x, 0, z);
    this.shadow.material.uniforms.shadow.value = this.texture;
  }
}
