// Reads a dashboard from standard input as Grafana's schema has it: every field it asks for, of its type, and none it does not know.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	if err := check(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func check() error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	// Without the plugins the options of panels and the queries are taken as they come.
	plugins.RegisterDefaultPlugins()
	var read dashboard.Dashboard
	// It returns an empty list of errors where there are none, which is no nil.
	if err := read.UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		return err
	}
	return read.Validate()
}
