import { Gauge, type Registry } from 'prom-client';

/** One family of gauges: its name, help and labels, and its samples as they are now. */
export interface MetricFamily<Label extends string> {
  /** Without the prefix of all metrics. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
  /** Asked at every scrape: a series that is not among them is gone. */
  readonly samples: () => Iterable<readonly [labels: Readonly<Record<Label, string>>, value: number]>;
}

/** Adds a family to a registry. */
export function registerFamily<Label extends string>(
  registry: Registry,
  { name, help, labels, samples }: MetricFamily<Label>,
): void {
  new Gauge({
    name: `userns_audit_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      for (const [values, value] of samples()) this.set(values, value);
    },
  });
}
