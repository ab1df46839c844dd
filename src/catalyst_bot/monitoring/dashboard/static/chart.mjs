// The equity curve: green above the starting equity, red below, in local time.

import { BaselineSeries, createChart, CrosshairMode, LineStyle } from "./lightweight-charts.mjs";
import { byId, press } from "./dom.mjs";
import * as as from "./format.mjs";

const DAY_S = 86_400;

/** Draw into the page's plot; returns `{ replace(points, start), add(points, start) }`. */
export function equityChart() {
  const plot = byId("plot");
  const chart = createChart(plot, { autoSize: true, layout: { attributionLogo: false } });
  const series = chart.addSeries(BaselineSeries, { lineWidth: 2, priceLineVisible: false, lastValueVisible: true });
  const bySecond = new Map();
  let days = 0;
  let start = 0;

  function dress() {
    const css = getComputedStyle(document.documentElement);
    const colour = (name) => css.getPropertyValue(name).trim();
    const grid = { color: colour("--line-soft") };
    chart.applyOptions({
      layout: { background: { color: "transparent" }, textColor: colour("--dim"), fontSize: 11, fontFamily: css.fontFamily },
      grid: { vertLines: { visible: false }, horzLines: grid },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.06 } },
      timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false, tickMarkFormatter: tick, minBarSpacing: 0.01, fixLeftEdge: true, fixRightEdge: true },
      crosshair: { mode: CrosshairMode.Magnet, vertLine: { color: colour("--dim"), style: LineStyle.Dotted }, horzLine: { color: colour("--dim"), style: LineStyle.Dotted } },
      localization: { timeFormatter: (time) => as.dayAndClock(time * 1000), priceFormatter: (value) => as.money(value, { digits: 0 }) },
      handleScroll: { mouseWheel: false, vertTouchDrag: false },
      handleScale: { mouseWheel: false },
    });
    series.applyOptions({
      baseValue: { type: "price", price: start },
      topLineColor: colour("--up"), topFillColor1: colour("--up-fill"), topFillColor2: "transparent",
      bottomLineColor: colour("--down"), bottomFillColor1: "transparent", bottomFillColor2: colour("--down-fill"),
    });
  }

  function frame() {
    const times = [...bySecond.keys()];
    if (!times.length) return;
    const last = times.at(-1);
    const from = days ? times.find((time) => time >= last - days * DAY_S) : times[0];
    if (from === last || from === times[0]) chart.timeScale().fitContent();
    else chart.timeScale().setVisibleRange({ from, to: last });
    describe(times.filter((time) => time >= from));
  }

  function describe(times) {
    const values = times.map((time) => bySecond.get(time));
    byId("chart-summary").textContent =
      `low ${as.money(Math.min(...values), { digits: 0 })} · high ${as.money(Math.max(...values), { digits: 0 })} · started at ${as.money(start, { digits: 0 })}`;
  }

  function showEmpty() {
    byId("chart-empty").hidden = bySecond.size > 0;
    plot.classList.toggle("bare", bySecond.size === 0);
  }

  const second = (point) => Math.floor(Date.parse(point.at) / 1000);

  byId("ranges").addEventListener("click", ({ target }) => {
    if (target.tagName !== "BUTTON") return;
    press(byId("ranges"), target);
    days = Number(target.dataset.days);
    frame();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);

  return {
    replace(points, startUsd) {
      start = Number(startUsd ?? points[0]?.equity_usd ?? 0);
      bySecond.clear();
      for (const point of points) bySecond.set(second(point), Number(point.equity_usd));
      showEmpty();
      dress();
      series.setData([...bySecond].map(([time, value]) => ({ time, value })));
      frame();
    },
    add(points, startUsd) {
      if (startUsd != null && Number(startUsd) !== start) {
        start = Number(startUsd);
        dress();
      }
      const last = [...bySecond.keys()].at(-1) ?? 0;
      for (const point of points) {
        const time = second(point);
        if (time < last) continue;
        bySecond.set(time, Number(point.equity_usd));
        series.update({ time, value: Number(point.equity_usd) });
      }
      showEmpty();
      frame();
    },
  };
}

function tick(time, kind) {
  return kind < 3 ? as.day(time * 1000) : as.shortClock(time * 1000);
}
