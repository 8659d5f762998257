// Builds the page into src/watchkeeper/server/static: one script, one stylesheet, two fonts, an
// icon, each with a digest of its contents in its name, and the index.html that names them.
// `--out DIR` builds elsewhere, to see whether what is committed is what the sources make.
import { build, context } from 'esbuild'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const here = fileURLToPath(new URL('.', import.meta.url))
const named = process.argv.indexOf('--out')
const out = named > 0 ? resolve(process.argv[named + 1]) : join(here, '../src/watchkeeper/server/static')
const assets = join(out, 'assets')
const packages = ['preact', 'uplot', '@fontsource-variable/inter', '@fontsource-variable/jetbrains-mono']

const options = {
  absWorkingDir: here,
  entryPoints: { app: 'src/main.jsx', icon: 'src/icon.svg' },
  outdir: assets,
  entryNames: '[name].[hash]',
  assetNames: '[name].[hash]',
  bundle: true,
  minify: true,
  metafile: true,
  format: 'esm',
  target: ['es2022', 'chrome115', 'firefox115', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  loader: { '.woff2': 'file', '.svg': 'copy' },
  logLevel: 'warning',
  plugins: [{ name: 'index', setup: (it) => it.onEnd(writeIndex) }],
}

async function writeIndex({ metafile, errors }) {
  if (errors.length) return
  const names = Object.keys(metafile.outputs).map((path) => basename(path))
  const find = (start, end) => names.find((name) => name.startsWith(start) && name.endsWith(end))
  const script = find('app.', '.js')
  const index = await readFile(join(here, 'src/index.html'), 'utf8')
  await writeFile(
    join(out, 'index.html'),
    index
      .replace('%script%', `/assets/${script}`)
      .replace('%style%', `/assets/${find('app.', '.css')}`)
      .replace('%icon%', `/assets/${find('icon.', '.svg')}`),
  )
  await writeFile(join(out, 'licenses.txt'), await licenses())
  const bytes = gzipSync(await readFile(join(assets, script)), { level: 9 }).length
  console.log(`${script}: ${(bytes / 1024).toFixed(1)} KiB gzipped`)
}

async function licenses() {
  const parts = packages.map(async (name) => {
    const folder = join(here, 'node_modules', name)
    const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const text = await readFile(join(folder, 'LICENSE'), 'utf8')
    return `${name} ${version} (${license})\n\n${text.trim()}\n`
  })
  return `The page is built from these packages.\n\n${(await Promise.all(parts)).join('\n----\n\n')}`
}

await rm(out, { recursive: true, force: true })
await mkdir(assets, { recursive: true })
if (process.argv.includes('--watch')) await (await context(options)).watch()
else await build(options)
