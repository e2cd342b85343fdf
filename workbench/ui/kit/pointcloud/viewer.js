// A WebGL2 viewer for a moving point cloud or surface. The whole trajectory arrives once; playing, scrubbing, orbiting
// and zooming happen here, with no traffic to the server. Frames are blended on the graphics card.

const POINT_VERTEX = `#version 300 es
in vec3 here;
in vec3 next;
in vec3 colour;
uniform mat4 view;
uniform float blend;
uniform float size;
uniform float perspective;
out vec3 shade;
void main() {
  gl_Position = view * vec4(mix(here, next, blend), 1.0);
  gl_PointSize = clamp(size * mix(1.0, 3.2 / max(gl_Position.w, 0.05), perspective), 1.0, 64.0);
  shade = colour;
}`;

const POINT_FRAGMENT = `#version 300 es
precision mediump float;
in vec3 shade;
uniform float opacity;
out vec4 pixel;
void main() {
  vec2 offset = gl_PointCoord * 2.0 - 1.0;
  float distance2 = dot(offset, offset);
  if (distance2 > 1.0) discard;
  pixel = vec4(shade * (1.0 - 0.35 * distance2) * opacity, opacity);
}`;

// Each triangle is lit by the light at the eye, from both sides; its normal comes from the place's own derivatives, so
// that a surface in motion needs none sent.
const FACE_VERTEX = `#version 300 es
in vec3 here;
in vec3 next;
in vec3 colour;
uniform mat4 view;
uniform float blend;
uniform vec3 centre;
uniform float scale;
out highp vec3 place;
out vec3 shade;
void main() {
  vec3 now = mix(here, next, blend);
  gl_Position = view * vec4(now, 1.0);
  place = (now - centre) * scale;
  shade = colour;
}`;

const FACE_FRAGMENT = `#version 300 es
precision highp float;
in highp vec3 place;
in vec3 shade;
uniform vec3 light;
uniform float opacity;
out vec4 pixel;
void main() {
  vec3 normal = cross(dFdx(place), dFdy(place));
  float size = length(normal);
  float lit = size > 0.0 ? abs(dot(normal, light)) / size : 1.0;
  pixel = vec4(shade * (0.3 + 0.7 * lit) * opacity, opacity);
}`;

const MARKED = [0.835, 0.369, 0.0]; // faces that are pointed out: vermilion, seen beside every colour in use

const STYLE = `
.cloud { display: flex; flex-direction: column; width: 100%; height: 100%; font: 13px/1.4 system-ui, sans-serif; }
.cloud canvas { flex: 1 1 auto; width: 100%; min-height: 0; touch-action: none; cursor: grab; border-radius: 6px;
  background: rgba(127, 127, 127, 0.07); }
.cloud canvas:active { cursor: grabbing; }
.cloud canvas:focus-visible { outline: 2px solid #0072B2; outline-offset: -2px; }
.cloud .bar { display: flex; gap: 8px; align-items: center; padding: 6px 2px 0; flex-wrap: wrap; }
.cloud button { font: inherit; min-width: 36px; height: 32px; border: 1px solid rgba(127, 127, 127, 0.6);
  border-radius: 4px; background: transparent; color: inherit; cursor: pointer; }
.cloud input { flex: 1 1 120px; min-width: 80px; accent-color: #0072B2; }
.cloud .label { flex: 0 1 auto; font-variant-numeric: tabular-nums; min-width: 9em; }
.cloud .keys { opacity: 0.85; font-size: 12px; }
`;

// A compiled program with its attributes and uniforms by name.
function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  const named = (count, info, locate) => {
    const names = Array.from({ length: gl.getProgramParameter(made, count) }, (_, k) => info(made, k).name);
    return Object.fromEntries(names.map((name) => [name, locate(made, name)]));
  };
  return {
    made,
    attribute: named(gl.ACTIVE_ATTRIBUTES, gl.getActiveAttrib.bind(gl), gl.getAttribLocation.bind(gl)),
    uniform: named(gl.ACTIVE_UNIFORMS, gl.getActiveUniform.bind(gl), gl.getUniformLocation.bind(gl)),
  };
}

// Rows of the rotation: z is up in the world of a three-dimensional cloud, y is up for a flat one.
function rotation({ yaw, pitch, flat }) {
  if (flat) return [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return [[cy, sy, 0], [-sy * sp, cy * sp, cp], [sy * cp, -cy * cp, sp]];
}

// Column-major 4×4: centre the cloud, orbit, move away, project.
function viewMatrix(camera, aspect) {
  const { zoom, panX, panY, flat, centre, radius } = camera;
  const scale = 1 / radius, rows = rotation(camera);
  const wide = Math.max(aspect, 1), tall = Math.max(1 / aspect, 1);
  const matrix = new Float32Array(16);
  const distance = 3.2, lens = flat ? 0.95 * zoom : 2.9 * zoom;
  const offset = rows.map((row) => -scale * (row[0] * centre[0] + row[1] * centre[1] + row[2] * centre[2]));
  const near = 0.05, far = 60;
  for (let column = 0; column < 4; column++) {
    const entry = (row) => (column < 3 ? rows[row][column] * scale : offset[row]);
    const depth = entry(2) - (column === 3 ? distance : 0);
    matrix[4 * column] = (lens / wide) * (entry(0) + (column === 3 ? panX : 0));
    matrix[4 * column + 1] = (lens / tall) * (entry(1) + (column === 3 ? panY : 0));
    if (flat) {
      matrix[4 * column + 2] = 0;
      matrix[4 * column + 3] = column === 3 ? 1 : 0;
    } else {
      matrix[4 * column + 2] = (-(far + near) / (far - near)) * depth - (column === 3 ? (2 * far * near) / (far - near) : 0);
      matrix[4 * column + 3] = -depth;
    }
  }
  return matrix;
}

export function render({ model, el }) {
  const style = document.createElement("style");
  style.textContent = STYLE;
  const root = document.createElement("div");
  root.className = "cloud";
  root.innerHTML = `
    <canvas tabindex="0" role="img"></canvas>
    <div class="bar">
      <button class="play" type="button" aria-label="Play"></button>
      <input class="scrub" type="range" min="0" step="any" aria-label="Frame">
      <span class="label" aria-live="off"></span>
      <button class="reset" type="button" aria-label="Reset the view" title="Reset the view">⟲</button>
    </div>
    <div class="keys">Drag to turn, scroll to zoom, Shift-drag to move · Space plays, ← → step, + − zoom, R resets</div>`;
  el.append(style, root);
  const canvas = root.querySelector("canvas");
  const bar = root.querySelector(".bar");
  const play = root.querySelector(".play");
  const scrub = root.querySelector(".scrub");
  const label = root.querySelector(".label");

  const gl = canvas.getContext("webgl2", { antialias: true, premultipliedAlpha: true, preserveDrawingBuffer: true });
  if (!gl) {
    root.innerHTML = "<p>This browser offers no WebGL2; a simpler picture takes over.</p>";
    model.webgl = false;
    return;
  }
  const dots = program(gl, POINT_VERTEX, POINT_FRAGMENT), faces = program(gl, FACE_VERTEX, FACE_FRAGMENT);
  const names = ["moving", "colours", "fixed", "fixedColours", "faces", "fixedFaces", "marked"];
  const buffers = Object.fromEntries(names.map((name) => [name, gl.createBuffer()]));

  const camera = { yaw: -0.6, pitch: 0.35, zoom: 1, panX: 0, panY: 0, flat: false, centre: [0, 0, 0], radius: 1 };
  let time = 0, playing = false, last = 0, pending = 0, alive = true;

  // ---- data -------------------------------------------------------------------------------------------------
  function upload(buffer, bytes, kind = gl.ARRAY_BUFFER) {
    gl.bindBuffer(kind, buffer);
    gl.bufferData(kind, bytes && bytes.byteLength ? new Uint8Array(bytes) : new Uint8Array(4), gl.STATIC_DRAW);
  }
  function load() {
    upload(buffers.moving, model.positions);
    upload(buffers.colours, model.colours);
    upload(buffers.fixed, model.target);
    upload(buffers.fixedColours, model.target_colours);
    upload(buffers.faces, model.faces, gl.ELEMENT_ARRAY_BUFFER);
    upload(buffers.fixedFaces, model.target_faces, gl.ELEMENT_ARRAY_BUFFER);
    upload(buffers.marked, model.marked, gl.ELEMENT_ARRAY_BUFFER);
    camera.flat = model.flat;
    camera.centre = model.centre;
    camera.radius = Math.max(model.radius, 1e-12);
    scrub.max = Math.max(model.n_frames - 1, 0);
    bar.querySelectorAll(".play, .scrub").forEach((part) => (part.style.display = model.n_frames > 1 ? "" : "none"));
    canvas.setAttribute("aria-label", model.description || "Point cloud");
    seek(Math.min(model.frame, model.n_frames - 1), false);
  }
  function greet() {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (model.autoplay && !still) { time = 0; start(); }
  }

  // ---- drawing ----------------------------------------------------------------------------------------------
  function attach(where, buffer, offset, type, normalised) {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(where);
    gl.vertexAttribPointer(where, 3, type, normalised, 0, offset);
  }
  // Draw points, or triangles if there are corners of any, between two frames.
  function cloud({ positions, colours, count, corners, indices, plain }, [first, second, blend], opacity, aspect, ratio) {
    if (!count) return;
    const { made, attribute, uniform } = corners ? faces : dots;
    gl.useProgram(made);
    gl.uniformMatrix4fv(uniform.view, false, viewMatrix(camera, aspect));
    gl.uniform1f(uniform.blend, blend);
    gl.uniform1f(uniform.opacity, opacity);
    attach(attribute.here, positions, first * count * 12, gl.FLOAT, false);
    attach(attribute.next, positions, second * count * 12, gl.FLOAT, false);
    if (plain) {
      gl.disableVertexAttribArray(attribute.colour);
      gl.vertexAttrib3f(attribute.colour, ...plain);
    } else attach(attribute.colour, colours, 0, gl.UNSIGNED_BYTE, true);
    if (corners) {
      gl.uniform3f(uniform.centre, ...camera.centre);
      gl.uniform1f(uniform.scale, 1 / camera.radius);
      gl.uniform3f(uniform.light, ...rotation(camera)[2]);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, indices);
      gl.drawElements(gl.TRIANGLES, corners, gl.UNSIGNED_INT, 0);
    } else {
      gl.uniform1f(uniform.size, model.point_size * ratio * Math.sqrt(camera.zoom));
      gl.uniform1f(uniform.perspective, camera.flat ? 0 : 1);
      gl.drawArrays(gl.POINTS, 0, count);
    }
  }
  function draw() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const first = Math.floor(time), second = Math.min(first + 1, model.n_frames - 1), aspect = width / height;
    const now = [first, second, time - first], corners = (bytes) => (bytes ? bytes.byteLength / 4 : 0);
    const moving = { positions: buffers.moving, colours: buffers.colours, count: model.n_points };
    cloud({ ...moving, corners: corners(model.faces), indices: buffers.faces }, now, 1, aspect, ratio);
    if (corners(model.marked)) {
      gl.enable(gl.POLYGON_OFFSET_FILL);
      gl.polygonOffset(-1, -2); // drawn once more, before themselves
      cloud({ ...moving, corners: corners(model.marked), indices: buffers.marked, plain: MARKED }, now, 1, aspect, ratio);
      gl.disable(gl.POLYGON_OFFSET_FILL);
    }
    if (model.show_target) {
      gl.depthMask(false); // the target is seen through, so it hides nothing
      const fixed = { positions: buffers.fixed, colours: buffers.fixedColours, count: model.n_target };
      const drawn = { ...fixed, corners: corners(model.target_faces), indices: buffers.fixedFaces };
      cloud(drawn, [0, 0, 0], model.target_opacity, aspect, ratio);
      gl.depthMask(true);
    }
  }
  function schedule() {
    if (alive && !pending) pending = requestAnimationFrame(tick);
  }
  function tick(now) {
    pending = 0;
    if (!alive) return;
    if (playing) {
      time += (Math.max(0, Math.min(now - last, 100)) / 1000) * model.speed;
      if (time >= model.n_frames - 1) { time = model.n_frames - 1; pause(); }
      last = now;
      show();
    }
    draw();
    root.dataset.drawn = String(Number(root.dataset.drawn || 0) + 1);
    if (playing) schedule();
  }

  // ---- time -------------------------------------------------------------------------------------------------
  function show() {
    const frame = Math.round(time);
    scrub.value = time;
    label.textContent = model.labels[frame] ?? `frame ${frame}`;
    scrub.setAttribute("aria-valuetext", label.textContent);
    play.textContent = playing ? "❚❚" : "▶";
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
  }
  function seek(where, tell = true) {
    time = Math.max(0, Math.min(where, model.n_frames - 1)) || 0;
    show();
    schedule();
    if (tell) model.frame = Math.round(time);
  }
  function start() {
    if (model.n_frames < 2) return;
    if (time >= model.n_frames - 1) time = 0;
    playing = true;
    last = performance.now();
    show();
    schedule();
  }
  function pause() {
    playing = false;
    show();
    model.frame = Math.round(time);
  }
  const toggle = () => (playing ? pause() : start());

  // ---- hands ------------------------------------------------------------------------------------------------
  const pointers = new Map();
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  function zoom(factor) {
    camera.zoom = Math.max(0.1, Math.min(camera.zoom * factor, 50));
    schedule();
  }
  function reset() {
    Object.assign(camera, { yaw: -0.6, pitch: 0.35, zoom: 1, panX: 0, panY: 0 });
    schedule();
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const wide = pointers.size === 2 ? spread() : 0;
    const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pointers.size === 2) zoom(spread() / Math.max(wide, 1));
    else if (camera.flat || event.shiftKey || event.buttons === 2) {
      const unit = 2 / (canvas.clientHeight * (camera.flat ? 0.95 : 0.9) * camera.zoom);
      camera.panX += dx * unit;
      camera.panY -= dy * unit;
    } else {
      camera.yaw -= dx * 0.008;
      camera.pitch = Math.max(-1.57, Math.min(camera.pitch + dy * 0.008, 1.57));
    }
    schedule();
  });
  for (const kind of ["pointerup", "pointercancel"])
    canvas.addEventListener(kind, (event) => pointers.delete(event.pointerId));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    if (el.getRootNode().activeElement !== canvas) return; // an unfocused viewer lets the page scroll
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.0015));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const keys = {
      " ": toggle,
      ArrowLeft: () => (event.shiftKey ? ((camera.yaw += 0.1), schedule()) : (pause(), seek(Math.ceil(time) - 1))),
      ArrowRight: () => (event.shiftKey ? ((camera.yaw -= 0.1), schedule()) : (pause(), seek(Math.floor(time) + 1))),
      ArrowUp: () => ((camera.pitch = Math.min(camera.pitch + 0.1, 1.57)), schedule()),
      ArrowDown: () => ((camera.pitch = Math.max(camera.pitch - 0.1, -1.57)), schedule()),
      Home: () => (pause(), seek(0)),
      End: () => (pause(), seek(model.n_frames - 1)),
      "+": () => zoom(1.2), "=": () => zoom(1.2), "-": () => zoom(1 / 1.2),
      r: reset, R: reset,
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  play.addEventListener("click", toggle);
  root.querySelector(".reset").addEventListener("click", reset);
  scrub.addEventListener("input", () => { playing = false; seek(Number(scrub.value), false); });
  scrub.addEventListener("change", () => seek(Number(scrub.value)));

  // ---- life -------------------------------------------------------------------------------------------------
  const observer = new ResizeObserver(schedule);
  observer.observe(canvas);
  model.on("version", () => { // one signal after all parts of a new cloud have arrived
    load();
    greet();
  });
  model.on("labels", show); // more is known of the film that runs
  model.on("marked", () => { upload(buffers.marked, model.marked, gl.ELEMENT_ARRAY_BUFFER); schedule(); });
  model.on("colours", () => { upload(buffers.colours, model.colours); schedule(); });
  model.on("frame", () => { if (!playing && Math.round(time) !== model.frame) seek(model.frame, false); });
  for (const name of ["point_size", "show_target", "target_opacity"]) model.on(name, schedule);
  model.on("playing", () => (model.playing ? start() : pause()));
  model.on("remove", () => {
    alive = false;
    observer.disconnect();
    gl.getExtension("WEBGL_lose_context")?.loseContext(); // browsers allow only a few contexts a page
  });
  load();
  greet();
}
