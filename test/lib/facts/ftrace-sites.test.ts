import { expect } from 'chai';
import { Kernel } from 'kelf';
import { EM } from 'kelf/elf';
import { type KernelSymbols, parseFilterFunctions, parseKallsyms, parseKprobeBlacklist } from 'kelf/kallsyms';
import { describeDuplicate } from '../../../lib/answers/describe-duplicate.js';
import { AreaSet } from '../../../lib/facts/areas.js';
import type { FtraceState } from '../../../lib/facts/ftrace-sites.js';
import { sitesOfAddresses, sitesOfNames } from '../../../lib/facts/listed-sites.js';
import { duplicatesReport } from '../../../lib/report/duplicates.js';
import { kernelId } from '../../../lib/report/report.js';
import { sitesOf } from '../../../lib/rules/sites.js';

const bytes = (...lines: string[]): Uint8Array => new TextEncoder().encode(lines.map(line => `${line}\n`).join(''));

const KALLSYMS = parseKallsyms(
  bytes(
    'ffffffff81000000 T _stext',
    'ffffffff81000010 T schedule',
    'ffffffff81000020 t show_state',
    'ffffffff81000030 t show_state',
    'ffffffff81000040 t get_order',
    'ffffffff81000050 t get_order',
    'ffffffff81000060 t notrace',
    'ffffffff81000070 t listed',
    'ffffffff81000078 T register_kprobe',
    'ffffffff81000080 d set_root',
    'ffffffff81000090 t set_root',
    'ffffffff810000a0 T _etext',
    'ffffffffc0001000 t schedule\t[mod]',
    'ffffffffc0001010 t of_module\t[mod]',
  ),
  '/proc/kallsyms',
);

/** A running kernel of these symbols, whose text is not at hand. */
function running(symbols: KernelSymbols, ftrace: FtraceState): Kernel {
  return new Kernel({
    name: 'the running kernel',
    form: ['running'],
    machine: EM.X86_64,
    littleEndian: true,
    notes: [],
    symbols: () => symbols,
    imageSymbols: () => undefined,
    labels: name => symbols.addressOf(name),
    mcount: () => undefined,
    ftrace: () => ftrace,
    blacklist: () => ({
      source: 'blacklist',
      ranges: new AreaSet(parseKprobeBlacklist('0xffffffff81000070-0xffffffff81000080\tlisted\n', 'x')),
    }),
    btf: () => undefined,
    config: () => undefined,
    banner: () => 'Linux version 6.1.0-live (x@y) #1',
    close: () => {},
  });
}

describe('ftrace sites of the running kernel', () => {
  it('by addresses: those of the file, in order', () => {
    const file = parseFilterFunctions(
      bytes('ffffffff81000034 show_state', 'ffffffff81000010 schedule', 'ffffffffc0001010 of_module [mod]'),
      'addrs',
      true,
    );
    const sites = sitesOfAddresses(file);
    expect(sites.source).to.equal('addrs');
    expect([...sites.ip.big]).to.deep.equal([0xffffffff81000010n, 0xffffffff81000034n, 0xffffffffc0001010n]);
    const kernel = running(KALLSYMS, sites);
    expect(kernel.traceability('show_state').functions.map(({ ftrace }) => ftrace.outcome)).to.deep.equal(['refused', 'accepted']);
    expect(kernel.traceability('schedule').ftrace.byName.outcome).to.equal('accepted');
  });

  const names = bytes(
    'schedule',
    'show_state',
    'get_order',
    'get_order',
    'listed',
    'set_root',
    'schedule [mod]',
    '__ftrace_invalid_address___64',
  );
  const sites = sitesOfNames(parseFilterFunctions(names, 'names', false), KALLSYMS);

  it('by names alone: in all functions of a name, where as many lines have it', () => {
    expect([...sites.ip.big].map(ip => KALLSYMS.name(KALLSYMS.containing(ip)!))).to.deep.equal([
      'schedule',
      'get_order',
      'get_order',
      'listed',
      'set_root',
    ]);
    // The data symbol of the name counts for nothing here.
    expect(sites.ip.big[4]).to.equal(0xffffffff81000090n);
  });

  it('by names alone: it is open which of several functions has it, where fewer lines have the name', () => {
    expect([...sites.undecided!])
      .to.include('show_state')
      .and.not.include('schedule');
    const kernel = running(KALLSYMS, sites);
    const { ftrace, kprobe, functions } = kernel.traceability('show_state');
    for (const verdict of [ftrace.byName, kprobe.byName, ...functions.map(({ kprobe }) => kprobe)]) {
      expect(verdict).to.deep.include({ outcome: 'open', code: 'sites-unknown', certainty: 'open' });
      expect(verdict.because.map(({ says }) => says).join('\n')).to.contain('available_filter_functions_addrs');
    }
    expect(kernel.traceability('notrace').kprobe.byName.code).to.equal('no-ftrace-site');
  });

  it('that nothing tells of leave every question about them open', () => {
    const kernel = running(KALLSYMS, 'unknown');
    expect(kernel.traceability('schedule').ftrace.byName.code).to.equal('sites-unknown');
    expect(kernel.traceability('notrace').kprobe.byName.code).to.equal('sites-unknown');
    expect(kernel.traceability('no_such').kprobe.byName.code).to.equal('no-symbol');
  });

  it('that are not known are not said to be none', () => {
    const linesOf = (ftrace: FtraceState, name: string): string => {
      const kernel = running(KALLSYMS, ftrace);
      const group = kernel.duplicates().find(group => group.name === name)!;
      const model = { kernel: kernelId(kernel), duplicates: [describeDuplicate(kernel, group)] };
      return [...duplicatesReport(false).text(model)].join('\n');
    };
    for (const lines of [linesOf('unknown', 'get_order'), linesOf(sites, 'show_state')]) {
      expect(lines.match(/ {2}ftrace site unknown$/gm)).to.have.lengthOf(2);
      expect(lines).to.include('ftrace unknown (sites-unknown)').and.not.include('no ftrace site');
    }
    expect(linesOf(sites, 'get_order')).to.include('ftrace matches both with an ftrace site').and.not.include('not known');
    expect(linesOf('none', 'get_order')).to.include('  no ftrace site\n').and.include('ftrace matches none');
  });

  it('go with the blacklist that the kernel shows, and with certainty where the text is not at hand', () => {
    const kernel = running(KALLSYMS, sites);
    expect(kernel.traceability('listed').kprobe.byName).to.deep.include({
      code: 'kprobe-blacklisted',
      errno: 'EINVAL',
      certainty: 'proven',
    });
    expect(kernel.traceability('get_order').functions[0]!.kprobe).to.deep.include({ code: 'accepted', certainty: 'likely' });
  });

  it('leave modules out of the functions of the kernel', () => {
    const kernel = running(KALLSYMS, sites);
    expect(kernel.functions.count).to.equal(11);
    expect(kernel.traceability('of_module').functions).to.deep.equal([]);
    expect(kernel.traceability('schedule').functions).to.have.length(1);
  });
});

describe('init code next to the text', () => {
  it('begins at _etext where kallsyms leaves out _sinittext, as it does with all symbols at that address', () => {
    const symbols = parseKallsyms(
      bytes(
        'ffffffff81000000 T _stext',
        'ffffffff81000010 T schedule',
        'ffffffff81000020 T register_kprobe',
        'ffffffff81000030 T _etext',
        'ffffffff81000040 t set_reset_devices',
        'ffffffff81000050 T _einittext',
      ),
      '/proc/kallsyms',
    );
    const sites = sitesOf(running(symbols, 'unknown'));
    const freed = ['schedule', 'register_kprobe', 'set_reset_devices'].filter(name => sites.isFreed(symbols.lookup(name)!));
    expect(freed).to.deep.equal(['set_reset_devices']);
  });
});
