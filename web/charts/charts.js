// Draws charts over time with uPlot: stacked bars or lines, a legend whose entries can be looked at alone, what stands at the pointer, a part
// to zoom to by pulling. Loaded with uPlot by the page of metrics, which says what is drawn; nothing is counted here.
"use strict";
(() => {
  const HEIGHT = 220;
  const COLOURS = 8;
  const DASHES = [[], [6, 3], [2, 3]];
  const figures = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

  const two = (number) => String(number).padStart(2, "0");
  const clock = (seconds, utc) => {
    const at = new Date(seconds * 1000);
    const get = (part) => at[`get${utc ? "UTC" : ""}${part}`]();
    return `${get("FullYear")}-${two(get("Month") + 1)}-${two(get("Date"))} ${two(get("Hours"))}:${two(get("Minutes"))}:${two(get("Seconds"))}`;
  };
  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  // A custom property as a colour that a canvas takes.
  const colours = (holder) => {
    const probe = element("i", "");
    holder.append(probe);
    const read = (name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    const found = { ink: read("--ink-soft"), grid: read("--line"), failed: read("--fail"), list: [] };
    for (let number = 1; number <= COLOURS; number++) found.list.push(read(`--chart-${number}`));
    probe.remove();
    return found;
  };

  // Draws into `holder`; `spec` is {title, bars, times, series: [{name, values, failed}], step, utc}, `on` is {zoom(from, to), point(series, place)}.
  // Answers what takes it away again.
  window.quipuChart = (holder, spec, on) => {
    let plot = null;
    let only = null;
    // Read when the chart is drawn: asking the browser at every move of the pointer would make it work out styles anew.
    let palette = null;
    const legend = element("div", "legend");
    legend.setAttribute("role", "group");
    legend.setAttribute("aria-label", "Legend: press an entry to see it alone");
    const stage = element("div", "chart-stage");
    stage.setAttribute("role", "img");
    stage.setAttribute("aria-label", `${spec.title}. The same values stand below as a table.`);
    const tip = element("div", "chart-tip");
    tip.hidden = true;
    holder.replaceChildren(legend, stage);

    const shown = () => spec.series.map((series, number) => ({ ...series, number })).filter(({ number }) => only === null || only === number);
    const colour = (series) => (series.failed ? palette.failed : palette.list[series.number % COLOURS]);
    const gaps = (values) => Array.from(values, (value) => (Number.isNaN(value) ? null : value));

    const drawLegend = () => {
      legend.replaceChildren(
        ...spec.series.map((series, number) => {
          const entry = element("button", "legend-entry");
          const sign = element("i", spec.bars ? "legend-box" : "legend-line");
          sign.style.background = colour({ ...series, number });
          entry.type = "button";
          entry.append(sign, document.createTextNode(series.name));
          entry.setAttribute("aria-pressed", String(only === number));
          entry.onclick = () => {
            only = only === number ? null : number;
            draw();
            legend.children[number]?.focus();
          };
          return entry;
        }),
      );
    };

    const draw = () => {
      plot?.destroy();
      palette = colours(holder);
      drawLegend();
      const list = shown();
      // Bars stand on top of each other: what is drawn is the sum up to each, the whole stack first.
      const sums = [];
      let below = new Float64Array(spec.times.length);
      for (const series of list) {
        below = spec.bars ? below.map((sum, place) => sum + (series.values[place] || 0)) : series.values;
        sums.push(below);
      }
      const order = list.map((series, place) => ({ series, values: gaps(sums[place]) }));
      if (spec.bars) order.reverse();
      const path = spec.bars ? uPlot.paths.bars({ size: [0.88, 80], align: -1 }) : undefined;
      const single = spec.times.length === 1;
      const describe = ({ series }) => ({
        label: series.name,
        stroke: colour(series),
        fill: spec.bars ? colour(series) : undefined,
        width: spec.bars ? 0 : 1.5,
        dash: spec.bars ? undefined : DASHES[Math.floor(series.number / COLOURS) % DASHES.length],
        paths: path,
        points: { show: !spec.bars && spec.times.length < 60, size: 4 },
      });
      const axis = { stroke: palette.ink, space: 64, grid: { stroke: palette.grid, width: 1 }, ticks: { stroke: palette.grid, width: 1, size: 4 }, font: "11px system-ui" };
      const first = spec.times[0];
      const last = spec.times[spec.times.length - 1];
      plot = new uPlot(
        {
          width: Math.max(holder.clientWidth, 120),
          height: HEIGHT,
          legend: { show: false },
          tzDate: spec.utc ? (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : undefined,
          scales: {
            x: { range: () => (spec.bars || single ? [first - spec.step, last + (single ? spec.step : 0)] : [first, last]) },
            y: { range: (_, least, most) => (spec.bars || least >= 0 ? [0, most > 0 ? most * 1.06 : 1] : uPlot.rangeNum(least, most, 0.1, true)) },
          },
          axes: [{ ...axis, values: (_, ticks, __, ___, step) => labels(ticks, step) }, { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => short.format(tick)) }],
          series: [{}, ...order.map(describe)],
          cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { show: !spec.bars } },
          hooks: {
            setSelect: [
              (self) => {
                const { left, width } = self.select;
                if (width < 4) return;
                const [from, to] = [self.posToVal(left, "x"), self.posToVal(left + width, "x")];
                self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
                on.zoom(from, to);
              },
            ],
            setCursor: [(self) => point(self, order)],
          },
        },
        [Array.from(spec.times), ...order.map(({ values }) => values)],
        stage,
      );
      plot.over.append(tip);
      plot.over.addEventListener("mouseleave", () => (tip.hidden = true));
      plot.over.addEventListener("click", () => {
        const at = nearest(plot, order);
        if (at) on.point(at.series.number, at.place);
      });
    };

    // Clock times; the day where it is another one than before.
    const labels = (ticks, step) => {
      let day = "";
      return ticks.map((tick) => {
        const [date, time] = clock(tick, spec.utc).split(" ");
        const fraction = step < 1 ? (tick % 1).toFixed(3).slice(1) : "";
        const text = step >= 86400 ? date : `${step >= 60 ? time.slice(0, 5) : time}${fraction}`;
        const line = step >= 86400 || date === day ? "" : `\n${date}`;
        day = date;
        return text + line;
      });
    };

    // The time a pointer is at: bars reach back from their end.
    const place = (self) => {
      const { left } = self.cursor;
      if (left === undefined || left < 0) return null;
      if (!spec.bars) return self.cursor.idx;
      const at = self.posToVal(left, "x");
      const found = spec.times.findIndex((end) => end >= at);
      return found < 0 ? null : found;
    };
    // The series a pointer is at: the part of the stack, or the nearest line.
    const nearest = (self, order) => {
      const here = place(self);
      if (here === null) return null;
      const height = self.posToVal(self.cursor.top, "y");
      let found = null;
      for (const { series, values } of order) {
        const value = values[here];
        if (value === null || (spec.bars && (!series.values[here] || value < height))) continue;
        const away = Math.abs(value - height);
        if (!found || (spec.bars ? value < found.value : away < found.away)) found = { series, place: here, value, away };
      }
      return found;
    };
    const point = (self, order) => {
      const here = place(self);
      tip.hidden = here === null;
      if (here === null) return;
      const rows = shown()
        .filter((series) => !Number.isNaN(series.values[here]) && !(spec.bars && series.values[here] === 0))
        .sort((one, other) => other.values[here] - one.values[here])
        .slice(0, 12);
      const at = nearest(self, order)?.series.number;
      tip.replaceChildren(
        element("strong", "", clock(spec.times[here], spec.utc)),
        ...rows.map((series) => {
          const row = element("span", series.number === at ? "tip-row tip-here" : "tip-row");
          const sign = element("i", "legend-box");
          sign.style.background = colour(series);
          row.append(sign, element("span", "tip-name", series.name), element("span", "number", figures.format(series.values[here])));
          return row;
        }),
      );
      const { left } = self.cursor;
      const right = left > self.over.clientWidth / 2;
      tip.style.left = right ? "" : `${left + 12}px`;
      tip.style.right = right ? `${self.over.clientWidth - left + 12}px` : "";
    };

    draw();
    const sizes = new ResizeObserver(() => {
      const width = holder.clientWidth;
      if (plot && width > 0 && Math.abs(width - plot.width) > 1) plot.setSize({ width, height: HEIGHT });
    });
    sizes.observe(holder);
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => {
      sizes.disconnect();
      theme.disconnect();
      scheme.removeEventListener("change", draw);
      plot?.destroy();
      holder.replaceChildren();
    };
  };
})();
