// The home page: the chart of the day, and clocks of calls that go on.
(() => {
  const box = document.getElementById("chart");
  const day = box && JSON.parse(document.getElementById("hours").textContent);
  let chart;

  /** Hours worth showing: the working day, and whatever lies outside it and is not empty. */
  const range = () => {
    const busy = [...Array(24).keys()].filter(hour => day.answered[hour] + day.gave_up[hour] + (day.usual?.[hour] || 0) > 0);
    return [Math.min(7, day.now, ...busy), Math.max(18, day.now, ...busy)];
  };

  const draw = async () => {
    if (!box) return;
    await document.fonts.load("500 12px Inter");
    chart?.dispose();
    chart = echarts.init(box, null, { renderer: "svg" });
    const c = cms.colour, [first, last] = range(), cut = list => list.slice(first, last + 1);
    const axis = { axisLabel: { color: c("--text-2"), fontSize: 11 }, axisLine: { lineStyle: { color: c("--line-strong") } }, axisTick: { show: false }, splitLine: { lineStyle: { color: c("--line") } } };
    const bar = (name, data, color, radius) => ({ name, type: "bar", stack: "calls", barWidth: "52%", data: cut(data), itemStyle: { color, borderRadius: radius } });
    const series = [bar("Answered", day.answered, c("--f-running"), 0), bar("Gave up", day.gave_up, c("--f-incident"), [2, 2, 0, 0])];
    if (day.usual) series.push({ name: "Usual", type: "line", symbol: "none", smooth: 0.3, data: cut(day.usual), lineStyle: { type: "dashed", width: 1.5, color: c("--text-2") }, itemStyle: { color: c("--text-2") } });
    chart.setOption({
      animation: false, textStyle: { fontFamily: "Inter" }, grid: { left: 34, right: 8, top: 30, bottom: 22 },
      tooltip: { trigger: "axis", backgroundColor: c("--raised"), borderColor: c("--line-strong"), textStyle: { color: c("--text"), fontSize: 12 } },
      legend: { right: 0, top: 0, itemWidth: 10, itemHeight: 10, itemGap: 14, textStyle: { color: c("--text-2"), fontSize: 11 }, data: series.map(item => item.name) },
      xAxis: { type: "category", data: cut([...Array(24).keys()]).map(hour => String(hour).padStart(2, "0")), ...axis, splitLine: { show: false } },
      yAxis: { type: "value", minInterval: 1, splitNumber: 3, ...axis, axisLine: { show: false } },
      series,
    });
  };
  draw();
  addEventListener("resize", () => chart?.resize());
  addEventListener("cms-theme", draw);

  setInterval(() => document.querySelectorAll("[data-since]").forEach(at => {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(at.dataset.since)) / 1000));
    at.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }), 1000);
})();
