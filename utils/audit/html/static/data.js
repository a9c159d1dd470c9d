// The sentences, which are decoded when they are needed.
// A row is [id, text, kind, source, size, doubtfulness, doubts, spans]; spans are five numbers each.

const [ID, TEXT, KIND, SOURCE, SIZE, DOUBT, DOUBTS, SPANS] = [0, 1, 2, 3, 4, 5, 6, 7];
const WIDTH_OF_SPAN = 5; // start, end, label, origin, score in thousandths or -1
const ROWS = DATA.rows;
const NUMBER_OF_ID = new Map(ROWS.map((row, number) => [row[ID], number]));
const LLM_ORIGINS = new Set(["entity", "pos"]);
const searchTexts = new Array(ROWS.length);

const tokensOf = (row) => (typeof row[TEXT] === "string" ? Array.from(row[TEXT]) : row[TEXT]);
const join = (tokens) => tokens.join(DATA.isDense ? "" : " ");
const isTarget = (label, origin) => label < DATA.targets && !LLM_ORIGINS.has(DATA.origins[origin]);

function spansOf(row) {
  const spans = [];
  for (let at = 0; at < row[SPANS].length; at += WIDTH_OF_SPAN) {
    const [start, end, label, origin, score] = row[SPANS].slice(at, at + WIDTH_OF_SPAN);
    spans.push({
      start, end, label: DATA.labels[label], origin: DATA.origins[origin], score: score < 0 ? null : score / 1000,
      isTarget: isTarget(label, origin), number: at / WIDTH_OF_SPAN,
    });
  }
  return spans;
}

function searchText(number) {
  if (searchTexts[number] === undefined) {
    const text = ROWS[number][TEXT];
    searchTexts[number] = (typeof text === "string" ? text : join(text)).toLowerCase();
  }
  return searchTexts[number];
}

const isTargetLabel = (label) => {
  const number = DATA.labels.indexOf(label);
  return number >= 0 && number < DATA.targets;
};
