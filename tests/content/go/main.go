// What Go itself does with names and values, one JSON request a line, one JSON answer a line.
//
// A request is {"do": NAME, ...}; byte strings are base64 in both directions, as encoding/json has them.
package main

import (
	"bufio"
	"crypto/sha3"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"unicode"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

type request struct {
	Do          string            `json:"do"`
	JSON        string            `json:"json"`
	Path        string            `json:"path"`
	Text        string            `json:"text"`
	URL         bool              `json:"url"`
	Data        map[string][]byte `json:"data"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Target      string            `json:"target"`
}

// The two fields of a resource that its version hash covers.
type metadata struct {
	annotations map[string]string
	labels      map[string]string
}

func hash(value any) string {
	return fmt.Sprintf("%x", sha3.Sum224([]byte(fmt.Sprintf("%+v", value))))
}

func answer(asked request) map[string]any {
	switch asked.Do {
	case "gjson":
		found := gjson.Get(asked.JSON, asked.Path)
		text := found.Raw
		if found.Type == gjson.String {
			text = found.Str
		} else if found.Type == gjson.Null {
			text = ""
		}
		return map[string]any{"valid": gjson.Valid(asked.JSON), "exists": found.Exists(), "text": text}
	case "object":
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(asked.JSON), &members); err != nil || members == nil {
			return map[string]any{"object": nil}
		}
		texts := map[string]string{}
		for name, raw := range members {
			text := ""
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw)
			}
			texts[name] = text
		}
		return map[string]any{"object": texts}
	case "decode":
		encoding := base64.StdEncoding
		if asked.URL {
			encoding = base64.URLEncoding
		}
		content, err := encoding.DecodeString(asked.Text)
		return map[string]any{"ok": err == nil, "content": content}
	case "hash data":
		return map[string]any{"hash": hash(asked.Data)}
	case "hash metadata":
		return map[string]any{"hash": hash(metadata{asked.Annotations, asked.Labels})}
	case "hash text":
		return map[string]any{"hash": hash(asked.Text)}
	case "search":
		pattern, err := regexp.Compile(asked.Path)
		return map[string]any{"ok": err == nil, "found": err == nil && pattern.MatchString(asked.Text)}
	case "replace":
		pattern, err := regexp.Compile(asked.Path)
		if err != nil {
			return map[string]any{"ok": false}
		}
		return map[string]any{"ok": true, "text": pattern.ReplaceAllString(asked.Text, asked.Target)}
	case "set":
		text, err := sjson.Set(asked.JSON, asked.Path, asked.Text)
		return map[string]any{"ok": err == nil, "text": text}
	case "delete":
		text, err := sjson.Delete(asked.JSON, asked.Path)
		return map[string]any{"ok": err == nil, "text": text}
	case "write object":
		written, err := json.Marshal(asked.Labels)
		return map[string]any{"ok": err == nil, "text": string(written)}
	case "kept":
		kept := []bool{}
		for _, character := range asked.Text {
			kept = append(kept, unicode.IsLetter(character) || unicode.IsNumber(character))
		}
		return map[string]any{"kept": kept}
	}
	return map[string]any{"unknown": asked.Do}
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	answers := json.NewEncoder(out)
	requests := json.NewDecoder(lines)
	for {
		var asked request
		if err := requests.Decode(&asked); err != nil {
			return
		}
		if err := answers.Encode(answer(asked)); err != nil {
			panic(err)
		}
		if err := out.Flush(); err != nil {
			panic(err)
		}
	}
}
