/** A server as a process of its own, and what it costs: its CPU and memory as the system counts them. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuMsOf, memoryKibOf } from './process-figures.ts'

export interface ServerProcess {
  readonly port: number
  /** What it keeps its data in. */
  readonly folder: string
  /** CPU time since it started, in milliseconds. */
  cpuMs(): number
  /** Its resident memory after it has collected its garbage, in KiB. */
  memoryKib(): Promise<number>
  /** The same as it is now. */
  residentKib(): number
  /** What it holds after that, in KiB, without what its engine keeps for later. */
  heldKib(): Promise<number>
  /** Ends it, and removes its data unless it is started again. */
  stop(): Promise<void>
}

const preload = new URL('./collect-garbage.ts', import.meta.url).href
// Whoever starts a server holds its standard input; when that ends, however it ends, so does the server.
const guard =
  'data:text/javascript,process.stdin.on("end",()=>process.kill(process.pid,"SIGKILL")).resume().unref()'

/** `args` of the folder that it may keep data in. It must print an address with its port as its first line. */
export async function startServerProcess(
  args: (folder: string) => readonly string[],
  nodeArgs: readonly string[] = [],
): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-bench-'))
  const child = spawn(
    process.execPath,
    ['--expose-gc', ...nodeArgs, '--import', guard, '--import', preload, ...args(folder)],
    { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] },
  )
  let said = ''
  child.stderr?.on('data', chunk => {
    said = (said + String(chunk)).slice(-2000)
  })
  const port = await portOf(child, () => said)
  const pid = child.pid ?? 0

  async function collect(): Promise<number> {
    const collected = once(child, 'message')
    child.send('collect')
    const [held] = (await collected) as [number]
    return held
  }

  return {
    port,
    folder,
    cpuMs: () => cpuMsOf(pid),
    async memoryKib() {
      await collect()
      return memoryKibOf(pid)
    },
    residentKib: () => memoryKibOf(pid),
    heldKib: async () => (await collect()) / 1024,
    async stop() {
      const closed = once(child, 'close')
      child.kill('SIGTERM')
      const hard = setTimeout(() => child.kill('SIGKILL'), 3000)
      await closed
      clearTimeout(hard)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function portOf(child: ChildProcess, said: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    let heard = ''
    child.stdout?.on('data', chunk => {
      heard += String(chunk)
      const port = Number(/:(\d+)/.exec(heard)?.[1])
      if (port > 0) resolve(port)
    })
    child.once('close', code => reject(new Error(`a server ended with code ${code}: ${said()}`)))
  })
}

export function fileBytes(path: string): number {
  return readFileSync(path).length
}
