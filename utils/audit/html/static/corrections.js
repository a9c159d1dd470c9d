// Corrections by sentence: {drop, spans: {number: "wrong" or {start, end, label}}, added: [{start, end, label}]}.
// They are kept in the browser until they are exported or forgotten.

const STORE = `corrections:${DATA.key}`;
const corrections = new Map();

function correctionOf(id) {
  if (!corrections.has(id)) corrections.set(id, { drop: false, spans: {}, added: [] });
  return corrections.get(id);
}

const countOf = (one) => (one.drop ? 1 : Object.keys(one.spans).length + one.added.length);
const isCorrected = (id) => corrections.has(id) && countOf(corrections.get(id)) > 0;
const countCorrections = () => [...corrections.values()].reduce((sum, one) => sum + countOf(one), 0);

function changeSentence(id, change) {
  const own = correctionOf(id);
  change(own);
  if (countOf(own) === 0) corrections.delete(id);
  kept.write(STORE, [...corrections]);
  showCorrections();
}

// The spans of a sentence after its corrections, each with what is shown about it.
function correctedSpans(row) {
  const own = corrections.get(row[ID]);
  const spans = spansOf(row);
  if (!own) return spans;
  for (const span of spans) {
    const change = own.spans[span.number];
    if (change === "wrong") {
      span.state = "wrong";
      span.name = `✗ ${span.label}`;
    } else if (change) {
      Object.assign(span, change, { state: "changed", name: `✎ ${change.label}`, isTarget: isTargetLabel(change.label) });
    }
  }
  own.added.forEach((added, number) => spans.push({
    ...added, origin: "patch", score: null, isTarget: isTargetLabel(added.label), state: "changed", name: `+ ${added.label}`, added: number,
  }));
  return spans;
}

function patchLines() {
  const lines = [];
  for (const row of ROWS) {
    const own = corrections.get(row[ID]);
    if (!own || !countOf(own)) continue;
    const sentence = { id: row[ID], text: tokensOf(row) };
    if (own.drop) {
      lines.push({ ...sentence, action: "drop" });
      continue;
    }
    for (const span of spansOf(row)) {
      const change = own.spans[span.number];
      if (!change) continue;
      const old = { start: span.start, end: span.end, entity: span.label, origin: span.origin === "gold" ? null : span.origin };
      if (change === "wrong") lines.push({ ...sentence, action: "wrong", span: old });
      else {
        const moved = change.start !== span.start || change.end !== span.end;
        const to = { start: change.start, end: change.end, entity: change.label };
        lines.push({ ...sentence, action: moved ? "move" : "relabel", span: old, to });
      }
    }
    for (const { start, end, label } of own.added) lines.push({ ...sentence, action: "add", to: { start, end, entity: label } });
  }
  return lines;
}

function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function exportPatch() {
  const lines = patchLines();
  if (!lines.length) return;
  save(new Blob([lines.map((line) => JSON.stringify(line) + "\n").join("")], { type: "application/jsonl" }), DATA.patchName);
  byId("note").textContent = t("exported", { n: lines.length, file: DATA.patchName });
}

// Corrections of an earlier visit, as far as their sentences and spans are there.
function restoreCorrections() {
  let stale = 0;
  const stored = kept.read(STORE);
  for (const [id, own] of Array.isArray(stored) ? stored : []) {
    const row = ROWS[NUMBER_OF_ID.get(id)];
    const fits = row && Object.keys(own.spans).every((number) => Number(number) < spansOf(row).length);
    if (fits) corrections.set(id, own);
    else stale += countOf(own);
  }
  if (stale) byId("note").textContent = t("stale", { n: stale });
}

function showCorrections() {
  const number = countCorrections();
  byId("export").textContent = number ? t("export.n", { n: number }) : t("export");
  byId("export").disabled = byId("forget").disabled = number === 0;
  byId("forget").textContent = t("forget");
  byId("forget").classList.remove("sure");
}

function forgetCorrections() {
  const button = byId("forget");
  if (!button.classList.contains("sure")) {
    button.classList.add("sure");
    button.textContent = t("forget.sure", { n: countCorrections() });
    return;
  }
  corrections.clear();
  kept.write(STORE, []);
  showCorrections();
  list.refresh();
}
