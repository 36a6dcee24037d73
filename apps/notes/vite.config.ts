/** How the app is built: a folder of files with hashed names, for `site.ts` to serve. */
import { defineConfig, type UserConfig } from 'vite'

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  // React and CodeMirror are needed before anything can be shown, so splitting would only add round trips.
  build: { outDir: 'dist/site', emptyOutDir: true, chunkSizeWarningLimit: 800 },
})

export default config
