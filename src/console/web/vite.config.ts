/** How the console is built: hashed files below `assets/`, no source of anybody else's. */
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const folder = fileURLToPath(new URL('.', import.meta.url))

export default defineConfig({
  root: folder,
  plugins: [react()],
  build: {
    outDir: fileURLToPath(new URL('../../../build/console', import.meta.url)),
    emptyOutDir: true,
    sourcemap: false,
    // Icons and fonts would need `data:` in more directives of the policy than images.
    assetsInlineLimit: 0,
    target: 'es2023',
  },
})
