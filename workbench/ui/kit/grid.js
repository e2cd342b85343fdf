// A table of numbers that are typed over, with a box to tick in front of each row. Plain HTML inputs: keyboard, screen
// readers and phones know them. What was typed goes to Python, which checks it; the table shows what Python sends.
export function render({ model, el }) {
  const style = document.createElement("style");
  style.textContent = `
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
    th, td { text-align: right; padding: 3px 4px; border-bottom: 1px solid rgba(127,127,127,0.35); white-space: nowrap; }
    th { font-weight: 600; }
    th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
    input[type=number] { width: 100%; min-width: 54px; box-sizing: border-box; text-align: right; font: inherit;
      color: inherit; background: transparent; border: 1px solid transparent; border-radius: 3px; padding: 3px 4px; }
    input[type=number]:hover, input[type=number]:focus { border-color: rgba(127,127,127,0.7); }
    input[type=checkbox] { width: 18px; height: 18px; vertical-align: middle; margin: 3px 8px 3px 0; }
    label { cursor: pointer; }
  `;
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  el.append(style, scroll);
  let told = 0;

  function cell(row, tag, text) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (tag === "th") made.scope = "col";
    row.append(made);
    return made;
  }

  function draw() {
    const table = document.createElement("table");
    table.setAttribute("aria-label", model.name_of_table);
    const head = table.createTHead().insertRow();
    for (const text of [model.first, ...model.heads, model.last]) cell(head, "th", text);
    const body = table.createTBody();
    model.rows.forEach((numbers, i) => {
      const row = body.insertRow();
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = !!model.ticked[i];
      box.addEventListener("change", () => { model.turned = [i, box.checked ? 1 : 0, ++told]; });
      label.append(box, String(i + 1));
      cell(row, "td").append(label);
      numbers.forEach((number, k) => {
        const field = document.createElement("input");
        field.type = "number";
        field.value = number;
        field.setAttribute("aria-label", `${model.heads[k]} of ${i + 1}`);
        field.addEventListener("change", () => { model.typed = [i, k, field.value, ++told]; });
        cell(row, "td").append(field);
      });
      cell(row, "td", model.notes[i] ?? "");
    });
    // the field that has the focus keeps it: whoever types goes on to the next one
    const active = el.getRootNode().activeElement;
    const name = active && active.getAttribute ? active.getAttribute("aria-label") : null;
    const boxes = active && active.type === "checkbox" ? [...scroll.querySelectorAll("input[type=checkbox]")].indexOf(active) : -1;
    scroll.replaceChildren(table);
    if (name) scroll.querySelector(`input[aria-label="${CSS.escape(name)}"]`)?.focus();
    else if (boxes >= 0) scroll.querySelectorAll("input[type=checkbox]")[boxes]?.focus();
  }

  model.on("version", draw);
  draw();
}
