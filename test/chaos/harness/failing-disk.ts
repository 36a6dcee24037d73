/**
 * Disks that fail in the ways in which disks do. A small file system of its own, where this process may mount one, gets
 * really full and can really be taken away; elsewhere the system is asked to let a process write no more.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { RelayProcess } from './relay-process.ts'

export interface Fault {
  readonly name: string
  /** Whether the next relay meets it too. */
  readonly isOfDisk: boolean
  /** From now on nothing more can be written; the result ends it. */
  begin(relay: RelayProcess, disk: Disk): () => void
}

export interface Disk {
  /** Where a relay may keep its data. */
  readonly folder: string
  /** Nobody may write here until `writable`. No relay may run on it. */
  readOnly(): void
  writable(): void
  /** The folder is somewhere else, and an empty one in its place, until `bringBack`. No relay may start on it. */
  takeAway(): void
  bringBack(): void
}

const isRoot = process.getuid?.() === 0
const canMount = process.platform === 'linux' && isRoot && tryToMount()
const canLimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0

/** All that this system lets a test do. */
export const faults: readonly Fault[] = [
  ...(canMount ? [{ name: 'is full', isOfDisk: true, begin: fill }] : []),
  ...(canLimit ? [{ name: 'takes no more writes', isOfDisk: false, begin: limit }] : []),
]

/** What can keep a relay from writing: who may write everything needs a file system of its own for it. */
export const protections: readonly string[] = canMount || !isRoot ? ['nobody may write'] : []

const mounted = new Set<string>()
process.on('exit', () => mounted.forEach(unmount))

export function createDisk(): Disk {
  const outer = mkdtempSync(join(tmpdir(), 'rejoin-disk-'))
  const folder = join(outer, 'disk')
  mkdirSync(folder)
  if (canMount) {
    mount('-t', 'tmpfs', '-o', 'size=16m', 'rejoin-test', folder)
    mounted.add(folder)
  }
  onTestFinished(() => {
    unmount(folder)
    rmSync(outer, { recursive: true, force: true })
  })
  const data = join(folder, 'data')
  mkdirSync(data)
  const away = join(folder, 'away')
  return {
    folder: data,
    readOnly: () => (canMount ? mount('-o', 'remount,ro', folder) : chmodSync(data, 0o555)),
    writable: () => (canMount ? mount('-o', 'remount,rw', folder) : chmodSync(data, 0o755)),
    takeAway() {
      renameSync(data, away)
      mkdirSync(data)
    },
    bringBack() {
      rmSync(data, { recursive: true })
      renameSync(away, data)
    },
  }
}

/** Somebody else's file takes all the room there is. */
function fill(_relay: RelayProcess, { folder }: Disk): () => void {
  const file = join(folder, '..', 'ballast')
  const block = Buffer.alloc(64 * 1024)
  for (let size = block.length; size >= 1; ) {
    try {
      writeFileSync(file, block.subarray(0, size), { flag: 'a' })
    } catch {
      size = Math.floor(size / 2)
    }
  }
  return () => rmSync(file)
}

/** The process may not make a file longer, or write beyond its first byte. */
function limit(relay: RelayProcess): () => void {
  const { pid } = relay
  const set = (bytes: string): void =>
    void execFileSync('prlimit', ['--pid', `${pid}`, `--fsize=${bytes}:unlimited`])
  set('0')
  return () => {
    if (relay.pid === pid) set('unlimited')
  }
}

function mount(...args: readonly string[]): void {
  execFileSync('mount', args)
}

function unmount(folder: string): void {
  if (mounted.delete(folder)) spawnSync('umount', ['-l', folder])
}

function tryToMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-mount-'))
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', 'rejoin-test', folder]).status === 0
  if (isMounted) spawnSync('umount', [folder])
  rmSync(folder, { recursive: true })
  return isMounted
}
