/** What an editor asks a language server, over its standard streams. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import { within } from '../../chaos/harness/until.ts'

export interface Editor {
  /** Opens a file with this code, whether or not it is on the disk, or replaces the code of one that is open. */
  write(file: string, code: string): void
  /** What may stand where the code of an open file first has this text, behind it. */
  complete(file: string, text: string): Promise<readonly string[]>
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly result?: unknown
}

interface Completions {
  readonly items: readonly { readonly label: string }[]
}

/** `server`: its command, which speaks the Language Server Protocol. */
export async function openEditor(folder: string, server: readonly string[]): Promise<Editor> {
  const [command = '', ...args] = server
  const child = spawn(command, args, { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const waiting = new Map<number, (result: unknown) => void>()
  const codeByFile = new Map<string, string>()
  let asked = 0
  let version = 0

  const send = (message: object): void => {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }))
    child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`)
    child.stdin.write(body)
  }
  const ask = <T>(method: string, params: object): Promise<T> => {
    const id = ++asked
    send({ id, method, params })
    const answer = new Promise<T>(resolve => waiting.set(id, result => resolve(result as T)))
    return within(answer, `the language server answers ${method}`)
  }
  child.stdout.on(
    'data',
    readMessages(message => {
      // What the server asks of an editor, such as its settings, has no answer that would matter.
      if (message.method !== undefined && message.id !== undefined) send({ id: message.id, result: null })
      else if (message.id !== undefined) waiting.get(message.id)?.(message.result)
    }),
  )

  const addressOf = (file: string): string => pathToFileURL(join(folder, file)).href
  await ask('initialize', { processId: process.pid, rootUri: pathToFileURL(folder).href, capabilities: {} })
  send({ method: 'initialized', params: {} })
  return {
    write(file, code) {
      const isOpen = codeByFile.has(file)
      codeByFile.set(file, code)
      const textDocument = { uri: addressOf(file), version: ++version }
      if (isOpen) {
        send({ method: 'textDocument/didChange', params: { textDocument, contentChanges: [{ text: code }] } })
      } else {
        const opened = { ...textDocument, languageId: 'typescript', text: code }
        send({ method: 'textDocument/didOpen', params: { textDocument: opened } })
      }
    },
    async complete(file, text) {
      const before = (codeByFile.get(file) ?? '').split(text)[0] ?? ''
      const lines = `${before}${text}`.split('\n')
      const position = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 }
      const params = { textDocument: { uri: addressOf(file) }, position }
      const found = await ask<Completions | Completions['items'] | null>('textDocument/completion', params)
      const items = found === null ? [] : 'items' in found ? found.items : found
      return items.map(({ label }) => label)
    },
  }
}

/** Messages are lengths in a header, and then so many bytes of JSON. */
function readMessages(take: (message: Message) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0)
  return chunk => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const end = rest.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/i.exec(rest.subarray(0, Math.max(0, end)).toString())?.[1])
      if (end < 0 || rest.length < end + 4 + length) return
      take(JSON.parse(rest.subarray(end + 4, end + 4 + length).toString()) as Message)
      rest = rest.subarray(end + 4 + length)
    }
  }
}
