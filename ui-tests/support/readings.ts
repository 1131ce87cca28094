import * as fs from 'node:fs/promises';

/** How many readings each river has, in the order in which OpenRefine lists their names. */
export const READINGS_BY_RIVER: Readonly<Record<string, number>> = {
  'Afon Tawe': 4_001,
  'Rio São Francisco': 2_999,
  'River Ouse': 2_500,
  Øresund: 1_400,
  Нева: 799,
  長江: 301
};

/** 12,000 in all: more than a page of a browser holds, and than a demonstration has. */
export const READINGS = Object.values(READINGS_BY_RIVER).reduce(
  (a, b) => a + b
);

/** Write the readings as CSV (UTF-8), the rivers mixed, with quotes and commas where they may be. */
export async function writeReadings(file: string): Promise<void> {
  const left = { ...READINGS_BY_RIVER };
  const rivers = Object.keys(left);
  const lines = ['id,taken,river,level (m),remark'];
  for (let id = 1, turn = 0; id <= READINGS; turn += 1) {
    const river = rivers[turn % rivers.length] ?? '';
    if (left[river]) {
      left[river] -= 1;
      const taken = new Date(Date.UTC(2026, 0, 1, 0, 15 * id)).toISOString();
      const level = (1 + (id % 317) / 100).toFixed(2);
      const remark = id % 50 ? '' : `"said ""high"", ${id % 7} cm off"`;
      lines.push([id, taken, river, level, remark].join(','));
      id += 1;
    }
  }
  await fs.writeFile(file, `${lines.join('\n')}\n`);
}
