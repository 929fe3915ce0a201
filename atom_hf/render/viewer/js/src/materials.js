// The shaders: colours are written as they are (sRGB, no tone mapping), so that they match the Python renderer's.
import { BackSide, CustomBlending, MaxEquation, OneFactor, ShaderMaterial, Vector3 } from "three";

const SHADE = /* glsl */ `
uniform vec3 towardsLight;
vec3 shade(vec3 colour, float light) {
  return light <= 1.0 ? colour * light : mix(colour, vec3(1.0), light - 1.0);
}
float lightOn(vec3 n) { // n as the camera sees it: from above and the left
  return 0.78 + 0.36 * smoothstep(-0.35, 0.95, dot(n, towardsLight));
}
`;
const LIGHT = new Vector3(-0.5, 0.72, 0.55).normalize();

// Light is worked out per vertex: the hulls are fine enough for it, and pixels cost more where there is no graphics card.
export function bodyMaterial() {
  return new ShaderMaterial({
    uniforms: { towardsLight: { value: LIGHT } },
    vertexShader: /* glsl */ `
${SHADE}
attribute vec4 ink;
varying vec3 colour;
void main() {
  vec4 at = modelViewMatrix * vec4(position, 1.0);
  vec3 n = mat3(modelViewMatrix) * normal;
  float gloss = ink.a * pow(max(dot(n, normalize(towardsLight - normalize(at.xyz))), 0.0), 24.0);
  colour = shade(ink.rgb, lightOn(n)) + gloss;
  gl_Position = projectionMatrix * at;
}`,
    fragmentShader: /* glsl */ `
varying vec3 colour;
void main() { gl_FragColor = vec4(colour, 1.0); }`,
  });
}

// The same hulls, a little larger, seen from inside: a dark line around every part. `line` is metres per metre of depth.
export function outlineMaterial() {
  return new ShaderMaterial({
    side: BackSide,
    uniforms: { line: { value: 0.002 }, strength: { value: 0.3 } },
    vertexShader: /* glsl */ `
attribute vec4 ink;
uniform float line;
varying vec3 colour;
void main() {
  float depth = -(modelViewMatrix * vec4(position, 1.0)).z;
  colour = ink.rgb;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(position + normal * line * depth, 1.0);
}`,
    fragmentShader: /* glsl */ `
uniform float strength;
varying vec3 colour;
void main() { gl_FragColor = vec4(colour * strength, 1.0); }`,
  });
}

// Seen from above: how dark the shadow is, paler the higher the part; the darkest of what lies above each other counts.
export function casterMaterial() {
  return new ShaderMaterial({
    depthTest: false,
    depthWrite: false,
    transparent: true,
    blending: CustomBlending,
    blendEquation: MaxEquation,
    blendSrc: OneFactor,
    blendDst: OneFactor,
    vertexShader: /* glsl */ `
varying float dark;
void main() {
  dark = 0.47 * clamp(1.0 - position.y / 2.4, 0.25, 1.0);
  gl_Position = projectionMatrix * viewMatrix * vec4(position, 1.0);
}`,
    fragmentShader: /* glsl */ `
varying float dark;
void main() { gl_FragColor = vec4(dark, dark, dark, 1.0); }`,
  });
}

// Soles of feet that stand, flat on the floor.
export function soleMaterial() {
  return new ShaderMaterial({
    transparent: true,
    depthWrite: false,
    vertexShader: /* glsl */ `
attribute vec4 ink;
varying vec4 colour;
void main() {
  colour = ink;
  gl_Position = projectionMatrix * viewMatrix * vec4(position.x, 0.002, position.z, 1.0);
}`,
    fragmentShader: /* glsl */ `
varying vec4 colour;
void main() { gl_FragColor = vec4(colour.rgb, 0.5); }`,
  });
}

export function plainMaterial(colour) {
  return new ShaderMaterial({
    uniforms: { towardsLight: { value: LIGHT }, colour: { value: new Vector3(...colour) } },
    vertexShader: /* glsl */ `
varying vec3 seen;
void main() {
  seen = normalMatrix * normal;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
}`,
    fragmentShader: /* glsl */ `
${SHADE}
uniform vec3 colour;
varying vec3 seen;
void main() {
  vec3 n = normalize(seen);
  float gloss = 0.22 * pow(max(dot(n, normalize(towardsLight + vec3(0.0, 0.0, 1.0))), 0.0), 30.0);
  gl_FragColor = vec4(colour * lightOn(n) + gloss, 1.0);
}`,
  });
}

// A ribbon of constant width on the picture, strong where the person has been and faint where they will go.
export function trailMaterial(ink) {
  return new ShaderMaterial({
    transparent: true,
    depthWrite: false,
    uniforms: {
      ink: { value: new Vector3(...ink) },
      now: { value: 0 },
      width: { value: 0.004 }, // metres per metre of depth
      centre: { value: new Vector3() },
      radius: { value: 3 },
    },
    vertexShader: /* glsl */ `
attribute vec2 side;
attribute float time;
uniform float width;
varying float when;
varying vec2 at;
void main() {
  float depth = -(viewMatrix * vec4(position, 1.0)).z;
  vec2 place = position.xz + side * width * 0.5 * depth;
  when = time;
  at = position.xz;
  gl_Position = projectionMatrix * viewMatrix * vec4(place.x, 0.004, place.y, 1.0);
}`,
    fragmentShader: /* glsl */ `
uniform vec3 ink, centre;
uniform float now, radius;
varying float when;
varying vec2 at;
void main() {
  float fog = 1.0 - smoothstep(radius, 1.5 * radius, distance(at, centre.xz));
  gl_FragColor = vec4(ink, (when <= now ? 0.95 : 0.37) * fog);
}`,
  });
}
