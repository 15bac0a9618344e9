// Evaluates each line of input and writes the result as a line of JSON. An expression may use `db`, a PostgrestClient,
// and `admin`, the data provider of react-admin.
import { createInterface } from 'node:readline'
import { PostgrestClient } from '@supabase/postgrest-js'
import reactAdmin from '@raphiniert/ra-data-postgrest'

const url = process.argv[2]
const db = new PostgrestClient(url)
const admin = reactAdmin.default({
  apiUrl: url,
  httpClient: fetchJson,
  defaultListOp: 'eq',
  primaryKeys: new Map([['lines', ['order_id', 'position']]]),
  schema: () => 'public',
})

// As fetchUtils.fetchJson of react-admin, which comes with all of React.
async function fetchJson(address, options) {
  const response = await fetch(address, options)
  const body = await response.text()
  const json = body ? JSON.parse(body) : undefined
  if (!response.ok) throw Object.assign(new Error(json?.message), { body: json })
  return { status: response.status, headers: response.headers, body, json }
}

async function result(expression) {
  try {
    const { data, count, total, error } = await new Function('db', 'admin', `return ${expression}`)(db, admin)
    return { data, count: count ?? total ?? null, error: error ?? null }
  } catch (thrown) {
    return thrown.body ? { error: thrown.body } : { thrown: String(thrown) }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await result(JSON.parse(line))) + '\n')
}
