import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { obstacleToRunningKernel } from 'kelf';

describe('npm start', () => {
  it('audits the running kernel or the one of fixtures/, and says which and why', () => {
    const script = fileURLToPath(new URL('../../../lib/cli/start.js', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--json'], { encoding: 'utf8', maxBuffer: 1 << 28 });
    expect(status, stderr).to.equal(0);
    const obstacle = obstacleToRunningKernel();
    const { kernel } = JSON.parse(stdout) as { kernel: { name: string; release: string } };
    if (obstacle === undefined) {
      expect(kernel.name).to.equal('the running kernel');
      expect(stderr).to.match(/^kelf: auditing the running kernel: /);
    } else {
      expect(kernel.release).to.equal('6.1.0-kelf-amd64');
      expect(stderr.split('\n')[0]).to.contain('vmlinux-amd64').and.contain(obstacle);
    }
  });
});
