// The canvas and its drawing context, with one or two panes. It opens when it is seen and closes when it is not.
import { WebGLRenderer } from "three";
import { claim, release } from "./contexts.js";
import { loadMesh } from "./mesh.js";
import { Pane } from "./pane.js";

const SHARPEST = 2; // drawn pixels per pixel of the page
const COARSEST = 0.75;
const [COARSE, FINE] = [0.8, 1.25]; // of round parts, without and with a graphics card

// Whether the processor draws, because there is no graphics card: smooth edges are too dear then. Asked once a page.
let slowDrawing = null;
function software() {
  if (slowDrawing !== null) return slowDrawing;
  const gl = document.createElement("canvas").getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  slowDrawing = /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return slowDrawing;
}

export class Stage {
  constructor(element, clips, rig, { onLost, onRestored, onMesh }) {
    Object.assign(this, { element, clips, rig, onLost, onRestored, onMesh });
    this.renderer = null;
    this.panes = [];
    this.stacked = false;
    this.lost = false;
    this.slow = 0;
    this.sharpness = SHARPEST;
  }

  get open() {
    return this.renderer !== null;
  }

  // Throws where there is no WebGL.
  start(colours) {
    claim(this);
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true");
    const context = canvas.getContext("webgl2", { alpha: false, antialias: !software(), powerPreference: "low-power", stencil: false });
    if (!context) {
      release(this);
      throw new Error("no WebGL");
    }
    this.renderer = new WebGLRenderer({ canvas, context });
    this.renderer.autoClear = false;
    this.renderer.sortObjects = true;
    this.element.prepend(canvas);
    this.canvas = canvas;
    this.whenLost = (event) => {
      event.preventDefault();
      this.lost = true;
      this.onLost();
    };
    this.whenRestored = () => {
      this.lost = false;
      this.onRestored();
    };
    canvas.addEventListener("webglcontextlost", this.whenLost);
    canvas.addEventListener("webglcontextrestored", this.whenRestored);
    this.panes = this.clips.map((clip) => new Pane(clip, this.rig, colours, software() ? COARSE : FINE));
    this.panes.forEach((pane) => this.fetchMesh(pane));
    this.size = "";
  }

  async fetchMesh(pane) {
    if (!pane.clip.mesh) return;
    try {
      const mesh = await loadMesh(pane.clip.mesh);
      if (this.panes.includes(pane)) pane.setMesh(mesh);
      else mesh.dispose();
      this.onMesh(null);
    } catch (error) {
      this.onMesh(error);
    }
  }

  stop() {
    if (!this.renderer) return;
    release(this);
    this.canvas.removeEventListener("webglcontextlost", this.whenLost);
    this.canvas.removeEventListener("webglcontextrestored", this.whenRestored);
    for (const pane of this.panes) pane.dispose();
    this.panes = [];
    this.renderer.dispose();
    this.renderer.forceContextLoss();
    this.canvas.remove();
    this.renderer = this.canvas = null;
    this.lost = false;
  }

  // Another viewer needs the context.
  evict() {
    this.stop();
    this.onEvict?.();
  }

  // Boxes of the panes on the canvas, bottom up.
  boxes(width, height) {
    const count = this.clips.length;
    return this.clips.map((_, i) =>
      this.stacked
        ? { left: 0, bottom: (height / count) * (count - 1 - i), width, height: height / count }
        : { left: (width / count) * i, bottom: 0, width: width / count, height },
    );
  }

  // What moves may be coarse, what stands is as sharp as the screen.
  draw(seconds, colours, moving) {
    if (!this.renderer || this.lost) return;
    const width = this.element.clientWidth;
    const height = this.element.clientHeight;
    if (!width || !height) return;
    const ratio = Math.min(window.devicePixelRatio || 1, moving ? this.sharpness : SHARPEST);
    const size = `${width} ${height} ${ratio}`;
    if (size !== this.size) {
      this.size = size;
      this.renderer.setPixelRatio(ratio);
      this.renderer.setSize(width, height, false);
    }
    const boxes = this.boxes(width, height);
    this.rig.setAspect(boxes[0].width / boxes[0].height);
    this.panes.forEach((pane, i) => {
      pane.setColours(colours);
      pane.draw(this.renderer, boxes[i], seconds, ratio);
    });
  }

  // Where drawing takes long, as without a graphics card, fewer pixels are drawn. Told the time between two pictures.
  adapt(milliseconds) {
    this.slow = milliseconds > 40 ? this.slow + 1 : Math.max(0, this.slow - 2);
    const ratio = Math.min(window.devicePixelRatio || 1, this.sharpness);
    if (this.slow < 10 || ratio <= COARSEST) return;
    this.slow = 0;
    this.sharpness = Math.max(COARSEST, ratio * 0.8);
  }
}
