import { chromium } from 'playwright-core'
const b=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox','--disable-gpu','--disable-background-networking']})
for (const [n,w,c] of [['light',1280,'light'],['dark',1280,'dark'],['phone',380,'light']] as const){const p=await b.newPage({viewport:{width:w,height:900},colorScheme:c});p.on('console',m=>console.log(m.text()));await p.goto(process.argv[2]!);console.log(n,await p.evaluate('document.documentElement.scrollWidth'));await p.screenshot({path:`/tmp/probe-h/${process.argv[3]}-${n}.png`,fullPage:true})}
await b.close()
