import { expect } from 'chai';
import { type Finding, type ObjectCheck, openBpfObject, Preflight } from 'kelf/bpf';
import { outcomeOf } from '../../../../lib/bpf/preflight/preflight.js';
import { accepted, refused, said, untold } from '../../../../lib/evidence.js';
import { bpfObject, CODE, DATA, type InsnSpec, insns, mapNumber, sampleObject } from '../../../support/bpf-writer.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { featuresBtf } from '../../../support/features.js';
import { kernelOf } from '../../../support/kernel-writer.js';

type ObjectSpec = Parameters<typeof bpfObject>[0];

const MOV = (register: number, value: number): InsnSpec => [0xb7, register, 0, 0, value];
const HELPER = (id: number): InsnSpec => [0x85, 0, 0, 0, id];
const EXIT: InsnSpec = [0x95];
/** Loads the word that r1 points to; skips an instruction where it is 0. */
const LOAD: InsnSpec = [0x61, 1, 1];
const SKIP_IF_0: InsnSpec = [0x15, 1, 0, 1, 0];
/** No kernel has so many helpers. */
const UNKNOWN = 9999;
/** Numbers of kinds of CO-RE: enum bpf_core_relo_kind. */
const BYTE_OFFSET = 0;
const FIELD_EXISTS = 2;

const GPL: ObjectSpec['sections'][number] = { name: 'license', ...DATA, data: new TextEncoder().encode('GPL\0') };

/** A kernel with a `struct s { int a; }`, socket filters, hashes, and two helpers. */
function kernelBtf(): Uint8Array {
  const btf = new BtfWriter();
  btf.struct('s', 4, [['a', btf.int('int', 4, 1), 0]]);
  btf.func('bpf_here', btf.funcProto(0, []), 1);
  return featuresBtf(btf);
}

/** Checks an object of one program, or of a program and a subprogram `sub` in .text, on that kernel, or on one without BTF. */
function check(code: readonly InsnSpec[], make: (btf: BtfWriter) => Partial<ObjectSpec> = () => ({}), noBtf = false): ObjectCheck {
  const btf = new BtfWriter();
  const { sections = [], symbols = [], ...more } = make(btf);
  const bytes = bpfObject({
    btf,
    sections: [{ name: 'socket', ...CODE, data: insns(true, ...code) }, ...sections],
    symbols: [{ name: 'prog', type: 2, binding: 1, section: 1, size: BigInt(code.length * 8) }, ...symbols],
    ...more,
  });
  const kernel = kernelOf({ functions: [{ name: 'f', site: 0 }], ...(noBtf ? {} : { btf: kernelBtf() }) });
  return new Preflight(kernel).check(openBpfObject(bytes));
}

/** `kind code (certainty)` of what is no plain yes. */
function brief(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ verdict }) => verdict.code !== 'accepted')
    .map(({ kind, verdict }) => `${kind} ${verdict.errno ?? 'yes'} ${verdict.code} (${verdict.certainty})`);
}

const own = ({ programs }: ObjectCheck): string[] => brief(programs[0]!.findings);

/** A CO-RE relocation of an instruction, for `member` of `struct s`. */
const core =
  (instruction: number, member: string, kind: number = BYTE_OFFSET, section = 'socket') =>
  (btf: BtfWriter): Partial<ObjectSpec> => {
    const type = btf.struct('s', 4, [[member, btf.int('int', 4, 1), 0]]);
    return { ext: [[], [], [[section, [instruction * 8, type, btf.string('0:0'), kind]]]] };
  };

/** Read-only data of a word, that instruction 0 loads the address of. */
const withData = (value: number, btf: BtfWriter): Partial<ObjectSpec> => {
  btf.datasec('.rodata', 4, [[btf.var('option', btf.int('int', 4, 1)), 0, 4]]);
  return {
    sections: [{ name: '.rodata', ...DATA, flags: 2, data: Uint8Array.of(value, 0, 0, 0) }],
    symbols: [{ name: 'option', type: 1, binding: 1, section: 2, size: 4n }],
    relocations: { socket: [[0, 2]] },
  };
};

describe('The rules of preflight', () => {
  it('ask for the program type by the section, which libbpf has to know', () => {
    expect(own(check([MOV(0, 0), EXIT]))).to.deep.equal([]);
    const of = (name: string): string[] => {
      const sections = [{ name, ...CODE, data: insns(true, EXIT) }];
      const symbols = [{ name: 'prog', type: 2, binding: 1, section: 1, size: 8n }];
      const preflight = new Preflight(kernelOf({ functions: [{ name: 'f' }], btf: kernelBtf() }));
      return brief(preflight.check(openBpfObject(bpfObject({ sections, symbols }))).programs[0]!.findings);
    };
    expect(of('nonsense')).to.deep.equal(['program-type EINVAL unknown-section (proven)']);
    expect(of('tcx/ingress')).to.deep.equal([
      'program-type EINVAL program-type-not-built (proven)',
      'attach-type yes unknown-attach-type (open)',
    ]);
  });

  describe('of helpers', () => {
    it('refuse what the kernel does not have', () => {
      expect(own(check([HELPER(1), EXIT]))).to.deep.equal([]);
      const [finding] = check([HELPER(2), EXIT]).programs[0]!.findings.filter(({ kind }) => kind === 'helper');
      expect(finding).to.deep.include({ subject: 'bpf_map_update_elem' });
      expect(own(check([HELPER(UNKNOWN), EXIT]))).to.deep.equal(['helper EINVAL unknown-helper (proven)']);
    });

    it('pass over what constants lead around, and what is no instruction', () => {
      expect(own(check([MOV(1, 0), SKIP_IF_0, HELPER(UNKNOWN), EXIT]))).to.deep.equal([]);
      expect(own(check([[0x18, 1], HELPER(UNKNOWN), EXIT]))).to.deep.equal([]);
    });

    it('are likely where read-only data leads around it', () => {
      const code: InsnSpec[] = [[0x18, 1], [0], LOAD, SKIP_IF_0, HELPER(UNKNOWN), EXIT];
      expect(own(check(code, btf => withData(0, btf)))).to.deep.equal(['helper yes core-guarded (likely)']);
      expect(own(check(code, btf => withData(1, btf)))).to.deep.equal(['helper EINVAL unknown-helper (proven)']);
    });

    it('go for subprograms, too', () => {
      const called = (code: InsnSpec): string[] =>
        own(
          check([code, EXIT], () => ({
            sections: [{ name: '.text', ...CODE, data: insns(true, HELPER(UNKNOWN), EXIT) }],
            symbols: [{ name: 'sub', type: 2, binding: 1, section: 2, size: 16n }],
            relocations: { socket: [[0, 2, 10]] },
          })),
        );
      expect(called([0x85, 0, 1, 0, -1])).to.deep.equal(['helper EINVAL unknown-helper (proven)']);
    });
  });

  describe('of CO-RE', () => {
    it('refuse a program that comes to what the kernel does not have', () => {
      expect(own(check([MOV(0, 0), EXIT], core(0, 'a')))).to.deep.equal([]);
      expect(own(check([MOV(0, 0), EXIT], core(0, 'gone')))).to.deep.equal(['core EINVAL core-poisoned (proven)']);
    });

    it('say what leads around it', () => {
      const code: InsnSpec[] = [MOV(1, 1), SKIP_IF_0, MOV(0, 0), EXIT];
      const guarded = (btf: BtfWriter): Partial<ObjectSpec> => {
        const type = btf.struct('s', 4, [['gone', btf.int('int', 4, 1), 0]]);
        const access = btf.string('0:0');
        return { ext: [[], [], [['socket', [0, type, access, FIELD_EXISTS], [16, type, access, BYTE_OFFSET]]]] };
      };
      const findings = check(code, guarded).programs[0]!.findings.filter(({ kind }) => kind === 'core');
      expect(brief(findings)).to.deep.equal(['core yes core-guarded (proven)']);
      expect(findings[0]!.verdict.because[0]!.says).to.include('field_exists of struct s.gone');
    });

    it('are likely where read-only data leads around it', () => {
      const code: InsnSpec[] = [[0x18, 1], [0], LOAD, SKIP_IF_0, MOV(0, 0), EXIT];
      const spec = (btf: BtfWriter): Partial<ObjectSpec> => ({ ...withData(0, btf), ...core(4, 'gone')(btf) });
      expect(own(check(code, spec))).to.deep.equal(['core yes core-guarded (likely)']);
    });

    it('refuse the object for a relocation that libbpf refuses: of its program, or of a subprogram', () => {
      const bad =
        (section: string) =>
        (btf: BtfWriter): Partial<ObjectSpec> => {
          const type = btf.struct('s', 4, [['a', btf.int('int', 4, 1), 0]]);
          return {
            ext: [[], [], [[section, [0, type, btf.string('0:9'), BYTE_OFFSET]]]],
            sections: [{ name: '.text', ...CODE, data: insns(true, MOV(0, 0), EXIT) }],
            symbols: [{ name: 'sub', type: 2, binding: 1, section: 2, size: 16n }],
          };
        };
      const program = check([MOV(0, 0), EXIT], bad('socket'));
      expect([own(program), brief(program.findings)]).to.deep.equal([['core EINVAL core-refused (proven)'], []]);
      const subprogram = check([MOV(0, 0), EXIT], bad('.text'));
      expect([own(subprogram), brief(subprogram.findings)]).to.deep.equal([[], ['core EINVAL core-refused (proven)']]);
      expect(subprogram.programs[0]!.outcome).to.equal('fails');
    });

    it('need the BTF of the kernel', () => {
      expect(own(check([MOV(0, 0), EXIT], core(0, 'a'), true))).to.deep.equal(['core ESRCH no-btf (proven)']);
      expect(own(check([MOV(0, 0), EXIT], () => ({}), true))).to.deep.equal([]);
    });
  });

  describe('of maps', () => {
    const map =
      (type: number) =>
      (btf: BtfWriter): Partial<ObjectSpec> => {
        const int = btf.int('int', 4, 1);
        const definition = btf.struct('', 32, [
          ['type', mapNumber(btf, int, type), 0],
          ['key', btf.ptr(int), 64],
          ['value', btf.ptr(int), 128],
          ['max_entries', mapNumber(btf, int, 1), 192],
        ]);
        btf.datasec('.maps', 32, [[btf.var('things', definition), 0, 32]]);
        return {
          sections: [{ name: '.maps', ...DATA, data: new Uint8Array(32) }],
          symbols: [{ name: 'things', type: 1, binding: 1, section: 2, size: 32n }],
          relocations: { socket: [[0, 2]] },
        };
      };
    const code: InsnSpec[] = [[0x18, 1], [0], EXIT];

    it('keep every program out where the kernel does not have the type, and name those that use the map', () => {
      expect(brief(check(code, map(1)).findings)).to.deep.equal([]);
      const { findings, programs } = check(code, map(27));
      expect(brief(findings)).to.deep.equal(['map EINVAL unknown-map-type (proven)']);
      expect(findings.find(({ kind }) => kind === 'map')).to.deep.include({ subject: 'map things (ringbuf)', usedBy: ['prog'] });
      expect(programs[0]!.outcome).to.equal('fails');
    });

    it('refuse the object for definitions that libbpf refuses', () => {
      const kernel = kernelOf({ functions: [{ name: 'read', site: 0 }], btf: kernelBtf() });
      const { findings, programs } = new Preflight(kernel).check(openBpfObject(sampleObject()));
      const old = findings.filter(({ verdict }) => verdict.code === 'object-refused');
      expect(old.map(({ kind, verdict }) => `${kind} ${verdict.errno}`)).to.deep.equal(['object EOPNOTSUPP']);
      expect(programs.every(({ outcome }) => outcome === 'fails')).to.equal(true);
    });
  });

  it('refuse the object that libbpf does not open, whichever the kernel', () => {
    const code: InsnSpec[] = [EXIT];
    const said = (make: (btf: BtfWriter) => Partial<ObjectSpec>): string[] => {
      const { findings, programs } = check(code, make);
      expect(programs[0]!.outcome).to.equal(findings.length === 0 ? 'passes' : 'fails');
      return findings.map(({ subject, verdict }) => `${subject}: ${verdict.errno} ${verdict.code} ${verdict.because[0]!.says}`);
    };
    const text: ObjectSpec['sections'] = [{ name: '.text', ...CODE, data: insns(true, EXIT) }];
    const tc: ObjectSpec['sections'] = [{ name: 'tc', ...CODE, data: insns(true, EXIT) }];
    const helper = { name: 'helper', type: 2, binding: 0, section: 2, size: 8n };
    expect(said(() => ({ sections: text, symbols: [helper] }))).to.deep.equal([]);
    expect(said(() => ({ sections: tc, symbols: [helper] }))).to.deep.equal(['tc: EOPNOTSUPP object-refused helper is static']);
    expect(said(() => ({ symbols: [{ name: 'gone', binding: 1 }] }))).to.deep.equal([
      '.symtab: ENOENT object-refused gone is undefined, and BTF does not declare it in .kconfig or .ksyms',
    ]);
    const maps: ObjectSpec['sections'] = [{ name: '.maps', ...DATA, data: new Uint8Array(8) }];
    expect(said(() => ({ sections: maps }))).to.deep.equal(['.maps: ENOENT object-refused BTF does not describe its contents']);
    const unknownMember = (btf: BtfWriter): Partial<ObjectSpec> => {
      const definition = btf.struct('', 8, [['colour', mapNumber(btf, btf.int('int', 4, 1), 1), 0]]);
      btf.datasec('.maps', 8, [[btf.var('things', definition, 0), 0, 8]]);
      return { sections: maps };
    };
    expect(said(unknownMember)).to.have.length(2);
    expect(said(unknownMember)[0]).to.equal('.maps: EOPNOTSUPP object-refused map things is static');
    expect(said(unknownMember)[1]).to.match(/object-refused .*map things: member 'colour' is unknown/);
  });

  it('refuse a program for struct_ops that none refers to', () => {
    const symbols = [{ name: 'prog', type: 2, binding: 1, section: 1, size: 8n }];
    const object = bpfObject({ sections: [{ name: 'struct_ops/init', ...CODE, data: insns(true, EXIT) }, GPL], symbols });
    const { findings } = new Preflight(kernelOf({ functions: [{ name: 'f' }], btf: kernelBtf() })).check(openBpfObject(object))
      .programs[0]!;
    expect(brief(findings)).to.include('struct_ops EINVAL object-refused (proven)');
  });

  it('of struct_ops are for those that are created', () => {
    const ops =
      (section: string) =>
      (btf: BtfWriter): Partial<ObjectSpec> => {
        const type = btf.struct('some_ops', 4, [['flags', btf.int('int', 4, 1), 0]]);
        btf.datasec(section, 4, [[btf.var('ops', type), 0, 4]]);
        return {
          sections: [{ name: section, ...DATA, data: Uint8Array.of(1, 0, 0, 0) }],
          symbols: [{ name: 'ops', type: 1, binding: 1, section: 2, size: 4n }],
        };
      };
    const said = (section: string): string[] => brief(check([EXIT], ops(section)).findings).filter(line => line.startsWith('struct_ops'));
    expect(said('.struct_ops')).to.deep.equal(['struct_ops ENOENT no-struct-ops (likely)']);
    expect(said('?.struct_ops')).to.deep.equal([]);
  });

  it('refuse a program that comes to the call of a weak kfunc which is not there', () => {
    const extern =
      (name: string) =>
      (btf: BtfWriter): Partial<ObjectSpec> => {
        const id = btf.func(name, btf.funcProto(0, []), 2);
        btf.datasec('.ksyms', 0, [[id, 0, 0]]);
        return { sections: [GPL], symbols: [{ name, binding: 2 }], relocations: { socket: [[16, 2, 10]] } };
      };
    const kfunc = extern('bpf_gone');
    const call: InsnSpec = [0x85, 0, 2, 0, -1];
    expect(own(check([MOV(1, 1), SKIP_IF_0, call, EXIT], kfunc))).to.deep.equal(['extern EINVAL unresolved-extern (likely)']);
    expect(own(check([MOV(1, 0), SKIP_IF_0, call, EXIT], kfunc))).to.deep.equal([]);
    const { findings } = check([MOV(1, 0), SKIP_IF_0, call, EXIT], kfunc);
    expect(brief(findings)).to.deep.equal(['extern yes weak-extern (proven)']);
    expect(findings.find(({ kind }) => kind === 'extern')!.usedBy).to.deep.equal(['prog']);
    expect(own(check([MOV(1, 1), SKIP_IF_0, call, EXIT], extern('bpf_here')))).to.deep.equal([]);
  });

  it('take the address of a weak symbol for 0 where it is known to be missing', () => {
    const symbol =
      (name: string) =>
      (btf: BtfWriter): Partial<ObjectSpec> => {
        btf.datasec('.ksyms', 0, [[btf.var(name, btf.const(0), 2), 0, 0]]);
        return { symbols: [{ name, binding: 2 }], relocations: { socket: [[0, 2]] } };
      };
    const code: InsnSpec[] = [[0x18, 1], [0], SKIP_IF_0, HELPER(UNKNOWN), EXIT];
    expect(own(check(code, symbol('gone')))).to.deep.equal([]);
    expect(own(check(code, symbol('f')))).to.deep.equal(['helper EINVAL unknown-helper (proven)']);
  });

  it('come to one outcome: what fails is told before what is open', () => {
    const finding = (verdict: Finding['verdict']): Finding => ({ kind: 'target', subject: '', verdict });
    const [yes, no, open] = [
      accepted('proven', said('', '')),
      refused('no-symbol', 'ENOENT', said('', '')),
      untold('no-target', said('', '')),
    ].map(finding);
    expect(outcomeOf([])).to.equal('passes');
    expect(outcomeOf([yes!])).to.equal('passes');
    expect(outcomeOf([yes!, open!])).to.equal('open');
    expect(outcomeOf([open!, no!, yes!])).to.equal('fails');
  });
});
