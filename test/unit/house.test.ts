// The rules of the house that no single package can keep: who may import whom, what lies at the root, and that the
// tools which are trusted to refuse a wrong import or a clock in pure code do refuse it.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

interface Manifest {
  readonly name: string
  readonly folder: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** What each package may import of the others: always something below it, never itself or a neighbour. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  resolve: ['core'],
  client: ['core'],
  relay: ['core', 'resolve'],
  react: ['core', 'client'],
  devtools: ['core', 'client'],
  testkit: ['core', 'resolve', 'client', 'relay'],
  notes: ['core', 'resolve', 'client', 'relay', 'react', 'devtools'],
  playground: ['core', 'resolve', 'client', 'relay', 'react', 'devtools', 'testkit'],
  test: ['core', 'resolve', 'client', 'relay', 'react', 'devtools', 'testkit', 'notes', 'playground'],
}

/** Every runtime dependency of the packages that end up in other people's bundles. */
const bundled: Readonly<Record<string, readonly string[]>> = {
  core: ['lib0'],
  resolve: ['@rejoin/core', 'lib0', 'yjs'],
  client: ['@rejoin/core', 'idb'],
}

const root = join(import.meta.dirname, '..', '..')
const manifests = ['packages', 'apps']
  .flatMap(shelf => readdirSync(join(root, shelf)).map(name => `${shelf}/${name}`))
  .concat('test')
  .filter(folder => existsSync(join(root, folder, 'package.json')))
  .map(readManifest)
const packages = manifests.filter(manifest => manifest.folder.startsWith('packages/'))

test('the root holds exactly the entries of the floor plan', () => {
  const files = listFiles([])
  const entries = new Set(files.map(file => file.split('/')[0] ?? '').filter(entry => !entry.startsWith('.')))
  expect([...entries].sort()).toEqual([
    'LICENSE',
    'README.md',
    'apps',
    'package.json',
    'packages',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'test',
    'tsconfig.base.json',
  ])
})

test('every workspace package declares downward dependencies only', () => {
  const upward = manifests.flatMap(manifest =>
    housemates(manifest)
      .filter(name => !allowed(manifest).includes(name))
      .map(name => `${shortName(manifest)} -> ${name}`),
  )
  expect(upward).toEqual([])
})

test('the packages that browsers load depend on what the design allows and on nothing else', () => {
  for (const [name, dependencies] of Object.entries(bundled)) {
    const manifest = packages.find(candidate => shortName(candidate) === name)
    expect(Object.keys(manifest?.dependencies ?? {}).sort(), name).toEqual(dependencies)
    expect(manifest?.peerDependencies, name).toBeUndefined()
  }
})

test('every import names a declared dependency and no relative path leaves its package', () => {
  const strays = manifests.flatMap(manifest =>
    sourceFiles(manifest).flatMap(file =>
      importsOf(file)
        .filter(specifier => !isDeclared(manifest, file, specifier))
        .map(specifier => `${file}: ${specifier}`),
    ),
  )
  expect(strays).toEqual([])
})

test('the references of every tsconfig.json are the dependencies of its package.json', () => {
  for (const manifest of packages) {
    const config: { readonly references?: readonly { readonly path: string }[] } = JSON.parse(
      readFileSync(join(root, manifest.folder, 'tsconfig.json'), 'utf8'),
    )
    const references = (config.references ?? []).map(reference => reference.path.replace('../', ''))
    expect(references.sort(), manifest.folder).toEqual(housemates(manifest))
  }
})

test('every version is exact', () => {
  const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8').split(/^catalog:$/m)[1] ?? ''
  const pinned = new Map(
    [...catalog.matchAll(/^ {2}['"]?([^'":]+)['"]?: (.+)$/gm)].map(([, name, version]) => [name, version]),
  )
  expect(pinned.size).toBeGreaterThan(20)
  const loose = [...manifests, readManifest('.')].flatMap(manifest =>
    Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
      .filter(([name, version]) => !isExact(version === 'catalog:' ? (pinned.get(name) ?? '') : version))
      .map(([name, version]) => `${manifest.name}: ${name} ${version}`),
  )
  expect(loose).toEqual([])
})

test('every index.ts names what it exports, and nothing is an enum', () => {
  const sources = manifests.flatMap(sourceFiles)
  expect(sources.length).toBeGreaterThan(manifests.length)
  const wrong = sources.filter(file =>
    /^\s*export \*|^\s*(export )?(declare )?(const )?enum \w/m.test(read(file)),
  )
  expect(wrong).toEqual([])
})

test.each(packages.map(shortName))('the compiler refuses in %s every import but a downward one', name => {
  const manifest = packages.find(candidate => shortName(candidate) === name)
  expect(manifest).toBeDefined()
  if (manifest === undefined) return
  // The probe lies in the package's own folder, since that is what decides which packages it finds.
  const dist = join(root, manifest.folder, 'dist')
  mkdirSync(dist, { recursive: true })
  const folder = mkdtempSync(join(dist, 'probe-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const others = packages.map(shortName).filter(other => other !== name)
  const probe = others.map(other => `import * as ${other} from '@rejoin/${other}'\n`).join('')
  writeFileSync(join(folder, 'probe.ts'), `${probe}export const all: unknown = [${others.join()}]\n`)
  const options = { composite: false, noEmit: true, rootDir: '/', rewriteRelativeImportExtensions: false }
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: options,
    files: ['probe.ts'],
    references: [],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const compiler = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
  })
  const refused = [...compiler.stdout.matchAll(/probe\.ts.*TS2307: Cannot find module '@rejoin\/(\w+)'/g)]
  const expected = others.filter(other => !allowed(manifest).includes(other))
  expect(refused.map(match => match[1]).sort(), compiler.stdout).toEqual(expected.sort())
})

test.each([
  ['packages/core/src/probe.ts', 'export const now: number = Date.now()', 'no-restricted-globals'],
  ['packages/core/src/probe.ts', 'export const chance: number = Math.random()', 'no-restricted-properties'],
  ['packages/resolve/src/probe.ts', 'setTimeout(() => {}, 1)', 'no-restricted-globals'],
  [
    'packages/core/src/probe.ts',
    "import { readFileSync } from 'node:fs'\nreadFileSync('a')",
    'no-restricted-imports',
  ],
  [
    'packages/core/src/probe.ts',
    "import { openReplica } from '@rejoin/client'\nopenReplica()",
    'no-restricted-imports',
  ],
  [
    'packages/resolve/src/screen/probe.ts',
    "import { Doc } from 'yjs'\nnew Doc().load()",
    'no-restricted-imports',
  ],
  ['packages/client/src/probe.ts', "import { Doc } from 'yjs'\nnew Doc().load()", 'no-restricted-imports'],
  ['packages/client/src/probe.ts', 'export const now: number = Date.now()', 'no-restricted-globals'],
  ['packages/relay/src/probe.ts', 'setTimeout(() => {}, 1)', 'no-restricted-globals'],
  [
    'packages/relay/src/kernel/probe.ts',
    "import { Hono } from 'hono'\nnew Hono().fire()",
    'no-restricted-imports',
  ],
])('the linter refuses in %s: %s', (path, source, rule) => {
  expect(lint(path, source)).toContain(rule)
})

test('the linter lets a runtime file of the shells touch the clock', () => {
  expect(lint('packages/client/src/browser-runtime.ts', 'export const now: number = Date.now()')).toBe('')
  expect(lint('packages/relay/src/node-runtime.ts', 'export const now: number = Date.now()')).toBe('')
})

function lint(path: string, source: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-lint-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), `${source}\n`)
  const linter = spawnSync(join(root, 'node_modules/.bin/oxlint'), ['-f', 'unix'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return linter.status === 0 ? '' : linter.stdout
}

function readManifest(folder: string): Manifest {
  return { ...JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')), folder }
}

function shortName(manifest: Manifest): string {
  return manifest.name.replace('@rejoin/', '')
}

function allowed(manifest: Manifest): readonly string[] {
  const names = mayImport[shortName(manifest)]
  if (names === undefined) throw new Error(`Say in house.test.ts what ${manifest.name} may import.`)
  return names
}

function declared(manifest: Manifest): readonly string[] {
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies })
}

function housemates(manifest: Manifest): readonly string[] {
  const names = declared(manifest).filter(name => name.startsWith('@rejoin/'))
  return names.map(name => name.replace('@rejoin/', '')).sort()
}

/** Files that git knows or would take, so that a new file is judged before it is committed. */
/** Objects with a getter of their own, of which few are made and none lies on the way of a change. */
const mayHaveGetters: readonly string[] = [
  'packages/client/src/owner.ts',
  'packages/client/src/storage-faults.ts',
  'packages/client/src/texts.ts',
  'packages/core/src/key-set.ts',
  'packages/relay/src/kernel/folding.ts',
  'packages/relay/src/readable-write.ts',
]

test('what a function makes has no getter of its own, since engines keep such an object as a table (core/with-methods.ts)', () => {
  const files = packages
    .filter(({ name }) => ['@rejoin/core', '@rejoin/client', '@rejoin/relay'].includes(name))
    .flatMap(sourceFiles)
  const withGetters = files.filter(file => /^ {4,}get \w+\(\)/m.test(read(file)))
  expect(withGetters.toSorted()).toEqual(mayHaveGetters)
})

function listFiles(paths: readonly string[]): readonly string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', '--', ...paths]
  const listed = spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim()
  return listed.split('\n').filter(file => file !== '' && existsSync(join(root, file)))
}

function sourceFiles(manifest: Manifest): readonly string[] {
  return listFiles([manifest.folder]).filter(file => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function importsOf(file: string): readonly string[] {
  const statements = /\bfrom '([\w@./:-]+)'|^\s*import '([\w@./:-]+)'|\bimport\('([\w@./:-]+)'\)/gm
  return [...read(file).matchAll(statements)].map(match => match[1] ?? match[2] ?? match[3] ?? '')
}

function isDeclared(manifest: Manifest, file: string, specifier: string): boolean {
  if (specifier.startsWith('.')) {
    const target = relative(root, resolve(root, dirname(file), specifier))
    return `${target}/`.startsWith(`${manifest.folder}/`)
  }
  if (specifier.startsWith('node:')) return declared(manifest).includes('@types/node')
  const parts = specifier.split('/')
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '')
  return declared(manifest).includes(name)
}

function isExact(version: string): boolean {
  return version === 'workspace:*' || /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)
}
