"use strict";
(() => {
  // Every row already stands in the page; this only hides, sorts, counts and draws bars.
  const form = document.getElementById("need");
  const body = document.querySelector(".board tbody");
  const rows = [...body.rows];
  const heads = [...document.querySelectorAll(".board th[data-key]")];
  const headline = document.getElementById("found");
  const note = document.getElementById("note");
  const none = document.getElementById("none");
  const widen = document.getElementById("widen");
  const menus = ["accelerator", "kind", "framework", "precision", "division", "status", "submitter"];
  const byDefault = { key: "value", down: null };
  let sorting = { ...byDefault };

  document.documentElement.classList.add("js");

  const field = (name) => form.elements[name];
  const number = (text) => (text === "" ? NaN : Number(text));

  // What is asked, as a list of named tests of a row.
  function tests() {
    const found = [];
    for (const name of ["benchmark", "scenario"]) {
      const wanted = field(name).value;
      found.push({ name, fixed: true, text: wanted, holds: (row) => row.dataset[name] === wanted });
    }
    const limit = field("latency").value.trim() === "" ? NaN : Number(field("latency").value);
    if (limit >= 0) {
      found.push({ name: "latency", text: `within ${limit} ms`,
        holds: (row) => number(row.dataset.latency) <= limit });
    }
    for (const name of menus) {
      const wanted = field(name).value;
      if (wanted !== "") {
        const text = name === "accelerator" ? `${wanted} accelerator` : wanted;
        found.push({ name, text, holds: (row) => row.dataset[name] === wanted });
      }
    }
    if (field("reached").checked) {
      found.push({ name: "reached", text: "accuracy target reached",
        holds: (row) => row.dataset.reached === "yes" });
    }
    return found;
  }

  const meeting = (asked, without) =>
    rows.filter((row) => asked.every((test) => test.name === without || test.holds(row)));

  // Say behind each option how many results it would leave; those with none can't be chosen.
  function countOptions(asked) {
    const scenarios = asked.filter((test) => test.name === "benchmark");
    for (const name of ["scenario", ...menus]) {
      const there = name === "scenario" ? meeting(scenarios, name) : meeting(asked, name);
      for (const option of field(name).options) {
        if (option.value === "") continue;
        const count = there.filter((row) => row.dataset[name] === option.value).length;
        option.textContent = `${option.value} (${count})`;
        option.disabled = count === 0 && option.value !== field(name).value;
      }
    }
  }

  // A scenario that the benchmark has no result in gives way to one that it has.
  function settleScenario() {
    const there = new Set(rows.filter((row) => row.dataset.benchmark === field("benchmark").value)
      .map((row) => row.dataset.scenario));
    if (there.size && !there.has(field("scenario").value)) {
      const options = [...field("scenario").options];
      field("scenario").value = options.find((option) => there.has(option.value)).value;
    }
  }

  function compare(first, second) {
    const head = heads.find((one) => one.dataset.key === sorting.key);
    if (head.dataset.kind === "text") {
      const order = first.dataset[sorting.key].localeCompare(second.dataset[sorting.key], "en");
      return sorting.down ? -order : order;
    }
    const [a, b] = [number(first.dataset[sorting.key]), number(second.dataset[sorting.key])];
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return sorting.down ? b - a : a - b;
  }

  function sortRows(shown) {
    const isBest = sorting.key === "value" && sorting.down === null;
    if (sorting.down === null) sorting.down = shown.some((row) => row.dataset.better === "more");
    shown.sort((first, second) =>
      (isBest ? first.dataset.metric.localeCompare(second.dataset.metric, "en")
        || (first.dataset.valid === "no") - (second.dataset.valid === "no") : 0)
      || compare(first, second));
    for (const head of heads) {
      if (head.dataset.key === sorting.key) {
        head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
      } else {
        head.removeAttribute("aria-sort");
      }
    }
    if (isBest) sorting.down = null;
  }

  function drawBars(shown) {
    const most = new Map();
    for (const row of shown) {
      const value = number(row.dataset.value) || 0;
      most.set(row.dataset.metric, Math.max(most.get(row.dataset.metric) || 0, value));
    }
    for (const row of shown) {
      const share = (number(row.dataset.value) || 0) / (most.get(row.dataset.metric) || 1);
      row.querySelector(".fill").style.setProperty("--share", share.toFixed(4));
    }
  }

  function tell(shown, asked) {
    const texts = asked.map((test) => test.text).join(", ");
    headline.firstElementChild.textContent = `${shown.length} ${shown.length === 1 ? "result" : "results"}: ${texts}`;
    const metrics = new Map(shown.map((row) => [row.dataset.metric, row.dataset.better]));
    metrics.delete("");
    const words = [...metrics].map(([metric, better]) => `${metric}: ${better} is better`);
    note.textContent = words.join("; ") + (words.length > 1 ? ". Compare only results of one metric." : "");
    note.hidden = words.length === 0;
  }

  // If nothing is left, offer what to let go of, with what that would bring.
  function offer(shown, asked) {
    none.hidden = shown.length > 0;
    document.querySelector(".board").hidden = shown.length === 0;
    widen.replaceChildren();
    if (shown.length) return;
    for (const test of asked.filter((one) => !one.fixed)) {
      const count = meeting(asked, test.name).length;
      if (!count) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `drop “${test.text}”: ${count} ${count === 1 ? "result" : "results"}`;
      button.addEventListener("click", () => {
        if (test.name === "reached") field("reached").checked = false;
        else field(test.name).value = "";
        update();
        headline.focus();
      });
      const item = document.createElement("li");
      item.append(button);
      widen.append(item);
    }
  }

  function update() {
    settleScenario();
    const asked = tests();
    const shown = meeting(asked, null);
    sortRows(shown);
    countOptions(asked);
    const visible = new Set(shown);
    for (const row of rows) row.hidden = !visible.has(row);
    body.append(...shown);
    drawBars(shown);
    tell(shown, asked);
    offer(shown, asked);
    remember();
  }

  // The choice stands in the address, so that it can be passed on.
  function remember() {
    const words = new URLSearchParams();
    for (const name of ["benchmark", "scenario", "latency", ...menus]) {
      if (field(name).value !== "") words.set(name, field(name).value);
    }
    if (field("reached").checked) words.set("reached", "yes");
    try {
      history.replaceState(null, "", `#${words}`);
    } catch {
      // A page opened from some mail programs may not change its address; it works without.
    }
  }

  function recall() {
    const words = new URLSearchParams(location.hash.slice(1));
    for (const name of ["benchmark", "scenario", ...menus]) {
      const wanted = words.get(name);
      if (wanted !== null && [...field(name).options].some((option) => option.value === wanted)) {
        field(name).value = wanted;
      }
    }
    if (Number(words.get("latency")) > 0) field("latency").value = String(Number(words.get("latency")));
    field("reached").checked = words.get("reached") === "yes";
  }

  for (const head of heads) {
    head.querySelector("button").addEventListener("click", () => {
      const { key, kind } = head.dataset;
      if (sorting.key !== key) sorting = key === "value" ? { ...byDefault } : { key, down: key === "accuracy" };
      else sorting.down = head.getAttribute("aria-sort") !== "descending";
      update();
    });
  }
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    sorting = { ...byDefault };
    setTimeout(update);
  });
  headline.tabIndex = -1;
  if (rows.length) {
    recall();
    update();
  }
})();
