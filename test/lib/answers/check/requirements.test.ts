import { expect } from 'chai';
import { type Requirements, RequirementsError, readRequirements } from 'kelf';

async function problems(text: string): Promise<string> {
  try {
    await readRequirements(text, 'list.yaml');
  } catch (error) {
    expect(error).to.be.instanceOf(RequirementsError);
    return (error as Error).message;
  }
  return '';
}

function needsOf({ functions }: Requirements): (readonly string[])[] {
  return functions.map(({ needs }) => needs);
}

describe('A list of requirements', () => {
  it('takes mechanisms as people write them', async () => {
    const list = await readRequirements(
      '- name: vfs_read\n  needs: [KProbe, kprobe_multi, "kprobe by address", BTF, ftrace filter]\n',
      'list.yaml',
    );
    expect(needsOf(list)).to.deep.equal([['kprobe', 'kprobe.multi', 'kprobe-address', 'btf', 'ftrace']]);
  });

  it('is YAML or JSON, with needs for all, anchors, and limits by reason', async () => {
    const json = '{\n\t"needs": ["fentry"],\n\t"functions": ["a", {"name": "b", "needs": "kprobe"}]\n}';
    expect(needsOf(await readRequirements(json, 'list.json'))).to.deep.equal([['fentry'], ['kprobe']]);
    const yaml =
      'functions:\n- {name: a, needs: &all [kprobe, btf]}\n- {name: b, needs: *all}\nlimits: {duplicates: 3, without-btf: {pahole-static: 0}}\n';
    const list = await readRequirements(yaml, 'list.yaml');
    expect(needsOf(list)).to.deep.equal([
      ['kprobe', 'btf'],
      ['kprobe', 'btf'],
    ]);
    expect(list.limits.map(({ figure, code, most }) => [figure, code, most])).to.deep.equal([
      ['duplicates', undefined, 3],
      ['without-btf', 'pahole-static', 0],
    ]);
  });

  it('says each mistake with its place and what may be meant', async () => {
    expect(await problems('- name: a\n  need: kprobe\n- name: b\n  needs: [fentri]\n')).to.equal(
      "list.yaml:2:3: unknown key 'need'; is 'needs' meant?\nlist.yaml:4:11: unknown mechanism 'fentri'; is 'fentry' meant?",
    );
    expect(await problems('functions: [a]\nlimits: {duplicate: 3}')).to.equal(
      "list.yaml:2:10: unknown key 'duplicate'; is 'duplicates' meant?",
    );
    expect(await problems('limits: {duplicates: -1}')).to.match(/^list\.yaml:1:22: the limit of duplicates has to be a whole number/);
    expect(await problems('- a\n- a: [')).to.match(/^list\.yaml:2:\d+: /);
    expect(await problems('- name: a\n  name: b\n')).to.equal("list.yaml:2:3: the key 'name' occurs twice");
    expect(await problems('')).to.match(/^list\.yaml:1:1: /);
    expect(await problems('- name: a\n  prototype: int a(struct)\n')).to.match(
      /^list\.yaml:2:14: the prototype 'int a\(struct\)': the name of the struct is expected/,
    );
    expect(await problems('- name: a\n  prototype: int b(void)\n')).to.equal('list.yaml:2:14: the prototype is of b, not of a');
  });

  it('refuses what is built to exhaust a reader', async () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...[...'bcdefgh'].map((key, i) => `${key}: &${key} [${`*${'abcdefg'[i]}, `.repeat(9)}]`),
    ];
    expect(await problems(`functions:\n  - ${bomb.join('\n    ')}`)).to.not.equal('');
    expect(await problems('['.repeat(50_000))).to.match(/nested deeper/);
    expect(await problems('- '.repeat(50_000))).to.match(/nested deeper/);
    expect(await problems('&a [*a]')).to.not.equal('');
    expect(await problems('{"__proto__": {"functions": []}}')).to.match(/unknown key '__proto__'/);
    expect(await problems('#'.repeat(300_000))).to.match(/larger than 256 KiB/);
  });
});
