// Starts the page, and connects its controls.

const MOST_PRINTED = 300; // sentences on paper

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").value = theme;
}

function setLanguage(wanted) {
  language = wanted;
  byId("language").value = wanted;
  translatePage();
  fillFilters();
  showCorrections();
  applyFilters();
}

function openHelp() {
  if (!byId("help").open) byId("help").showModal();
}

// Keys of the whole page; those of a sentence are for the one with the focus.
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const isTyping = event.target.matches("input, select, textarea");
  if (event.key === "Escape") {
    if (event.target === byId("search")) list.focus(0);
    else if (list.open !== null) list.toggle(list.view.indexOf(list.open));
    return;
  }
  if (isTyping) return;
  const actions = { "/": () => byId("search").focus(), "?": openHelp, e: exportPatch, j: () => list.focus(list.focused + 1), k: () => list.focus(Math.max(0, list.focused - 1)) };
  if (list.box.contains(event.target)) {
    Object.assign(actions, { ArrowDown: actions.j, ArrowUp: actions.k, Home: () => list.focus(0), End: () => list.focus(list.view.length - 1) });
    const at = list.focused;
    const row = ROWS[list.view[at]];
    if (row) {
      actions.d = () => { toggleDrop(row); list.redraw(at); };
      actions.u = () => { undoSentence(row); list.redraw(at); };
      if (event.target.matches("article")) actions.Enter = () => list.toggle(at);
    }
  }
  if (Object.hasOwn(actions, event.key)) {
    event.preventDefault();
    actions[event.key]();
  }
}

function fillPrinted() {
  const open = list.open;
  list.open = null;
  byId("printed").replaceChildren(...list.view.slice(0, MOST_PRINTED).map((number, at) => {
    const article = articleOf(number, at);
    article.querySelector("[id]")?.removeAttribute("id");
    return article;
  }));
  list.open = open;
}

let waiting;
function soon(action) {
  clearTimeout(waiting);
  waiting = setTimeout(action, 120);
}

function start() {
  byId("label-names").append(...DATA.labels.map((label) => make("option", { value: label })));
  restoreCorrections();
  setTheme(kept.read("theme") ?? "auto");
  setLanguage(DATA.texts[kept.read("language")] ? kept.read("language") : DATA.language);
  byId("theme").addEventListener("change", (event) => { setTheme(event.target.value); kept.write("theme", event.target.value); });
  byId("language").addEventListener("change", (event) => { kept.write("language", event.target.value); setLanguage(event.target.value); });
  byId("search").addEventListener("input", () => soon(applyFilters));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const name of [...FILTERS.map((one) => "filter-" + one), "order"]) byId(name).addEventListener("change", applyFilters);
  for (const name of ["target", "entity", "pos"]) byId("show-" + name).addEventListener("change", () => list.refresh());
  byId("export").addEventListener("click", exportPatch);
  byId("forget").addEventListener("click", forgetCorrections);
  byId("help-button").addEventListener("click", openHelp);
  let isRendering = false;
  list.box.addEventListener("scroll", () => {
    if (isRendering) return;
    isRendering = true;
    requestAnimationFrame(() => { isRendering = false; list.render(); });
  });
  let width = list.box.clientWidth;
  new ResizeObserver(() => {
    if (list.box.clientWidth !== width) { width = list.box.clientWidth; list.refresh(); }
  }).observe(list.box);
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-picture]");
    if (button) saveChart(button.closest("figure"), button.dataset.picture);
  });
  addEventListener("beforeprint", fillPrinted);
  addEventListener("afterprint", () => byId("printed").replaceChildren());
  document.documentElement.dataset.ready = "true";
}

start();
