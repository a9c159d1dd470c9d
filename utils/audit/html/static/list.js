// A list of which only the visible sentences are in the page. Heights are estimated, and corrected when they are measured.

const MARGIN = 600; // pixels above and below the visible part that are in the page, too
const MOST_HEIGHT = 1.5e7; // browsers cannot scroll much further

const list = {
  box: byId("list"), space: byId("space"), view: [], heights: null, offsets: null, shown: new Map(), focused: -1, open: null, message: "",

  show(view) {
    this.view = view;
    this.focused = -1;
    this.box.scrollTop = 0;
    this.layOut();
  },

  layOut() {
    for (const article of this.shown.values()) article.remove();
    this.shown.clear();
    this.heights = Float64Array.from(this.view, (number) => this.estimate(number));
    this.offsets = new Float64Array(this.view.length + 1);
    this.place(0);
    this.render();
  },

  estimate(number) {
    const row = ROWS[number];
    const text = typeof row[TEXT] === "string" ? row[TEXT].length * WIDE : row[TEXT].reduce((sum, one) => sum + one.length * NARROW + GAP, 0);
    const width = this.box.clientWidth * (row[SOURCE] && this.box.clientWidth > 800 ? 0.5 : 1) - 40;
    return 60 + Math.ceil((text * 1.3) / Math.max(200, width)) * 58;
  },

  place(from) {
    for (let at = from; at < this.view.length; at += 1) this.offsets[at + 1] = this.offsets[at] + this.heights[at];
    this.space.style.height = `${Math.min(MOST_HEIGHT, this.offsets[this.view.length])}px`;
  },

  // The first sentence that ends below a height.
  firstAt(top) {
    let [low, high] = [0, this.view.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsets[middle + 1] <= top) low = middle + 1;
      else high = middle;
    }
    return low;
  },

  render() {
    if (this.box.clientHeight === 0) return;
    for (let round = 0; round < 4 && this.renderOnce(); round += 1);
    this.drop();
  },

  // Puts the visible sentences into the page; returns whether a height was not as expected.
  renderOnce() {
    const [top, bottom] = [this.box.scrollTop - MARGIN, this.box.scrollTop + this.box.clientHeight + MARGIN];
    const anchor = this.firstAt(this.box.scrollTop);
    const before = this.offsets[anchor] ?? 0;
    let changed = -1;
    for (let at = this.firstAt(Math.max(0, top)); at < this.view.length && this.offsets[at] < bottom; at += 1) {
      if (!this.shown.has(at)) this.insert(at);
    }
    for (const [at, article] of this.shown) {
      const height = article.offsetHeight + 10;
      if (Math.abs(height - this.heights[at]) > 0.5) {
        this.heights[at] = height;
        changed = changed < 0 ? at : Math.min(changed, at);
      }
    }
    if (changed >= 0) {
      this.place(changed);
      const moved = (this.offsets[anchor] ?? 0) - before;
      if (moved) this.box.scrollTop += moved;
    }
    for (const [at, article] of this.shown) article.style.top = `${this.offsets[at]}px`;
    return changed >= 0;
  },

  insert(at) {
    const article = articleOf(this.view[at], at);
    this.shown.set(at, article);
    const next = [...this.shown.keys()].filter((other) => other > at).sort((one, other) => one - other)[0];
    this.space.insertBefore(article, next === undefined ? null : this.shown.get(next));
  },

  drop() {
    const [top, bottom] = [this.box.scrollTop - 2 * MARGIN, this.box.scrollTop + this.box.clientHeight + 2 * MARGIN];
    for (const [at, article] of this.shown) {
      const isFar = this.offsets[at + 1] < top || this.offsets[at] > bottom;
      if (isFar && !article.contains(document.activeElement)) {
        article.remove();
        this.shown.delete(at);
      }
    }
  },

  focus(at) {
    if (at < 0 || at >= this.view.length) return;
    this.focused = at;
    const [top, height] = [this.offsets[at], this.heights[at]];
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + height > this.box.scrollTop + this.box.clientHeight) {
      this.box.scrollTop = Math.min(top, top + height - this.box.clientHeight);
    }
    this.render();
    this.shown.get(at)?.focus({ preventScroll: true });
  },

  // Draws one sentence again, and keeps the focus in it.
  redraw(at, message = "") {
    this.message = message;
    const old = this.shown.get(at);
    if (!old) return;
    const controls = [...old.querySelectorAll("button, input")];
    const active = controls.indexOf(document.activeElement);
    const wasInside = old.contains(document.activeElement);
    const article = articleOf(this.view[at], at);
    old.replaceWith(article);
    this.shown.set(at, article);
    this.render();
    if (wasInside) ([...article.querySelectorAll("button, input")][active] ?? article).focus({ preventScroll: true });
    this.message = "";
  },

  refresh() {
    const top = this.box.scrollTop;
    this.layOut();
    this.box.scrollTop = top;
    this.render();
  },

  toggle(at) {
    const before = this.open;
    this.open = this.open === this.view[at] ? null : this.view[at];
    const other = this.view.indexOf(before);
    if (before !== null && other >= 0 && other !== at) this.redraw(other);
    this.redraw(at);
  },
};

function doubtLine(row) {
  if (!row[DOUBT]) return null;
  const items = row[DOUBTS].map(([reason, ...details]) => make("li", {}, t("reason." + DATA.reasons[reason]),
    details.length ? ": " : "", ...details.flatMap((one, place) => [place ? ", " : "", make("bdi", {}, one)])));
  return make("div", { class: "doubts" }, make("b", {}, t("doubt", { n: row[DOUBT] })), make("ul", {}, ...items));
}

function sourceOf(row) {
  if (!row[SOURCE]) return null;
  const number = NUMBER_OF_ID.get(row[SOURCE]);
  if (number === undefined) return make("div", { class: "source muted" }, t("source.missing", { id: row[SOURCE] }));
  const source = ROWS[number];
  return make("div", { class: "source" }, make("div", { class: "muted" }, t("source.of", { id: row[SOURCE] })),
    drawSentence(tokensOf(source), spansOf(source).filter(isVisible)));
}

function articleOf(number, at) {
  const row = ROWS[number];
  const isOpen = list.open === number;
  const isDropped = corrections.get(row[ID])?.drop;
  const toggle = make("button", { type: "button", class: "noprint", "aria-expanded": String(isOpen), tabIndex: -1, onclick: () => list.toggle(at) }, t(isOpen ? "correct.close" : "correct"));
  toggle.setAttribute("aria-label", `${toggle.textContent} #${row[ID]}`);
  const head = make("div", { class: "head" }, make("b", {}, `#${row[ID]}`), ` ${t("kind." + DATA.kinds[row[KIND]])} · ${t("size.in", { n: DATA.sizes[row[SIZE]] })} `,
    isDropped ? make("span", { class: "badge" }, t("dropped")) : null, toggle);
  head.id = `head-${number}`;
  const own = drawSentence(tokensOf(row), correctedSpans(row).filter((span) => isVisible(span) || span.state));
  const article = make("article", { class: isDropped ? "is-dropped" : "", tabIndex: 0 }, head, doubtLine(row), make("div", { class: "pair" }, own, sourceOf(row)));
  article.setAttribute("aria-posinset", String(at + 1));
  article.setAttribute("aria-setsize", String(list.view.length));
  article.setAttribute("aria-labelledby", head.id);
  article.addEventListener("focusin", () => { list.focused = at; });
  if (isOpen) {
    toggle.tabIndex = 0;
    article.append(panelOf(row, list.message, (message) => list.redraw(at, message)));
  }
  return article;
}
