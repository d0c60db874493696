// Rectangles, many of them: by WebGL2, each an instance; where there is none, on a plain canvas.

export interface Painter {
  begin(width: number, height: number, ratio: number): void;
  rect(x: number, y: number, w: number, h: number, color: number, alpha: number): void;
  end(): void;
  readonly kind: "webgl2" | "canvas";
}

const vertexSource = `#version 300 es
in vec2 corner;
in vec4 box;
in vec4 tint;
uniform vec2 size;
out vec4 color;
void main() {
  vec2 at = box.xy + corner * box.zw;
  gl_Position = vec4(at.x / size.x * 2.0 - 1.0, 1.0 - at.y / size.y * 2.0, 0.0, 1.0);
  color = vec4(tint.rgb * tint.a, tint.a);
}`;

const fragmentSource = `#version 300 es
precision mediump float;
in vec4 color;
out vec4 shown;
void main() { shown = color; }`;

const FLOATS = 5; // of an instance: a box, and a colour's four bytes in the place of one

function compile(gl: WebGL2RenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  const sources: [number, string][] = [
    [gl.VERTEX_SHADER, vertexSource], [gl.FRAGMENT_SHADER, fragmentSource],
  ];
  for (const [type, source] of sources) {
    const shader = gl.createShader(type);
    if (!program || !shader) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

function bindLayout(gl: WebGL2RenderingContext, program: WebGLProgram, instances: WebGLBuffer) {
  const corner = gl.getAttribLocation(program, "corner");
  const box = gl.getAttribLocation(program, "box");
  const tint = gl.getAttribLocation(program, "tint");
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
  gl.enableVertexAttribArray(corner);
  gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
  gl.bindBuffer(gl.ARRAY_BUFFER, instances);
  gl.enableVertexAttribArray(box);
  gl.vertexAttribPointer(box, 4, gl.FLOAT, false, FLOATS * 4, 0);
  gl.vertexAttribDivisor(box, 1);
  gl.enableVertexAttribArray(tint);
  gl.vertexAttribPointer(tint, 4, gl.UNSIGNED_BYTE, true, FLOATS * 4, 16);
  gl.vertexAttribDivisor(tint, 1);
}

class GlPainter implements Painter {
  readonly kind = "webgl2";
  private floats = new Float32Array(FLOATS * 4096);
  private words = new Uint32Array(this.floats.buffer);
  private count = 0;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly program: WebGLProgram,
    private readonly instances: WebGLBuffer,
  ) {}

  begin(width: number, height: number, ratio: number) {
    this.count = 0;
    this.gl.viewport(0, 0, width * ratio, height * ratio);
    this.gl.useProgram(this.program);
    this.gl.uniform2f(this.gl.getUniformLocation(this.program, "size"), width, height);
  }

  rect(x: number, y: number, w: number, h: number, color: number, alpha: number) {
    const at = this.count++ * FLOATS;
    if (at + FLOATS > this.floats.length) {
      const larger = new Float32Array(this.floats.length * 2);
      larger.set(this.floats);
      this.floats = larger;
      this.words = new Uint32Array(larger.buffer);
    }
    this.floats[at] = x;
    this.floats[at + 1] = y;
    this.floats[at + 2] = w;
    this.floats[at + 3] = h;
    const swapped = ((color >> 16) & 255) | (color & 0xff00) | ((color & 255) << 16);
    this.words[at + 4] = (swapped | (Math.round(alpha * 255) << 24)) >>> 0;
  }

  end() {
    const { gl } = this;
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.instances);
    gl.bufferData(gl.ARRAY_BUFFER, this.floats.subarray(0, this.count * FLOATS), gl.STREAM_DRAW);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.count);
  }
}

class CanvasPainter implements Painter {
  readonly kind = "canvas";
  constructor(private readonly context: CanvasRenderingContext2D) {}

  begin(width: number, height: number, ratio: number) {
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
  }

  rect(x: number, y: number, w: number, h: number, color: number, alpha: number) {
    this.context.globalAlpha = alpha;
    this.context.fillStyle = `#${color.toString(16).padStart(6, "0")}`;
    this.context.fillRect(x, y, w, h);
  }

  end() {
    this.context.globalAlpha = 1;
  }
}

export function painterFor(canvas: HTMLCanvasElement, plain: boolean): Painter {
  const gl = plain ? null : canvas.getContext("webgl2", { premultipliedAlpha: true });
  const program = gl && compile(gl);
  const instances = gl && gl.createBuffer();
  if (gl && program && instances) {
    bindLayout(gl, program, instances);
    return new GlPainter(gl, program, instances);
  }
  return new CanvasPainter(canvas.getContext("2d") as CanvasRenderingContext2D);
}
