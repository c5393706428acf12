import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { auditKernel, type Kernel, obstacleToRunningKernel, openKernel, openRunningKernel, type Tally } from 'kelf';
import { kernelOf } from '../../support/kernel-writer.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/kernel/${name}`, import.meta.url));

/** Codes and how often they occur, the most frequent first; codes of equal counts in the order they are met. */
function count(codes: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}

function tally(of: Tally): Map<string, number> {
  return new Map(of.map(({ code, count }) => [code, count]));
}

const total = (of: Tally): number => of.reduce((sum, { count }) => sum + count, 0);

for (const arch of ['amd64', 'arm64']) {
  describe(`the audit of the ${arch} kernel`, () => {
    let kernel: Kernel;
    let names: string[];
    before(async () => {
      kernel = await openKernel(fixture(`vmlinux-${arch}`), { config: fixture(`config-${arch}`) });
      names = [...new Set([...kernel.symbols].filter(({ type }) => /[tTwW]/.test(type)).map(({ name }) => name))];
    });
    after(() => kernel.close());

    it('counts what asking one by one gives', () => {
      const audit = auditKernel(kernel);
      const { tracing, functions, symbols, btf } = kernel;
      const addresses = new Set([...symbols].filter(({ type }) => /[tTwW]/.test(type)).map(({ address }) => address));
      expect(audit.symbols).to.deep.include({ all: symbols.count, text: functions.count, names: names.length });
      expect(tally(audit.kprobeByName)).to.deep.equal(count(names.map(name => kernel.traceability(name).kprobe.byName.code)));
      expect(tally(audit.kprobeByAddress)).to.deep.equal(count([...addresses].map(address => tracing.kprobes.at(address).code)));
      const funcs = [...btf!.functions().ids].map(id => btf!.nameOf(id));
      expect(tally(audit.fentry)).to.deep.equal(count(funcs.map(name => kernel.traceability(name).fentry.attach.code)));
      const absent = names.filter(name => btf!.find(name, 'FUNC').length === 0);
      expect(tally(audit.missingBtf)).to.deep.equal(count(absent.map(name => kernel.missingBtf(name).code)));
      expect(total(audit.missingBtf)).to.equal(absent.length);
      expect(audit.btf).to.deep.include({ functions: funcs.length, source: '.BTF', withoutSymbol: 0 });
    });

    it('counts names of several functions, and those shared with data', () => {
      const audit = auditKernel(kernel);
      const groups = kernel.duplicates();
      expect(audit.duplicates.names).to.equal(groups.length);
      expect(audit.duplicates.functions).to.equal(groups.reduce((sum, { functions }) => sum + functions.length, 0));
      expect(audit.sharedWithData).to.deep.equal(['set_root', 'watchdog']);
    });

    it('sorts each tally by its counts, with examples', () => {
      const audit = auditKernel(kernel);
      for (const of of [audit.kprobeByName, audit.kprobeByAddress, audit.fentry, audit.missingBtf]) {
        const counts = of.map(({ count }) => count);
        expect(counts).to.deep.equal([...counts].sort((a, b) => b - a));
        for (const { count, examples } of of) expect(examples.length).to.be.within(1, Math.min(count, 3));
      }
    });
  });
}

describe('the audit of a kernel', () => {
  it('names those whose first function cannot be traced while a later one can', () => {
    const functions = [
      { name: 'a', binding: 'local', file: 'a.c' },
      { name: 'a', binding: 'local', file: 'b.c', site: 0 },
      { name: 'b', binding: 'local', file: 'a.c', site: 0 },
      { name: 'b', binding: 'local', file: 'b.c' },
      { name: 'c', site: 0 },
    ] as const;
    const { duplicates } = auditKernel(kernelOf({ functions, data: ['c'] }));
    expect(duplicates).to.deep.equal({ names: 2, functions: 4, firstUntraceable: ['a'] });
  });

  it('works without BTF, without a table and without functions', () => {
    expect(auditKernel(kernelOf({ functions: [], noTable: true }))).to.deep.include({ fentry: [], missingBtf: [] });
    expect(auditKernel(kernelOf({ functions: [{ name: 'f' }], noTable: true }))).to.not.have.any.keys('mcount', 'sites', 'btf');
  });

  it('of the running kernel, where it can be read', function () {
    const obstacle = obstacleToRunningKernel();
    if (obstacle !== undefined) {
      this.test!.title += `: not here, ${obstacle}`;
      this.skip();
    }
    const audit = auditKernel(openRunningKernel());
    expect(audit.symbols.text).to.be.greaterThan(1000);
    expect(total(audit.kprobeByName)).to.equal(audit.symbols.names);
    expect(audit.btf!.functions).to.be.greaterThan(1000);
  });
});

describe('duplicates', () => {
  let kernel: Kernel;
  before(async () => {
    kernel = await openKernel(fixture('vmlinux-amd64'));
  });
  after(() => kernel.close());

  it('are the names that several functions bear, in their order', () => {
    expect(kernel.duplicates().map(({ name }) => name)).to.deep.equal([
      'elf_core_dump',
      'elf_read.constprop.0',
      'elf_read.constprop.0.cold',
      'flush_work',
      'get_order',
      'load_elf_binary',
      'parse_options',
      'read_cpu_leaf',
      'set_brk',
      'show_state',
    ]);
  });

  it('come with source files, addresses and sites', () => {
    const group = kernel.duplicates().find(({ name }) => name === 'load_elf_binary')!;
    expect(group.functions.map(({ file }) => file)).to.deep.equal(['binfmt_elf.c', 'compat_binfmt_elf.c']);
    expect(group.functions.map(({ address }) => address)).to.deep.equal([...group.functions.map(({ address }) => address)].sort());
    expect(group.functions.every(({ site }) => site !== undefined)).to.equal(true);
    const state = kernel.duplicates().find(({ name }) => name === 'show_state')!;
    expect(state.functions.filter(({ site }) => site === undefined)).to.have.length(1);
    const work = kernel.duplicates().find(({ name }) => name === 'flush_work')!;
    expect(work.functions.map(({ binding }) => binding).sort()).to.deep.equal(['global', 'local']);
  });

  it('tell whether the code is the same', () => {
    const equal = kernel.duplicates().filter(({ equalBytes }) => equalBytes);
    expect(equal.map(({ name }) => name)).to.deep.equal(['read_cpu_leaf']);
  });

  it('are not aliases, nor names that only data shares', () => {
    const functions = [{ name: 'f', site: 0 }, { name: 'f', alias: true }, { name: 'g' }, { name: 'h' }, { name: 'h' }];
    const groups = kernelOf({ functions, data: ['g', 'h'] }).duplicates();
    expect(groups.map(({ name, dataSymbols, functions }) => [name, dataSymbols, functions.length])).to.deep.equal([['h', 1, 2]]);
  });
});
