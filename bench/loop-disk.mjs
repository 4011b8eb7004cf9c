// A disk of its own in a file, which can lose power and be filled. Needs root and loop devices.
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'

/** EXT4_IOC_SHUTDOWN without writing the journal out: from then on the file system takes nothing, as when power is gone. */
const shutDown = `import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))`

/** @param {string} program @param {readonly string[]} line */
const run = (program, ...line) => execFileSync(program, line, { stdio: 'pipe' })

export class LoopDisk {
  /** @param {string} image @param {string} folder where it is seen @param {number} bytes */
  constructor(image, folder, bytes) {
    this.image = image
    this.folder = folder
    writeFileSync(image, '')
    truncateSync(image, bytes)
    mkdirSync(folder, { recursive: true })
    run('mkfs.ext4', '-q', '-F', image)
    this.mount()
  }

  /** Whether this machine lets it be done; in words why not. @returns {string | undefined} */
  static refusal() {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux'
    try {
      run('losetup', '-f')
      run('python3', '--version')
      return undefined
    } catch {
      return 'needs loop devices and python3'
    }
  }

  mount() {
    run('mount', '-o', 'loop', this.image, this.folder)
  }

  /** What was not synced is gone; nobody may be using it when it comes back. */
  cutPower() {
    run('python3', '-c', shutDown, this.folder)
  }

  powerUp() {
    run('umount', this.folder)
    this.mount()
  }

  /** Leaves nothing free; answers what makes room again. */
  fill() {
    const filler = `${this.folder}/filler`
    const { bavail, bsize } = statfsSync(this.folder)
    run('fallocate', '-l', String(Math.max(4_096, (bavail - 8) * bsize)), filler)
    try {
      run('dd', 'if=/dev/zero', `of=${filler}.rest`, 'bs=4096')
    } catch {
      // it is full
    }
    return () => {
      rmSync(filler)
      rmSync(`${filler}.rest`, { force: true })
    }
  }

  remove() {
    try {
      run('umount', '-l', this.folder)
    } catch {
      // it is not mounted
    }
    rmSync(this.image, { force: true })
  }
}
