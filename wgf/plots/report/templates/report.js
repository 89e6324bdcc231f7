"use strict";
(() => {
  const BUTTONS = [["toImage", "resetScale2d"]];  // none that would send anything away
  const page = JSON.parse(document.getElementById("report-data").textContent);
  const root = document.documentElement;
  const asked = matchMedia("(prefers-color-scheme: dark)");
  const touched = matchMedia("(pointer: coarse), (max-width: 600px)").matches;
  const theme = () => root.dataset.theme || (asked.matches ? "dark" : "light");

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;

  // Numbers of a frame: those packed as steps from the least to the largest, as they are, or as shades.
  function unpack(packed) {
    const all = { numbers: Float32Array, steps: Uint16Array, shades: Uint8Array }[packed.kind];
    packed.values = packed.values || new all(bytes(packed.data));
    return (frame) => {
      const row = packed.values.subarray(frame * packed.size, (frame + 1) * packed.size);
      return packed.kind === "steps" ? Float32Array.from(row, (step) => packed.low + step * packed.step) : row;
    };
  }

  function inRows(values, columns) {
    if (!columns) return values;
    const rows = [];
    for (let start = 0; start < values.length; start += columns) rows.push(values.subarray(start, start + columns));
    return rows;
  }

  function put(trace, attribute, values) {
    const names = attribute.split("."), last = names.pop();
    names.reduce((inside, name) => inside[name], trace)[last] = values;
  }

  // The polygons of each shade, one after another.
  function shade(data, cells, frame) {
    const x = unpack(cells.x)(0), y = unpack(cells.y)(0), shades = unpack(cells.shades)(frame), corners = cells.corners;
    for (const trace of data.slice(0, page.shades.light.length)) { trace.x = []; trace.y = []; }
    shades.forEach((level, cell) => {
      const trace = data[level], start = cell * corners;
      for (let k = 0; k <= corners; k++) {
        trace.x.push(x[start + (k % corners)]);
        trace.y.push(y[start + (k % corners)]);
      }
      trace.x.push(null);
      trace.y.push(null);
    });
  }

  function dress(chart) {
    const style = getComputedStyle(root), { data, layout } = chart.figure;
    layout.font.color = style.getPropertyValue("--ink").trim();
    layout.hoverlabel = { bgcolor: style.getPropertyValue("--card").trim(), font: { color: layout.font.color } };
    if (layout.coloraxis) layout.coloraxis.colorscale = page.scales[theme()];
    if (chart.cells) page.shades[theme()].forEach((colour, k) => { data[k].fillcolor = colour; data[k].line.color = colour; });
  }

  function draw(chart, frame) {
    const { data, layout } = chart.figure;
    for (const moving of chart.moving) put(data[moving.trace], moving.attribute, inRows(unpack(moving)(frame), moving.columns));
    if (chart.cells) shade(data, chart.cells, frame);
    layout.datarevision = (layout.datarevision || 0) + 1;
    Plotly.react(chart.id, data, layout, { responsive: true, displaylogo: false, displayModeBar: !touched, modeBarButtons: BUTTONS });
  }

  function dressAll() {
    for (const part of page.parts) for (const chart of part.charts) { dress(chart); draw(chart, part.frame); }
    button.textContent = theme() === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", `show the page in ${button.textContent} colours`);
  }

  function slide(part, number) {
    const input = document.getElementById(`time-${number}`);
    if (!input) return;
    const group = input.parentElement, output = group.querySelector("output"), play = group.querySelector(".play");
    let timer = null, waiting = false;
    const show = (frame) => {
      part.frame = frame;
      input.value = frame;
      output.textContent = part.frames[frame];
      input.setAttribute("aria-valuetext", part.frames[frame]);
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        for (const chart of part.charts) if (chart.moving.length || chart.cells) draw(chart, part.frame);
      });
    };
    const stop = () => {
      clearInterval(timer);
      timer = null;
      play.textContent = "▶ play";
      play.setAttribute("aria-pressed", "false");
    };
    input.addEventListener("input", () => { stop(); show(Number(input.value)); });
    play.addEventListener("click", () => {
      if (timer) { stop(); return; }
      play.textContent = "❚❚ pause";
      play.setAttribute("aria-pressed", "true");
      if (part.frame === part.frames.length - 1) show(0);
      timer = setInterval(() => {
        if (part.frame < part.frames.length - 1) show(part.frame + 1);
        if (part.frame === part.frames.length - 1) stop();
      }, Math.max(120, 6000 / part.frames.length));
    });
  }

  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    dressAll();
  });
  asked.addEventListener("change", dressAll);
  page.parts.forEach((part, k) => {
    part.frame = Math.max(part.frames.length - 1, 0);
    for (const chart of part.charts) {
      chart.figure.layout.uirevision = "kept";
      if (touched) chart.figure.layout.dragmode = false;
    }
    slide(part, k + 1);
  });
  dressAll();
})();
