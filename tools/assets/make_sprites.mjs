// Render the emoji that the scenes are made of, as 288 px PNGs, into the folder named as argument.
// npm install @resvg/resvg-js @iconify-json/{noto,noto-v1,twemoji,fxemoji,fluent-emoji-flat}
// node tools/assets/make_sprites.mjs raw && python tools/assets/make_sprites.py raw lessonlib/data/sprites
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { Resvg } from '@resvg/resvg-js'
const require = createRequire(import.meta.url)

// subject: name in the icon sets, then the sets whose drawing is not a whole figure
const subjects = {
  horse: 'horse', zebra: 'zebra twemoji', cow: 'cow', cat: 'cat fxemoji', dog: 'dog fxemoji', tiger: 'tiger fxemoji',
  elephant: 'elephant', sheep: 'ewe', pig: 'pig fxemoji', rabbit: 'rabbit', giraffe: 'giraffe', camel: 'camel',
  turtle: 'turtle', penguin: 'penguin',
  apple: 'red-apple', pear: 'pear', orange: 'tangerine', lemon: 'lemon', banana: 'banana', watermelon: 'watermelon',
  grapes: 'grapes', strawberry: 'strawberry', cherries: 'cherries', pineapple: 'pineapple',
  car: 'automobile', bus: 'bus', truck: 'delivery-truck', tractor: 'tractor', bicycle: 'bicycle',
  motorcycle: 'motorcycle', train: 'locomotive', helicopter: 'helicopter', airplane: 'airplane', rocket: 'rocket',
}
const [out] = process.argv.slice(2)
for (const set of ['noto', 'noto-v1', 'twemoji', 'fxemoji', 'fluent-emoji-flat']) {
  const icons = require(`@iconify-json/${set}/icons.json`)
  fs.mkdirSync(`${out}/${set}`, { recursive: true })
  for (const [subject, spec] of Object.entries(subjects)) {
    const [name, ...not_whole] = spec.split(' ')
    const icon = icons.icons[icons.aliases?.[name]?.parent ?? name]
    if (!icon || not_whole.includes(set)) continue
    const [w, h] = [icon.width ?? icons.width ?? 16, icon.height ?? icons.height ?? 16]
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
      viewBox="${icon.left ?? 0} ${icon.top ?? 0} ${w} ${h}" width="${w}" height="${h}">${icon.body}</svg>`
    const picture = new Resvg(svg, { fitTo: { mode: 'width', value: 288 } }).render()
    fs.writeFileSync(`${out}/${set}/${subject}.png`, picture.asPng())
  }
}
