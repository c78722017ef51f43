// The zoomable flush timeline. Runs in the page; one module without imports, inlined as it is.
// The data are made by sections/timeline-data.ts, whose types these are.

/// <reference types="uplot" />

interface Kept {
  readonly number: number;
  readonly startNs: number;
  readonly title: string;
  readonly facts: readonly (readonly [name: string, text: string])[];
  /** Instructions by policy: what decides the nearest one on a click. */
  readonly weights: Readonly<Record<string, number>>;
  readonly events: readonly {
    readonly place: string;
    readonly text: string;
  }[];
}

interface TimelineData {
  readonly binNs: number;
  readonly bins: number;
  readonly policies: readonly string[];
  /** Path and primitive of each key. */
  readonly keys: readonly (readonly [path: string, primitive: string])[];
  readonly measures: readonly string[];
  /** By policy, key and measure: pairs of bin and number. */
  readonly series: readonly (readonly (readonly (readonly number[])[])[])[];
  readonly kept: readonly Kept[];
  readonly phases: readonly {
    readonly name: string;
    /** Without the number of a pass. */
    readonly kind: string;
    readonly startNs: number;
    readonly endNs: number;
  }[];
}

interface Elements {
  readonly plot: HTMLElement;
  readonly policy: HTMLSelectElement;
  readonly colour: HTMLSelectElement;
  readonly measure: HTMLSelectElement;
  readonly kept: HTMLSelectElement;
  readonly detail: HTMLElement;
  readonly view: HTMLElement;
}

type Plot = InstanceType<typeof uPlot>;

/** Time before the VM of the phases is seen. */
const BEFORE = "before";

const block = document.getElementById("timeline-data");
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same program has written it
if (block !== null) start(JSON.parse(block.textContent ?? "null") as TimelineData);

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page lacks #${id}`);
  return found;
}

function chooser(id: string): HTMLSelectElement {
  const found = element(id);
  if (!(found instanceof HTMLSelectElement)) throw new Error(`#${id} is no select`);
  return found;
}

function start(data: TimelineData): void {
  const on: Elements = {
    plot: element("timeline-plot"),
    policy: chooser("timeline-policy"),
    colour: chooser("timeline-colour"),
    measure: chooser("timeline-measure"),
    kept: chooser("timeline-kept"),
    detail: element("timeline-detail"),
    view: element("timeline-view"),
  };
  const last = data.bins * data.binNs * 1e-9;
  let range: [number, number] = [0, last];
  let selected = -1;
  let plot = draw();

  function draw(): Plot {
    on.plot.replaceChildren();
    const made = makePlot(data, on, range, {
      selected: () => selected,
      moved: (from, to) => {
        range = [from, to];
        listKept();
      },
      clicked: (seconds) => select(nearest(seconds)),
    });
    return made;
  }

  function redraw(): void {
    plot.destroy();
    plot = draw();
    listKept();
  }

  function zoom(from: number, to: number): void {
    const width = Math.min(last, Math.max(data.binNs * 4e-9, to - from));
    const begin = Math.min(Math.max(0, from), last - width);
    plot.setScale("x", { min: begin, max: begin + width });
  }

  function zoomBy(factor: number): void {
    const middle = (range[0] + range[1]) / 2;
    const half = ((range[1] - range[0]) / 2) * factor;
    zoom(middle - half, middle + half);
  }

  function pan(share: number): void {
    const by = (range[1] - range[0]) * share;
    zoom(range[0] + by, range[1] + by);
  }

  function inView(): readonly number[] {
    return data.kept.flatMap(({ startNs }, i) =>
      startNs * 1e-9 >= range[0] && startNs * 1e-9 <= range[1] ? [i] : [],
    );
  }

  /** Of those close to a click the one with the most instructions, else the closest. */
  function nearest(seconds: number): number {
    const policy = on.policy.value;
    const reach = (range[1] - range[0]) * 0.02;
    let best = -1;
    for (const [i, one] of data.kept.entries()) {
      if (Math.abs(one.startNs * 1e-9 - seconds) > reach) continue;
      if (best < 0 || (one.weights[policy] ?? 0) > (data.kept[best]?.weights[policy] ?? 0))
        best = i;
    }
    if (best >= 0) return best;
    const distance = (i: number): number => Math.abs((data.kept[i]?.startNs ?? 0) * 1e-9 - seconds);
    for (const i of data.kept.keys()) if (best < 0 || distance(i) < distance(best)) best = i;
    return best;
  }

  function select(at: number): void {
    if (at < 0) return;
    selected = at;
    on.kept.value = String(at);
    showDetail(on.detail, data.kept[at]);
    plot.redraw(false);
  }

  function listKept(): void {
    const visible = inView();
    const options = visible.map((i) => {
      const option = document.createElement("option");
      option.value = String(i);
      option.textContent = data.kept[i]?.title ?? "";
      return option;
    });
    const none = document.createElement("option");
    none.value = "-1";
    none.textContent = `${visible.length} in view: choose one`;
    on.kept.replaceChildren(none, ...options);
    on.kept.value = visible.includes(selected) ? String(selected) : "-1";
    on.view.textContent = `${secondsText(range[0])} to ${secondsText(range[1])} of ${secondsText(last)}`;
  }

  /** The next kept operation in time, or the one before, brought into view. */
  function step(by: 1 | -1): void {
    const at = selected < 0 ? (by > 0 ? 0 : data.kept.length - 1) : selected + by;
    const one = data.kept[at];
    if (one === undefined) return;
    const seconds = one.startNs * 1e-9;
    const half = (range[1] - range[0]) / 2;
    if (seconds < range[0] || seconds > range[1]) zoom(seconds - half, seconds + half);
    select(at);
  }

  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => pan(-0.2),
    ArrowRight: () => pan(0.2),
    "+": () => zoomBy(0.5),
    "=": () => zoomBy(0.5),
    "-": () => zoomBy(2),
    "0": () => zoom(0, last),
    Home: () => zoom(0, last),
    n: () => step(1),
    p: () => step(-1),
  };
  on.plot.addEventListener("keydown", (event) => {
    const action = keys[event.key];
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
  const buttons: Readonly<Record<string, () => void>> = {
    "timeline-in": () => zoomBy(0.5),
    "timeline-out": () => zoomBy(2),
    "timeline-left": () => pan(-0.2),
    "timeline-right": () => pan(0.2),
    "timeline-all": () => zoom(0, last),
  };
  for (const [id, action] of Object.entries(buttons)) element(id).addEventListener("click", action);
  for (const control of [on.policy, on.colour, on.measure]) {
    control.addEventListener("change", redraw);
  }
  on.kept.addEventListener("change", () => select(Number(on.kept.value)));
  for (const link of document.querySelectorAll<HTMLElement>("[data-operation]")) {
    link.addEventListener("click", () => {
      const at = data.kept.findIndex(({ number }) => String(number) === link.dataset["operation"]);
      const seconds = (data.kept[at]?.startNs ?? 0) * 1e-9;
      zoom(seconds - last / 40, seconds + last / 40);
      select(at);
      element("timeline").scrollIntoView();
      on.plot.focus({ preventScroll: true });
    });
  }
  new ResizeObserver(() => {
    plot.setSize({ width: on.plot.clientWidth, height: heightOf(on.plot) });
  }).observe(on.plot);
  matchMedia("(prefers-color-scheme:dark)").addEventListener("change", redraw);
  document.addEventListener("themechange", redraw);
  listKept();
}

interface PlotHandlers {
  selected(): number;
  moved(from: number, to: number): void;
  clicked(seconds: number): void;
}

function makePlot(
  data: TimelineData,
  on: Elements,
  range: readonly [number, number],
  handlers: PlotHandlers,
): Plot {
  const groups = groupsOf(data, on.policy.value, on.colour.value, Number(on.measure.value));
  const ink = colour("--soft");
  const axis = {
    stroke: ink,
    grid: { stroke: colour("--grid") },
    ticks: { stroke: colour("--line") },
  };
  const seconds = Float64Array.from({ length: data.bins }, (_, i) => i * data.binNs * 1e-9);
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const plot = new uPlot(
    {
      width: on.plot.clientWidth,
      // Names of phases stand above the plot, where no line crosses them.
      ...(data.phases.length === 0
        ? {}
        : { padding: [20, null, null, null] satisfies uPlot.Padding }),
      height: heightOf(on.plot),
      scales: {
        x: { time: false, min: range[0], max: range[1] },
        y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] },
      },
      axes: [
        { ...axis, label: "seconds since the trace's first event", labelSize: 22, size: 42 },
        { ...axis, size: 62, values: (_, ticks) => ticks.map(shortNumber) },
      ],
      cursor: { drag: { x: true, y: false }, points: { show: false } },
      legend: { live: true },
      series: [
        {
          label: "time",
          value: (_, value: number | null) => (value === null ? "–" : secondsText(value)),
        },
        ...groups.map(({ name, own }, g) => ({
          label: name,
          stroke: colour(`--s${(g % 8) + 1}`),
          fill: colour(`--s${(g % 8) + 1}`),
          width: 1,
          points: { show: false },
          ...(stepped === undefined ? {} : { paths: stepped }),
          value: (_: Plot, __: number | null, ___: number, index: number | null): string =>
            index === null ? "–" : shortNumber(own[index] ?? 0),
        })),
      ],
      hooks: {
        setScale: [
          (self, key) => {
            const { min, max } = self.scales["x"] ?? {};
            if (key === "x" && min !== undefined && max !== undefined) handlers.moved(min, max);
          },
        ],
        drawClear: [(self) => drawPhases(self, data)],
        draw: [(self) => drawKept(self, data, handlers.selected())],
      },
    },
    [seconds, ...groups.map(({ stacked }) => stacked)],
    on.plot,
  );
  plot.over.addEventListener("click", () => {
    const { left } = plot.cursor;
    if (left !== undefined && left >= 0 && plot.select.width < 3) {
      handlers.clicked(plot.posToVal(left, "x"));
    }
  });
  return plot;
}

interface Group {
  readonly name: string;
  readonly own: Float64Array;
  /** On top of the groups behind it: drawn from the tallest to the lowest. */
  readonly stacked: Float64Array;
}

function groupsOf(data: TimelineData, policy: string, by: string, measure: number): Group[] {
  const series = data.series[data.policies.indexOf(policy)] ?? [];
  const sums = new Map<string, Float64Array>();
  const sumOf = (name: string): Float64Array => {
    const sum = sums.get(name) ?? new Float64Array(data.bins);
    sums.set(name, sum);
    return sum;
  };
  const kinds = by === "phase" ? phaseOfBins(data) : [];
  for (const kind of new Set(kinds)) if (kind !== BEFORE) sumOf(kind);
  for (const [k, [path, primitive]] of data.keys.entries()) {
    const pairs = series[k]?.[measure] ?? [];
    const whole = by === "phase" ? undefined : sumOf(by === "path" ? path : primitive);
    for (let i = 0; i < pairs.length; i += 2) {
      const bin = pairs[i] ?? 0;
      const sum = whole ?? sumOf(kinds[bin] ?? "");
      sum[bin]! += pairs[i + 1] ?? 0;
    }
  }
  const names = [...sums.keys()];
  const groups = names.map((name, n): Group => {
    const stacked = new Float64Array(data.bins);
    for (const behind of names.slice(n)) {
      const sum = sums.get(behind);
      for (let i = 0; i < stacked.length; i += 1) stacked[i]! += sum?.[i] ?? 0;
    }
    return { name, own: sums.get(name) ?? stacked, stacked };
  });
  return groups;
}

/** The phase in which the middle of each bin lies. */
function phaseOfBins({ bins, binNs, phases }: TimelineData): readonly string[] {
  let at = 0;
  return Array.from({ length: bins }, (_, bin) => {
    const middle = (bin + 0.5) * binNs;
    while (at + 1 < phases.length && middle >= (phases[at + 1]?.startNs ?? 0)) at += 1;
    const phase = phases[at];
    return phase !== undefined && middle >= phase.startNs ? phase.kind : BEFORE;
  });
}

function drawPhases(plot: Plot, { phases }: TimelineData): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  for (const [i, { name, startNs, endNs }] of phases.entries()) {
    const left = Math.max(bbox.left, plot.valToPos(startNs * 1e-9, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(endNs * 1e-9, "x", true));
    if (right <= left) continue;
    ctx.globalAlpha = i % 2 === 0 ? 0.35 : 0.7;
    ctx.fillStyle = colour("--grid");
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.globalAlpha = 1;
    ctx.fillStyle = colour("--soft");
    if (right - left > ctx.measureText(name).width) {
      ctx.fillText(name, left + 4, bbox.top - 5 * devicePixelRatio);
    }
  }
  ctx.restore();
}

/** A mark on the time axis for each operation that can be opened. */
function drawKept(plot: Plot, { kept }: TimelineData, selected: number): void {
  const { ctx, bbox } = plot;
  const size = 4 * devicePixelRatio;
  const bottom = bbox.top + bbox.height;
  ctx.save();
  for (const [i, { startNs }] of kept.entries()) {
    const x = plot.valToPos(startNs * 1e-9, "x", true);
    if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) continue;
    const isSelected = i === selected;
    ctx.fillStyle = colour(isSelected ? "--bad" : "--ink");
    ctx.beginPath();
    ctx.moveTo(x, bottom - (isSelected ? 3 : 1.6) * size);
    ctx.lineTo(x + size, bottom);
    ctx.lineTo(x - size, bottom);
    ctx.fill();
    if (isSelected)
      ctx.fillRect(x - 0.5 * devicePixelRatio, bbox.top, devicePixelRatio, bbox.height);
  }
  ctx.restore();
}

function showDetail(into: HTMLElement, kept: Kept | undefined): void {
  into.replaceChildren();
  if (kept === undefined) return;
  const heading = document.createElement("h3");
  heading.textContent = kept.title;
  const list = document.createElement("dl");
  list.className = "facts";
  for (const [name, text] of kept.facts) {
    const box = document.createElement("div");
    const term = document.createElement("dt");
    const value = document.createElement("dd");
    term.textContent = name;
    value.textContent = text;
    box.append(term, value);
    list.append(box);
  }
  const lines = document.createElement("pre");
  lines.tabIndex = 0;
  lines.setAttribute("role", "region");
  lines.setAttribute("aria-label", "Events and trace lines of this operation");
  lines.textContent = kept.events.map(({ place, text }) => `${place}  ${text}`).join("\n");
  into.append(heading, list, lines);
  into.hidden = false;
}

function heightOf(plot: HTMLElement): number {
  return plot.clientWidth < 500 ? 260 : 320;
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function shortNumber(value: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(
    value,
  );
}

function secondsText(seconds: number): string {
  if (seconds === 0) return "0 s";
  if (seconds < 1e-3) return `${Number((seconds * 1e6).toPrecision(4))} µs`;
  if (seconds < 1) return `${Number((seconds * 1e3).toPrecision(4))} ms`;
  return `${Number(seconds.toPrecision(5))} s`;
}
