// Command witness reads manifests the way kubectl does, to be compared with src/manifests.
//
// Standard input: one JSON string a line, each the text of a file. Standard output: one line for each,
// {"documents": [value…]} or {"documents": [the values before it…], "error": "…"}.
// With -single every text is one document (sigs.k8s.io/yaml), else a stream as `kubectl create -f -` splits it. A text of
// which kubectl silently drops the rest after its first document has "rest": true.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"strings"

	goyaml "go.yaml.in/yaml/v2"
	apiyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type answer struct {
	Documents []json.RawMessage `json:"documents"`
	Error     string            `json:"error,omitempty"`
	Rest      bool              `json:"rest,omitempty"`
}

func hasRest(text string) bool {
	decoder := goyaml.NewDecoder(strings.NewReader(text))
	var first, second any
	return decoder.Decode(&first) == nil && !errors.Is(decoder.Decode(&second), io.EOF)
}

func single(text string, strict bool) answer {
	convert := yaml.YAMLToJSON
	if strict {
		convert = yaml.YAMLToJSONStrict
	}
	value, err := convert([]byte(text))
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Documents: []json.RawMessage{value}, Rest: hasRest(text)}
}

func stream(text string) answer {
	decoder := apiyaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	result := answer{}
	for {
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return result
		}
		if err != nil {
			result.Error = err.Error()
			return result
		}
		result.Documents = append(result.Documents, value)
	}
}

func main() {
	one := flag.Bool("single", false, "every text is one document")
	strict := flag.Bool("strict", false, "with -single: duplicate keys are errors")
	flag.Parse()
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	encoder := json.NewEncoder(output)
	for {
		line, err := input.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return
		}
		var text string
		if err := json.Unmarshal(line, &text); err != nil {
			panic(err)
		}
		result := answer{}
		if *one {
			result = single(text, *strict)
		} else {
			result = stream(text)
		}
		if err := encoder.Encode(result); err != nil {
			panic(err)
		}
	}
}
