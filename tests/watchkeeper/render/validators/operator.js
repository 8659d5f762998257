// Reads Kubernetes objects as JSON from standard input, one a line, and prints what the Prometheus
// Operator's schemas say against each: `kind name: message`. Exit 1 if there is anything.
import { createInterface } from 'node:readline'

const models = {
  'monitoring.coreos.com/v1': await import('@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'),
  'monitoring.coreos.com/v1alpha1': await import('@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1alpha1'),
}

for await (const line of createInterface({ input: process.stdin })) {
  const object = JSON.parse(line)
  const name = `${object.kind} ${object.metadata.name}`
  const Model = models[object.apiVersion]?.[object.kind]
  if (!Model) {
    console.log(`${name}: no schema for ${object.apiVersion}`)
    process.exitCode = 1
    continue
  }
  try {
    new Model(object).validate()
  } catch (error) {
    console.log(`${name}: ${error.message}`)
    process.exitCode = 1
  }
}
