package main

import (
	"fmt"
	"maps"
	"os"
	"sort"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	_ "time/tzdata" // a sandbox has no files, and templates name time zones
)

// Function maps by what is switched on; they hold no state, what differs is read from the request.
var known = map[[2]bool]template.FuncMap{}

// functions gives the functions in the order in which Atmos registers them: gomplate's, sprig's over these, its own over both.
func functions(withSprig, withGomplate bool) template.FuncMap {
	key := [2]bool{withSprig, withGomplate}
	if made, ok := known[key]; ok {
		return made
	}
	result := template.FuncMap{}
	if withGomplate {
		maps.Copy(result, gomplate())
	}
	if withSprig {
		maps.Copy(result, bounded(sprig.FuncMap()))
	}
	result["atmos"] = func() any { return Atmos{} }
	result["collectKeys"] = collectKeys
	known[key] = result
	return result
}

// What sprig takes from the clock, from chance and from the network.
var unsteady = []string{
	"now", "ago", "randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle", "uuidv4",
	"genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert",
	"genSignedCertWithKey", "htpasswd", "bcrypt", "encryptAES", "getHostByName",
}

func bounded(result template.FuncMap) template.FuncMap {
	for _, name := range unsteady {
		if inner, ok := result[name]; ok {
			result[name] = chancy(name, inner)
		}
	}
	result["env"] = func(name string) (string, error) {
		if current.Environment == nil {
			return "", deferred{"env"}
		}
		return current.Environment[name], nil
	}
	result["expandenv"] = func(text string) (string, error) {
		if current.Environment == nil {
			return "", deferred{"expandenv"}
		}
		return os.Expand(text, func(name string) string { return current.Environment[name] }), nil
	}
	return result
}

// Atmos is the `atmos` namespace: all of it is answered by the host.
type Atmos struct{}

func (Atmos) Component(component, stack string) (any, error) {
	return ask("atmos.Component", component, stack)
}

func (Atmos) Store(store, stack, component, key string) (any, error) {
	return ask("atmos.Store", store, stack, component, key)
}

func (Atmos) Resolve(text string) (any, error) { return ask("atmos.Resolve", text) }

func (Atmos) GomplateDatasource(alias string, arguments ...string) (any, error) {
	return ask("atmos.GomplateDatasource", append([]any{alias}, anys(arguments)...)...)
}

func anys(texts []string) []any {
	result := make([]any, len(texts))
	for position, text := range texts {
		result[position] = text
	}
	return result
}

// collectKeys gives a map's keys in order; with a name, the keys of the maps under that name in each of its values.
func collectKeys(value any, below ...string) ([]string, error) {
	entries, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("collectKeys: argument is not a map\ncollectKeys: expected a map, got %T", value)
	}
	found := map[string]bool{}
	for key, entry := range entries {
		if len(below) == 0 {
			found[key] = true
			continue
		}
		inner, _ := entry.(map[string]any)
		nested, _ := inner[below[0]].(map[string]any)
		for name := range nested {
			found[name] = true
		}
	}
	keys := make([]string, 0, len(found))
	for key := range found {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys, nil
}
