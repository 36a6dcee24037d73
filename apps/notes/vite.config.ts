/** How the app is built: a folder of files with hashed names, for `site.ts` to serve. */
import { join } from 'node:path'
import { defineConfig, type UserConfig } from 'vite'

const root = import.meta.dirname

const config: UserConfig = defineConfig({
  root,
  build: {
    outDir: 'dist/site',
    emptyOutDir: true,
    // React and CodeMirror are needed before anything can be shown, so splitting would only add round trips.
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      input: { index: join(root, 'index.html'), 'service-worker': join(root, 'src', 'service-worker.ts') },
      output: {
        // A worker is known by its address, so it is the one script that keeps its name.
        entryFileNames: chunk => (chunk.name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
})

export default config
