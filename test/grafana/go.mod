// Grafana's types for dashboards, for the tests: main.go reads one strictly.
module userns-audit.dev/test/grafana

go 1.25

require github.com/grafana/grafana-foundation-sdk/go v0.0.22
