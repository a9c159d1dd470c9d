// Search, filters, and the order of the list.

const LOWEST_SCORES = [0.5, 0.7, 0.9, 0.99];
const FILTERS = ["label", "origin", "kind", "size", "score", "reason"];
const KIND_OF_SPAN = { entity: "show-entity", pos: "show-pos" };

const isVisible = (span) => byId(span.isTarget ? "show-target" : KIND_OF_SPAN[span.origin] ?? "show-entity").checked;

function fill(select, options) {
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

function fillFilters() {
  const any = ["", t("filter.any")];
  fill(byId("filter-label"), [any, ...DATA.labels.map((label, number) => [String(number), label])]);
  fill(byId("filter-origin"), [any, ...DATA.origins.map((origin, number) => [String(number), t("origin." + origin)])]);
  fill(byId("filter-kind"), [any, ...DATA.kinds.map((kind, number) => [String(number), t("kind." + kind)])]);
  fill(byId("filter-size"), [any, ...DATA.sizes.map((size, number) => [String(number), size])]);
  fill(byId("filter-score"), [any, ...LOWEST_SCORES.map((score) => [String(score), t("filter.below", { n: score })])]);
  const reasons = DATA.reasons.map((reason, number) => [String(number), t("reason." + reason)]);
  fill(byId("filter-reason"), [any, ...reasons, ["corrected", t("filter.corrected")]]);
  fill(byId("order"), ["doubt", "id", "length"].map((order) => [order, t("order." + order)]));
}

// Whether one span of a row has the chosen label, origin and score together.
function hasSpan(row, wanted) {
  return eachSpan(row, (start, end, label, origin, score) => (wanted.label === "" || label === Number(wanted.label))
    && (wanted.origin === "" || origin === Number(wanted.origin))
    && (wanted.score === "" || (score >= 0 && score < 1000 * Number(wanted.score))));
}

function fitsReason(row, reason) {
  if (reason === "corrected") return isCorrected(row[ID]);
  return row[DOUBTS].some((one) => one[0] === Number(reason));
}

function findRows() {
  const wanted = Object.fromEntries(FILTERS.map((name) => [name, byId("filter-" + name).value]));
  const text = byId("search").value.trim().toLowerCase();
  const needsSpan = wanted.label !== "" || wanted.origin !== "" || wanted.score !== "";
  const found = [];
  ROWS.forEach((row, number) => {
    if (wanted.kind !== "" && row[KIND] !== Number(wanted.kind)) return;
    if (wanted.size !== "" && row[SIZE] > Number(wanted.size)) return; // a size contains the smaller ones
    if (wanted.reason !== "" && !fitsReason(row, wanted.reason)) return;
    if (needsSpan && !hasSpan(row, wanted)) return;
    if (text.startsWith("#") ? row[ID] !== text.slice(1) : text && !searchText(number).includes(text)) return;
    found.push(number);
  });
  return found;
}

function ordered(found) {
  const order = byId("order").value;
  const length = (row) => row[TEXT].length;
  if (order === "doubt") found.sort((one, other) => ROWS[other][DOUBT] - ROWS[one][DOUBT] || one - other);
  if (order === "length") found.sort((one, other) => length(ROWS[other]) - length(ROWS[one]) || one - other);
  return found;
}

function applyFilters() {
  const view = ordered(findRows());
  byId("found").textContent = view.length ? t("found", { n: view.length, all: ROWS.length }) : t("found.none");
  list.show(view);
}
