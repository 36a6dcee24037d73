/** Examples of documents, compiled and run as the programs that they are. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const root = join(import.meta.dirname, '..', '..')

/** The TypeScript of a page, in order. */
export function examplesOf(page: string): readonly string[] {
  return [...readFileSync(join(root, page), 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(
    ([, code]) => code ?? '',
  )
}

/** What the compiler says about programs in this workspace: nothing, if they are well. */
export function compileExamples(...programs: readonly string[]): string {
  const folder = createFolder()
  const files = programs.map((_, i) => `example-${i + 1}.ts`)
  files.forEach((file, i) => writeFileSync(join(folder, file), programs[i] ?? ''))
  const compilerOptions = {
    composite: false,
    declaration: false,
    emitDeclarationOnly: false,
    noEmit: true,
    rootDir: '/',
    rewriteRelativeImportExtensions: false,
  }
  const config = { extends: '../../tsconfig.json', compilerOptions, files, include: [] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...config, references: [] }))
  const tsc = join(root, 'node_modules/.bin/tsc')
  const { stdout } = spawnSync(tsc, ['-p', folder, '--pretty', 'false'], { encoding: 'utf8' })
  return stdout
}

/** Runs a program to its end; resolves to what it exports. */
export function runExample(code: string): Promise<unknown> {
  const file = join(createFolder(), 'example.ts')
  writeFileSync(file, code)
  return import(/* @vite-ignore */ file)
}

/** In a place from which the packages are found, and which is not kept. */
function createFolder(): string {
  const dist = join(root, 'test', 'dist')
  mkdirSync(dist, { recursive: true })
  const folder = mkdtempSync(join(dist, 'example-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
