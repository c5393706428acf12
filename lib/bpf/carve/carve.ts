import { expectSource } from '../../../elf/arguments.js';
import { searchIn } from '../../../elf/needle.js';
import type { ByteSource } from '../../../elf/source.js';
import { ElfObjects } from './elf-object.js';
import type { Find, Finder } from './find.js';
import { LightSkeletonSources, LightSkeletons } from './light-skeleton.js';
import { BASE64, BASE64_GZIP, BASE64_ZLIB, BASE64_ZSTD, BYTE_LIST, GZIP, HEX_STRING, STRING_LITERAL, ZSTD } from './text-forms.js';

/** The file is searched in pieces, so that its size does not matter; an object is read when its beginning was found. */
const WINDOW = 1 << 23;

/**
 * Every BPF object in a file, in the order of their offsets: as it is, at any alignment; as a string literal, a list of numbers or
 * hexadecimal digits; as base64, packed by gzip, zlib or zstd or not; packed by gzip or zstd; and light skeletons. What lies inside another find is not listed again. A file that is an
 * object itself is one find at offset 0.
 */
export function carve(source: ByteSource): Find[] {
  expectSource(source, 'source');
  const searches = finders().flatMap(finder => finder.needles.map(needle => ({ finder, needle, from: 0 })));
  const overlap = Math.max(...searches.map(({ needle }) => needle.length)) - 1;
  const finds: Find[] = [];
  for (let start = 0; start < source.size; start += WINDOW) {
    const bytes = source.read(start, Math.min(WINDOW + overlap, source.size - start));
    const find = searchIn(bytes);
    const binary = bytes.includes(0);
    for (const search of searches) {
      if (binary && search.finder.sourceOnly) continue;
      for (;;) {
        const at = find(search.needle, Math.max(search.from - start, 0));
        if (at < 0 || at >= WINDOW) break;
        const found = search.finder.examine(source, start + at);
        if (typeof found !== 'number') finds.push(found);
        search.from = typeof found === 'number' ? found : Math.max(found.offset + found.extent, start + at + 1);
        if (search.from - start >= bytes.length) break;
      }
    }
  }
  return outermost(finds);
}

function finders(): Finder[] {
  const text = [STRING_LITERAL, BYTE_LIST, HEX_STRING, BASE64, BASE64_GZIP, BASE64_ZLIB, BASE64_ZSTD];
  return [new ElfObjects(), ...text, GZIP, ZSTD, new LightSkeletons(), new LightSkeletonSources()];
}

function outermost(finds: Find[]): Find[] {
  finds.sort((a, b) => a.offset - b.offset || b.extent - a.extent);
  let end = 0;
  return finds.filter(({ offset, extent }) => {
    if (offset < end) return false;
    end = offset + extent;
    return true;
  });
}
