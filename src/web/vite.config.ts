import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  publicDir: false,
  build: {
    target: 'es2022',
    // Fonts and pictures stay files: the service's policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        index: `${import.meta.dirname}/index.html`,
        verify: `${import.meta.dirname}/verify.html`,
        worker: `${import.meta.dirname}/verification/worker.ts`,
      },
      output: {
        // A service worker keeps its name, by which a browser asks whether there is a newer one.
        entryFileNames: ({ name }) => (name === 'worker' ? 'worker.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
});
