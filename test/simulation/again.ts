/** Runs this command again with a hook, which changes the source as it is loaded: so in a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** With what it ended. */
export async function runAgain(hook: URL, environment: Readonly<Record<string, string>>): Promise<number> {
  const [, command = '', ...args] = process.argv
  const child = spawn(
    process.execPath,
    [...process.execArgv, '--import', fileURLToPath(hook), command, ...args],
    {
      env: { ...process.env, ...environment },
      stdio: 'inherit',
    },
  )
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}
