// The sphere of directions, coloured by cost, with an axis and its cap that the hand moves. Turning happens here; a moved
// axis is told to the server, which answers with the number. A direction and its opposite cost the same, so one half tells all.

const STYLE = `
.sphere { display: flex; flex-direction: column; width: 100%; height: 100%; font: 13px/1.4 system-ui, sans-serif; }
.sphere canvas { flex: 1 1 auto; width: 100%; min-height: 0; touch-action: none; cursor: grab; border-radius: 6px;
  background: rgba(127, 127, 127, 0.07); }
.sphere canvas:focus-visible { outline: 2px solid #0072B2; outline-offset: -2px; }
.sphere .keys { opacity: 0.85; font-size: 12px; padding-top: 4px; }
`;

export function render({ model, el }) {
  const style = document.createElement("style");
  style.textContent = STYLE;
  const root = document.createElement("div");
  root.className = "sphere";
  root.innerHTML = `<canvas tabindex="0" role="application"></canvas>
    <div class="keys">Drag the orange axis; drag elsewhere to turn. Arrows move the axis, Shift-arrows turn, B takes the
    best axis.</div>`;
  el.append(style, root);
  const canvas = root.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const camera = { yaw: -0.6, pitch: 0.35 };
  let axis = [...model.axis], held = null, pending = 0, alive = true, ball = null, ballKey = "";

  // Rows: right, up, towards the eye; z is up in the world.
  function rows() {
    const [cy, sy, cp, sp] = [Math.cos(camera.yaw), Math.sin(camera.yaw), Math.cos(camera.pitch), Math.sin(camera.pitch)];
    return [[cy, sy, 0], [-sy * sp, cy * sp, cp], [sy * cp, -cy * cp, sp]];
  }
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const scaled = (a, s) => [a[0] * s, a[1] * s, a[2] * s];
  const unit = (a) => scaled(a, 1 / Math.hypot(...a));
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

  function place() {
    const ratio = window.devicePixelRatio || 1;
    const [wide, tall] = [canvas.clientWidth, canvas.clientHeight];
    return { ratio, wide, tall, x: wide / 2, y: tall / 2, r: Math.max(10, 0.44 * Math.min(wide, tall)) };
  }

  // The coloured ball is drawn anew only when it turned, was resized or got other colours.
  function paintBall(at, view) {
    const size = Math.max(2, Math.min(2 * Math.round(at.r * at.ratio), 640));
    const key = `${size} ${camera.yaw} ${camera.pitch} ${model.version}`;
    if (key === ballKey) return;
    ballKey = key;
    ball = document.createElement("canvas");
    ball.width = ball.height = size;
    const [nh, na] = [model.heights, model.azimuths];
    const texture = new Uint8Array(model.texture.buffer ?? model.texture, model.texture.byteOffset ?? 0);
    if (!nh || texture.length < 3 * nh * na) return;
    const image = ball.getContext("2d").createImageData(size, size);
    const [right, up, near] = view;
    for (let j = 0; j < size; j++) {
      const v = 1 - (2 * j + 1) / size;
      for (let i = 0; i < size; i++) {
        const u = (2 * i + 1) / size - 1, rr = u * u + v * v;
        if (rr > 1) continue;
        const w = Math.sqrt(1 - rr);
        const x = right[0] * u + up[0] * v + near[0] * w, y = right[1] * u + up[1] * v + near[1] * w;
        const z = right[2] * u + up[2] * v + near[2] * w;
        // between the middles of the cells, so that rows near the poles, wide in angle, show no steps
        const across = (Math.atan2(y, x) / (2 * Math.PI) + 0.5) * na - 0.5, along = ((z + 1) / 2) * nh - 0.5;
        const [c0, r0] = [Math.floor(across), Math.floor(along)], [fc, fr] = [across - c0, along - r0];
        const [ca, cb] = [(c0 + na) % na, (c0 + 1) % na];
        const [ra, rb] = [Math.max(0, r0), Math.min(nh - 1, r0 + 1)];
        const to = 4 * (j * size + i), shade = 0.72 + 0.28 * w;
        for (let k = 0; k < 3; k++) {
          const at = (row, column) => texture[3 * (row * na + column) + k];
          const low = (1 - fc) * at(ra, ca) + fc * at(ra, cb), high = (1 - fc) * at(rb, ca) + fc * at(rb, cb);
          image.data[to + k] = ((1 - fr) * low + fr * high) * shade;
        }
        image.data[to + 3] = 255 * Math.min(1, (1 - Math.sqrt(rr)) * size * 0.5);
      }
    }
    ball.getContext("2d").putImageData(image, 0, 0);
  }

  const front = (v, near) => (dot(v, near) < 0 ? scaled(v, -1) : v);
  function toScreen(v, at, [right, up]) {
    return [at.x + at.r * dot(v, right), at.y - at.r * dot(v, up)];
  }
  function circle(centre, angle, at, view) { // the part of the cap's edge that faces the eye
    const a = unit(cross(centre, Math.abs(centre[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0])), b = cross(centre, a);
    let drawing = false;
    pen.beginPath();
    for (let k = 0; k <= 120; k++) {
      const t = (2 * Math.PI * k) / 120, c = Math.cos(angle), s = Math.sin(angle);
      const v = [0, 1, 2].map((i) => c * centre[i] + s * (Math.cos(t) * a[i] + Math.sin(t) * b[i]));
      if (dot(v, view[2]) < -0.02) { drawing = false; continue; }
      const [x, y] = toScreen(v, at, view);
      drawing ? pen.lineTo(x, y) : pen.moveTo(x, y);
      drawing = true;
    }
  }
  function stroke(colour, width) {
    pen.lineWidth = width + 2; pen.strokeStyle = "rgba(0,0,0,0.55)"; pen.stroke();
    pen.lineWidth = width; pen.strokeStyle = colour; pen.stroke();
  }
  const written = []; // where labels stand
  const alike = (a, b) => Math.abs(a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) > 0.9998;
  function mark(v, at, view, colour, label, shape) {
    const [x, y] = toScreen(front(v, view[2]), at, view);
    let ly = y - 9; // below its mark where a label written before would be hit
    if (written.some(([u, w]) => Math.abs(u - x) < 130 && Math.abs(w - ly) < 15)) ly = y + 22;
    written.push([x, ly]);
    pen.beginPath();
    if (shape === "diamond") { pen.moveTo(x, y - 8); pen.lineTo(x + 8, y); pen.lineTo(x, y + 8); pen.lineTo(x - 8, y); pen.closePath(); }
    else pen.arc(x, y, shape === "handle" ? 10 : 6, 0, 2 * Math.PI);
    pen.fillStyle = colour; pen.fill();
    pen.lineWidth = 2; pen.strokeStyle = "#000"; pen.stroke();
    pen.font = "600 13px system-ui, sans-serif"; pen.textAlign = x > at.x ? "right" : "left";
    const lx = x + (x > at.x ? -13 : 13);
    pen.lineWidth = 3; pen.strokeStyle = "rgba(0,0,0,0.7)"; pen.strokeText(label, lx, ly);
    pen.fillStyle = "#fff"; pen.fillText(label, lx, ly);
  }
  function draw() {
    pending = 0;
    if (!alive) return;
    written.length = 0;
    const at = place(), view = rows();
    const [w, h] = [Math.max(1, Math.round(at.wide * at.ratio)), Math.max(1, Math.round(at.tall * at.ratio))];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    pen.setTransform(at.ratio, 0, 0, at.ratio, 0, 0);
    pen.clearRect(0, 0, at.wide, at.tall);
    paintBall(at, view);
    if (ball) pen.drawImage(ball, at.x - at.r, at.y - at.r, 2 * at.r, 2 * at.r);
    const ahead = front(axis, view[2]);
    for (const side of [1, -1]) {
      circle(scaled(ahead, side), model.cap, at, view);
      stroke("#E69F00", 2);
    }
    if (model.way.length === 6) { // the released search at its true length: most often a dot
      const [start, end] = [model.way.slice(0, 3), model.way.slice(3)].map((v) => front(v, view[2]));
      pen.beginPath();
      pen.moveTo(...toScreen(start, at, view));
      pen.lineTo(...toScreen(end, at, view));
      stroke("#CC79A7", 4);
      mark(end, at, view, "#CC79A7", "50 released steps", "dot");
    }
    if (model.top.length === 3) mark(model.top, at, view, "#D55E00", "largest slice", "diamond");
    if (model.best.length === 3 && !alike(model.best, axis)) mark(model.best, at, view, "#56B4E9", "best axis", "dot");
    mark(axis, at, view, "#E69F00", model.best.length === 3 && alike(model.best, axis) ? "best axis" : "axis", "handle");
    root.dataset.drawn = String(Number(root.dataset.drawn || 0) + 1);
  }
  function schedule() { if (alive && !pending) pending = requestAnimationFrame(draw); }

  // ---- hands ----
  let telling = 0;
  function move(to) {
    axis = unit(to);
    schedule();
    if (!telling) telling = setTimeout(() => { telling = 0; model.picked = [...axis]; }, 60);
  }
  function under(event) {
    const box = canvas.getBoundingClientRect(), at = place(), view = rows();
    let u = (event.clientX - box.left - at.x) / at.r, v = -(event.clientY - box.top - at.y) / at.r;
    const length = Math.hypot(u, v);
    if (length > 1) [u, v] = [u / length, v / length];
    const w = Math.sqrt(Math.max(0, 1 - u * u - v * v));
    return [0, 1, 2].map((i) => view[0][i] * u + view[1][i] * v + view[2][i] * w);
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const box = canvas.getBoundingClientRect(), at = place(), view = rows();
    const [x, y] = toScreen(front(axis, view[2]), at, view);
    const near = Math.hypot(event.clientX - box.left - x, event.clientY - box.top - y) < 24;
    held = { kind: near ? "axis" : "ball", x: event.clientX, y: event.clientY };
    canvas.style.cursor = near ? "crosshair" : "grabbing";
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return;
    if (held.kind === "axis") return move(under(event));
    camera.yaw -= (event.clientX - held.x) * 0.008;
    camera.pitch = Math.max(-1.57, Math.min(1.57, camera.pitch + (event.clientY - held.y) * 0.008));
    Object.assign(held, { x: event.clientX, y: event.clientY });
    schedule();
  });
  for (const kind of ["pointerup", "pointercancel"])
    canvas.addEventListener(kind, () => { held = null; canvas.style.cursor = ""; });
  canvas.addEventListener("keydown", (event) => {
    const sides = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.key === "b" || event.key === "B") { model.wish_best += 1; return event.preventDefault(); }
    const side = sides[event.key];
    if (!side) return;
    event.preventDefault();
    if (event.shiftKey) {
      camera.yaw -= side[0] * 0.1;
      camera.pitch = Math.max(-1.57, Math.min(1.57, camera.pitch + side[1] * 0.1));
      return schedule();
    }
    const view = rows(), here = front(axis, view[2]);
    move([0, 1, 2].map((i) => here[i] + 0.05 * (side[0] * view[0][i] + side[1] * view[1][i])));
  });

  const observer = new ResizeObserver(schedule);
  observer.observe(canvas);
  const load = () => { canvas.setAttribute("aria-label", model.description); schedule(); };
  model.on("version", load);
  model.on("axis", () => { if (!held || held.kind !== "axis") { axis = [...model.axis]; schedule(); } });
  for (const name of ["cap", "best", "description"]) model.on(name, load);
  model.on("remove", () => { alive = false; observer.disconnect(); });
  camera.yaw = Math.atan2(axis[0], -axis[1]) + 0.6; // the axis stands in view at first, a little to the side
  load();
}
