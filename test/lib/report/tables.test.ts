import { expect } from 'chai';
import { csvLines, markdownLines, type ReportTable } from '../../../lib/report/tables.js';

const TABLES: readonly ReportTable[] = [
  { title: 'functions', columns: ['name', 'bytes'], rows: [['a_b|c\n', 12]] },
  { title: 'types', columns: ['type'], rows: [['a, "b"'], ['=1+1'], [-5]] },
];

describe('tables of a report', () => {
  it('are Markdown, whose marks are escaped in names', () => {
    expect([...markdownLines(TABLES)].slice(0, 5)).to.deep.equal([
      '## functions',
      '',
      '| name | bytes |',
      '| --- | --- |',
      '| a\\_b\\|c\\\\x0a | 12 |',
    ]);
  });

  it('are CSV, with quotes where they are needed, and no formulas', () => {
    expect([...csvLines(TABLES)]).to.deep.equal(['name,bytes', 'a_b|c\\x0a,12', '', 'type', '"a, ""b"""', "'=1+1", '-5']);
  });
});
