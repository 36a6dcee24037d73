/** Runs this command again where the product's bounds are tight: these are set as it is loaded, so in a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** With what it ended. */
export async function runTight(): Promise<number> {
  const [, command = '', ...args] = process.argv
  const hook = fileURLToPath(new URL('hook.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', hook, command, ...args], {
    env: { ...process.env, REJOIN_TIGHT: 'yes' },
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}
