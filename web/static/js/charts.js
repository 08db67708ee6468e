// Draws what <figure data-chart='{…}'> says; a bar opens the list that it counts. The table below says the same.
const echarts = window.echarts;
const russian = document.documentElement.lang.startsWith("ru");
const narrow = matchMedia("(max-width: 640px)");
const PRINTED = { ink: "#000", line: "#ccc", paper: "#fff", accent: "#0b6e62", blue: "#1f5fbf", red: "#b3361f", amber: "#86560a", faint: "#aaa" };

function colours(printing) {
  if (printing) return PRINTED;
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return { ink: read("--ink-2"), line: read("--line"), paper: read("--paper"), accent: read("--accent"), blue: read("--blue"), red: read("--red"), amber: read("--amber"), faint: read("--line-strong") };
}

// What takes hours is drawn in hours, so that the axis has round numbers.
function scale(data) {
  if (data.unit === "money") return { by: 1, word: " ₽" };
  if (data.unit !== "minutes") return { by: 1, word: "" };
  const most = Math.max(...data.series.flatMap((one) => one.values.map((value) => value ?? 0)));
  return most >= 120 ? { by: 60, word: russian ? " ч" : " h" } : { by: 1, word: russian ? " мин" : " min" };
}

// On a phone the names of more than two series take several lines.
const legendHeight = (data) => (narrow.matches && data.series.length > 2 ? 14 + 20 * Math.ceil(data.series.length * 0.75) : 34);

function option(data, tone) {
  const { by, word } = scale(data);
  const names = { type: "category", data: data.names, inverse: !data.upright, axisTick: { show: false }, axisLine: { lineStyle: { color: tone.line } },
    axisLabel: { color: tone.ink, width: data.upright ? undefined : (narrow.matches ? 110 : 190), overflow: "truncate", hideOverlap: true, interval: data.upright ? "auto" : 0 } };
  const values = { type: "value", minInterval: data.unit === "count" ? 1 : undefined, splitNumber: narrow.matches ? 3 : 5,
    axisLabel: { color: tone.ink, formatter: (value) => String(value).replace(".", russian ? "," : ".") + word, hideOverlap: true }, splitLine: { lineStyle: { color: tone.line } } };
  return {
    animation: false,
    textStyle: { fontFamily: "Golos Text Variable, system-ui, sans-serif", color: tone.ink },
    aria: { enabled: true, label: { description: data.said } },
    legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 10, textStyle: { color: tone.ink, fontSize: 13 } },
    grid: { left: 4, right: 18, top: legendHeight(data), bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, confine: true, backgroundColor: tone.paper, borderColor: tone.line, textStyle: { color: tone.ink },
      formatter: (points) => {
        const box = document.createElement("div");
        box.append(data.names[points[0].dataIndex]);
        for (const point of points) {
          const line = document.createElement("div");
          line.textContent = `${point.seriesName}: ${data.series[point.seriesIndex].words[point.dataIndex]}`;
          box.append(line);
        }
        return box;
      } },
    xAxis: data.upright ? names : values,
    yAxis: data.upright ? values : names,
    series: data.series.map((one) => ({ type: "bar", name: one.name, data: one.values.map((value) => value === null ? null : value / by), stack: data.stacked ? "all" : undefined, color: tone[one.tone], barMaxWidth: 22, barGap: "10%",
      itemStyle: { borderRadius: data.stacked ? 0 : 2 }, cursor: "pointer", emphasis: { focus: "none" } })),
  };
}

for (const figure of document.querySelectorAll("figure[data-chart]")) {
  const data = JSON.parse(figure.dataset.chart);
  const place = figure.querySelector(".chart-place");
  place.style.height = `${data.upright ? 240 : 56 + data.names.length * (data.stacked ? 30 : 14 + 15 * data.series.length)}px`;
  const chart = echarts.init(place, null, { renderer: "svg", locale: russian ? "RU" : "EN" });
  const draw = (printing = false) => chart.setOption(option(data, colours(printing)), true);
  draw();
  chart.on("click", (point) => {
    const link = data.series[point.seriesIndex].links[point.dataIndex];
    if (link) location.assign(link);
  });
  new ResizeObserver(() => { chart.resize(); draw(); }).observe(place);
  new MutationObserver(() => draw()).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
  addEventListener("beforeprint", () => draw(true));
  addEventListener("afterprint", () => draw());
  place.dataset.drawn = "yes";
}
