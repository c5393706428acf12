/** A file of the guest, by its path without the first `/`. */
export interface GuestFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const REGULAR_EXECUTABLE = 0o100755;
const DIRECTORY = 0o040755;

/** An archive in the form that the kernel unpacks into its first file system: cpio's newc (Documentation/driver-api/early-userspace/buffer-format.rst). */
export function initramfs(files: readonly GuestFile[]): Buffer {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at));
  }
  return Buffer.concat([
    ...[...folders].flatMap(path => entry(path, DIRECTORY, new Uint8Array())),
    ...files.flatMap(({ path, bytes }) => entry(path, REGULAR_EXECUTABLE, bytes)),
    ...entry('TRAILER!!!', 0, new Uint8Array()),
  ]);
}

let inode = 0;

/** Header and name, then the file, each filled up to four bytes. */
function entry(path: string, mode: number, bytes: Uint8Array): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [++inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}`);
  return [padded(Buffer.concat([header, name])), padded(Buffer.from(bytes))];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
