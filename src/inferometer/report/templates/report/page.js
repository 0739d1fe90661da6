// Page: charts come to life as they come near; filters, sorting, downloads, paper.

const KINDS = { timeline, distribution, rates, completion, depth, sizes, stages };

async function enhance(figure) {
  const source = sourceOf(figure.parentElement.dataset.source);
  const chart = await allUnpacked(source.charts[figure.dataset.chart]);
  const rows = chart.kind === "timeline" && source.raw ? await source.rows() : null;
  new Plot(figure, KINDS[chart.kind](chart, rows));
}

// Charts come to life as they come near; a browser that can't unpack keeps the pictures.
function watchFigures() {
  if (!("DecompressionStream" in window && "ResizeObserver" in window)) return;
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      watch.unobserve(target);
      enhance(target);
    }
  }, { rootMargin: "400px" });
  document.querySelectorAll("figure[data-chart]").forEach((figure) => watch.observe(figure));
}

function watchFilter() {
  const form = document.getElementById("filter");
  const tests = [...document.querySelectorAll("section.test")];
  const findings = [...document.querySelectorAll(".findings li[data-severity]")];
  const fields = ["scenario", "mode", "good"];
  for (const name of ["scenario", "mode"]) {
    for (const option of [...form.elements[name].options]) {
      if (option.value && !tests.some((test) => test.dataset[name] === option.value)) option.remove();
    }
  }
  const graver = { "": ["error", "warning", "info"], warning: ["error", "warning"], error: ["error"], none: [] };

  function update() {
    for (const test of tests) {
      test.hidden = fields.some((name) => form.elements[name].value && test.dataset[name] !== form.elements[name].value);
      const entry = document.querySelector(`.contents [data-for="${CSS.escape(test.id)}"]`);
      if (entry) entry.hidden = test.hidden;
    }
    for (const found of findings) found.hidden = !graver[form.elements.severity.value].includes(found.dataset.severity);
    const shownTests = tests.filter((test) => !test.hidden).length;
    const own = findings.filter((found) => !found.closest(".short"));
    const shownFindings = own.filter((found) => !found.hidden && !found.closest("[hidden]")).length;
    document.getElementById("shown").textContent = `${shownTests} of ${tests.length} tests and ${shownFindings} of ${own.length} findings are shown.`;
  }

  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(update));
  // A link to a test that is filtered away brings it back.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const target = link && document.getElementById(link.getAttribute("href").slice(1));
    if (target?.hidden) {
      form.reset();
      update();
    }
  });
  update();
}

function watchTables() {
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const text = head.textContent;
      head.textContent = "";
      make(head, "button", { type: "button", class: "sort" }, text).addEventListener("click", () => {
        const isDown = head.getAttribute("aria-sort") !== "descending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
        const valueOf = (row) => Number(row.cells[column].dataset.value);
        const rows = [...table.tBodies[0].rows].sort((one, other) => (isDown ? -1 : 1) * (valueOf(one) - valueOf(other)));
        table.tBodies[0].append(...rows);
      });
    });
  }
}

function watchDownloads() {
  for (const place of document.querySelectorAll(".download")) {
    const source = sourceOf(place.dataset.source);
    const noun = source.raw.noun === "query" ? "queries" : "samples";
    make(place, "button", { type: "button" }, `Download CSV (${many(source.raw.count)} ${noun})`).addEventListener("click", async () => {
      const link = make(place, "a", { href: URL.createObjectURL(await table(source)), download: `${source.name}.csv`, hidden: "" });
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
}

// Nothing stands for what never happened or wasn't told.
async function table(source) {
  const { noun, count, columns } = await source.rows();
  const names = Object.keys(columns);
  const lines = [[noun, ...names].join(",")];
  for (let row = 0; row < count; row++) {
    lines.push(`${row},${names.map((name) => (columns[name][row] < 0 ? "" : columns[name][row])).join(",")}`);
  }
  return new Blob([lines.join("\n"), "\n"], { type: "text/csv" });
}

// On paper nothing is folded.
function watchPrinting() {
  const folded = () => document.querySelectorAll("details:not([open])");
  let opened = [];
  const open = () => {
    opened = [...opened, ...folded()];
    opened.forEach((details) => { details.open = true; });
  };
  const close = () => {
    opened.forEach((details) => { details.open = false; });
    opened = [];
  };
  addEventListener("beforeprint", open);
  addEventListener("afterprint", close);
  matchMedia("print").addEventListener("change", (event) => (event.matches ? open() : close()));
}

watchFilter();
watchTables();
watchDownloads();
watchPrinting();
watchFigures();
