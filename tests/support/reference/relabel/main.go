// SPDX-License-Identifier: Apache-2.0

// Command relabel makes tests/unit/fixtures/relabel.jsonl: label sets and relabel_configs, and
// what Prometheus's own package makes of them. The first cases are written by hand, one for each
// behaviour that its documentation and its tests name; the rest are random. A line is
//
//	{"labels": {…}, "rules": [{…}], "keep": true, "result": {…}}
//
// with "invalid": true where a rule is refused. Arguments: the seed and the number of random cases.
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
)

// rule has a key for each that relabel_configs have; nil: it is not given.
type rule struct {
	Action      string   `json:"action,omitempty"`
	Source      []string `json:"source_labels,omitempty"`
	Separator   *string  `json:"separator,omitempty"`
	Regex       *string  `json:"regex,omitempty"`
	Modulus     uint64   `json:"modulus,omitempty"`
	Target      *string  `json:"target_label,omitempty"`
	Replacement *string  `json:"replacement,omitempty"`
}

type testCase struct {
	Labels  map[string]string `json:"labels"`
	Rules   []rule            `json:"rules"`
	Invalid bool              `json:"invalid,omitempty"`
	Keep    bool              `json:"keep"`
	Result  map[string]string `json:"result,omitempty"`
}

func config(r rule) (*relabel.Config, error) {
	c := relabel.DefaultRelabelConfig
	if r.Action != "" {
		c.Action = relabel.Action(r.Action)
	}
	for _, name := range r.Source {
		c.SourceLabels = append(c.SourceLabels, model.LabelName(name))
	}
	if r.Separator != nil {
		c.Separator = *r.Separator
	}
	if r.Regex != nil {
		regex, err := relabel.NewRegexp(*r.Regex)
		if err != nil {
			return nil, err
		}
		c.Regex = regex
	}
	c.Modulus = r.Modulus
	if r.Target != nil {
		c.TargetLabel = *r.Target
	}
	if r.Replacement != nil {
		c.Replacement = *r.Replacement
	}
	return &c, c.Validate(model.LegacyValidation)
}

// judge fills in what Prometheus says.
func judge(t *testCase) {
	var configs []*relabel.Config
	for _, r := range t.Rules {
		c, err := config(r)
		if err != nil {
			t.Invalid = true
			return
		}
		configs = append(configs, c)
	}
	b := labels.NewBuilder(labels.FromMap(t.Labels))
	t.Keep = relabel.ProcessBuilder(b, configs...)
	if t.Keep {
		t.Result = b.Labels().Map()
	}
}

func text(s string) *string { return &s }

type set = map[string]string

// written are cases by hand.
func written() []testCase {
	abc := set{"a": "foo", "b": "bar", "c": "baz"}
	one := func(l set, rules ...rule) testCase { return testCase{Labels: l, Rules: rules} }
	names := set{"a": "foo", "b1": "bar", "b2": "baz", "__meta_my_bar": "x", "__meta_my_baz": "y"}
	return []testCase{
		one(abc, rule{Source: []string{"a"}, Regex: text("f(.*)"), Target: text("d"), Replacement: text("ch${1}-ch${1}")}),
		one(abc, rule{Source: []string{"a", "b"}, Regex: text("f(.*);(.*)r"), Target: text("a"), Replacement: text("b${1}${2}m")},
			rule{Source: []string{"c", "a"}, Regex: text("(b).*b(.*)ba(.*)"), Target: text("d"), Replacement: text("$1$2$2$3")}),
		one(abc, rule{Source: []string{"a"}, Regex: text(".*o.*"), Action: "drop"},
			rule{Source: []string{"a"}, Regex: text("f(.*)"), Target: text("d"), Replacement: text("ch$1-ch$1")}),
		one(abc, rule{Source: []string{"a"}, Regex: text("o"), Action: "drop"}),
		one(abc, rule{Source: []string{"a"}, Regex: text("f|o"), Action: "drop"}),
		one(abc, rule{Source: []string{"a"}, Regex: text("no-match"), Action: "drop"}),
		one(abc, rule{Source: []string{"a"}, Regex: text("no-match"), Action: "keep"}),
		one(abc, rule{Source: []string{"a"}, Regex: text("foo|b"), Action: "keep"}),
		one(set{"a": "boo"}, rule{Source: []string{"a"}, Regex: text("f"), Target: text("b"), Replacement: text("bar")}),
		one(set{"a": "boo"}, rule{Source: []string{"a"}, Regex: text("(b)oo"), Target: text("b"), Replacement: text("bar")}),
		one(abc, rule{Source: []string{"a"}, Regex: text("foo"), Target: text("a"), Replacement: text("")}),
		one(abc, rule{Target: text("a"), Replacement: text("")}),
		one(abc, rule{Target: text("d"), Replacement: text("always")}),
		one(abc, rule{Source: []string{"none"}, Target: text("a")}),
		one(abc, rule{Source: []string{"none"}, Regex: text("(.*)"), Target: text("d"), Replacement: text("x$1")}),
		one(abc, rule{Source: []string{"c"}, Target: text("d"), Action: "hashmod", Modulus: 1000}),
		one(set{"a": "foo\nbar"}, rule{Source: []string{"a"}, Target: text("b"), Action: "hashmod", Modulus: 1000}),
		one(set{"a": "foo\nbar"}, rule{Source: []string{"a"}, Regex: text("foo.bar"), Action: "keep"}),
		one(set{"a": "foo\nbar"}, rule{Source: []string{"a"}, Regex: text("(?-s)foo.bar"), Action: "keep"}),
		one(names, rule{Regex: text("(b.*)"), Replacement: text("bar_${1}"), Action: "labelmap"}),
		one(names, rule{Regex: text("__meta_(my.*)"), Replacement: text("${1}"), Action: "labelmap"}),
		one(names, rule{Regex: text("__meta_my_(.*)"), Action: "labelmap"}),
		one(names, rule{Regex: text("__meta_my_ba."), Replacement: text("same"), Action: "labelmap"}),
		one(names, rule{Regex: text("b.*"), Action: "labeldrop"}),
		one(names, rule{Regex: text("b.*"), Action: "labelkeep"}),
		one(set{"a": "some-name-value"}, rule{Source: []string{"a"}, Regex: text("some-([^-]+)-([^,]+)"), Replacement: text("${2}"), Target: text("${1}")}),
		one(set{"a": "some-name-value"}, rule{Source: []string{"a"}, Regex: text("some-([^-]+)-([^,]+)"), Replacement: text("${3}"), Target: text("${1}")}),
		one(set{"a": "some-name-0"}, rule{Source: []string{"a"}, Regex: text("some-([^-]+)-([^,]+)"), Replacement: text("${1}"), Target: text("${2}")}),
		one(set{"a": "some-2-value"}, rule{Source: []string{"a"}, Regex: text("some-([^-]+)-([^,]+)"), Replacement: text("${1}"), Target: text("${1}${2}")}),
		one(set{"a": "some-name-value"}, rule{Source: []string{"a"}, Regex: text("(?P<k>some-[^-]+)-(?<v>.+)"), Replacement: text("$k $v $x $$1 $"), Target: text("b")}),
		one(set{"__meta_sd_tags": "path:/secret,job:some-job,label:foo=bar"},
			rule{Source: []string{"__meta_sd_tags"}, Regex: text("(?:.+,|^)path:(/[^,]+).*"), Target: text("__metrics_path")},
			rule{Source: []string{"__meta_sd_tags"}, Regex: text("(?:.+,|^)job:([^,]+).*"), Target: text("job")},
			rule{Source: []string{"__meta_sd_tags"}, Regex: text("(?:.+,|^)label:([^=]+)=([^,]+).*"), Target: text("${1}"), Replacement: text("${2}")}),
		one(set{"a": "bAr123Foo"}, rule{Source: []string{"a"}, Target: text("b"), Action: "uppercase"},
			rule{Source: []string{"a"}, Target: text("c"), Action: "lowercase"}),
		one(set{"a": "Größe ÅÉ Ωк ǆ ß"}, rule{Source: []string{"a"}, Target: text("b"), Action: "uppercase"},
			rule{Source: []string{"a"}, Target: text("c"), Action: "lowercase"}),
		one(set{"__tmp_port": "1234", "__port1": "1234", "__port2": "5678"},
			rule{Source: []string{"__tmp_port"}, Target: text("__port1"), Action: "keepequal"}),
		one(set{"__tmp_port": "1234", "__port1": "1234", "__port2": "5678"},
			rule{Source: []string{"__tmp_port"}, Target: text("__port1"), Action: "dropequal"}),
		one(set{"__tmp_port": "1234", "__port2": "5678"},
			rule{Source: []string{"__tmp_port"}, Target: text("__port2"), Action: "keepequal"}),
		one(abc, rule{Source: []string{"none"}, Target: text("other"), Action: "keepequal"}),
		one(abc, rule{Source: []string{"a", "b", "c"}, Separator: text(""), Target: text("d")}),
		one(abc, rule{Source: []string{"a", "b", "c"}, Separator: text("||"), Target: text("d")}),
		one(abc, rule{Source: []string{"a"}, Regex: text(""), Target: text("d"), Replacement: text("x")}),
		one(abc, rule{Source: []string{"none"}, Regex: text(""), Target: text("d"), Replacement: text("x")}),
		// What is refused.
		one(abc, rule{Action: "hashmod", Source: []string{"a"}, Target: text("d")}),
		one(abc, rule{Source: []string{"a"}}),
		one(abc, rule{Source: []string{"a"}, Target: text("0a")}),
		one(abc, rule{Source: []string{"a"}, Target: text("a-b")}),
		one(abc, rule{Source: []string{"a"}, Target: text("$")}),
		one(abc, rule{Source: []string{"a"}, Target: text("${1")}),
		one(abc, rule{Source: []string{"a"}, Target: text("${1}_x$1")}),
		one(abc, rule{Action: "labelmap", Regex: text("(.*)"), Replacement: text("-$1")}),
		one(abc, rule{Action: "labelmap", Regex: text("(.*)"), Replacement: text("")}),
		one(abc, rule{Action: "lowercase", Source: []string{"a"}, Target: text("d"), Replacement: text("x")}),
		one(abc, rule{Action: "lowercase", Source: []string{"a"}, Target: text("${1}")}),
		one(abc, rule{Action: "hashmod", Source: []string{"a"}, Target: text("${1}"), Modulus: 8}),
		one(abc, rule{Action: "keepequal", Source: []string{"a"}, Target: text("b"), Separator: text(":")}),
		one(abc, rule{Action: "dropequal", Source: []string{"a"}, Target: text("b"), Modulus: 3}),
		one(abc, rule{Action: "keepequal", Source: []string{"a"}}),
		one(abc, rule{Action: "labeldrop", Regex: text("a"), Source: []string{"a"}}),
		one(abc, rule{Action: "labelkeep", Regex: text("a"), Target: text("a")}),
		one(abc, rule{Action: "labelkeep", Regex: text("a"), Replacement: text("x")}),
	}
}

// odd are patterns that are no RE2, beside some that look odd and are. PCRE2 differs in what a group
// has that was repeated after it had matched nothing, as in (|a)+: it is left out.
var odd = []string{
	`(a)\1`, `a(?=b)`, `a(?!b)`, `(?<=a)b`, `(?<!a)b`, `(?>a)`, `a++`, `a*+`, `a?+`, `a**`, `*a`, `+`, `a|*`, `(*FAIL)`,
	`(?#c)a`, `(?R)`, `(?1)`, `(?P=n)`, `(?P>n)`, `\K`, `\G`, `\Z`, `\R`, `\X`, `\h`, `\N`, `\e`, `\cA`, `\o{7}`, `\g1`,
	`\k<n>`, `\C`, `(?x)a`, `(?i`, `(?i-)a`, `(?-)a`, `(?J)a`, `(?|a)`, `(?'n'a)`, `(a`, `a)`, `[a`, `[]`, `[]a]+`, `[^]a]+`, `[b-a]`,
	`[[:foo:]]`, `[[:alpha:]]+`, `[[:^alpha:]]+`, `[[=a=]]`, `[[.a.]]`, `[a-\d]`, `[\d-z]+`, `[a-]+`, `[-a]+`, `[a&&b]+`, `[[a]+`, `[a]]`,
	`a{2}`, `a{2,}`, `a{,2}`, `a{2,1}`, `a{1001}`, `a{1000}`, `a{`, `a{}`, `a{1,2,3}`, `a{2}{3}`, `a{2}?`, `a{2}+`, `{2}`, `}`, `]`, `x{02}`,
	`\d+`, `\D+`, `\w+`, `\W+`, `\s+`, `\S+`, `[\s]+`, `[^\s]+`, `[\S]+`, `[\D\n]+`, `[^\W]+`, `\v+`, `[\v\t]+`, `\a|\f|\n|\r|\t`, `\x41`, `\x{1F600}`, `\x{110000}`, `\x4`, `\101`, `\0`, `\8`,
	`\pL+`, `\p{Lu}+`, `\p{^Lu}+`, `\PL+`, `[\p{Nd}a]+`, `\p{Foo}`, `\p`, `\Qa.b\E`, `\Qa.b`, `\Qa\E*`, `\`, `\_`, `\-`, `\é`, `é`, `é+`, `[é-ü]+`, `.`, `..`,
	`^a$`, `a^`, `$a`, `\Aa\z`, `\bfoo\b`, `f\Boo`, `(?m)^b$`, `(?ms)a.^b`, `(?i)FOO`, `(?i:F)oo`, `(?i)k`, `(?i)ſ`, `(?U)(a+)(a*)`, `(?U)a+?`, `(?s).`, `(?-s).`, `(?im-s:.)`,
	`(?P<n>a)(?P<n>b)`, `(?P<1>a)`, `(?P<>a)`, `(?P<n-m>a)`, `(?<n>a)`, `(a|)`, `()`, `(?:)`, `a||b`, `|`, `^*`, `\b+`, `$?`, `(?i)*`, `a(?i)b|C`, `a(?i:b|c)d|E`,
}

var values = []string{
	"", "a", "b", "aa", "ab", "foo", "Foo", "FOO", "bar", "foo;bar", "10.0.0.1:6060", "[::1]:6060", "web-7d4b", "a.b", "a\nb", "a\n", "\n",
	"é", "Größe", "KELVIN \u212a", "\u017f", "日本", "😀", "aaab", "abab", "true", "1", "07", "A", " ", "\v", "x y", "]", "}", "{", "a{,2}", "a{", "a-b", "-", "z", "\\", "$1", "_",
}

var names = []string{"a", "b", "c", "job", "__address__", "__meta_pod", "__meta_pod_label_app", "__meta_pod_label_tier", "app"}

// pattern is a random one, of pieces that RE2 has.
func pattern(r *rand.Rand, depth int) string {
	atoms := []string{"a", "b", "o", "f", ".", `\d`, `\w`, "[a-f]", "[^a]", "[^:;]", "foo", "bar", `\.`, ":", ";", "é", "_", "__meta_", "$", "^", `\pL`, `(?i)`}
	if depth == 0 || r.Intn(3) == 0 {
		return atoms[r.Intn(len(atoms))]
	}
	a, b := pattern(r, depth-1), pattern(r, depth-1)
	switch r.Intn(9) {
	case 0, 1, 2:
		return a + b
	case 3:
		return a + "|" + b
	case 4:
		return "(" + a + ")" + b
	case 5:
		return "(" + a + "|" + b + ")"
	case 6:
		return "(?P<n" + strconv.Itoa(r.Intn(1000000)) + ">" + a + ")" + b
	case 7:
		return "(?:" + a + ")" + []string{"*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{0,2}?"}[r.Intn(9)]
	default:
		return "(" + a + ".*)" + b
	}
}

func regex(r *rand.Rand) *string {
	switch r.Intn(12) {
	case 0:
		return nil
	case 1:
		return &odd[r.Intn(len(odd))]
	case 2:
		return text([]string{"(.*)", "(.+)", ".*", "(foo|bar)", "(.)(.*)", "__meta_pod_(.+)", "__meta_(.+)", "([^:]+)(?::\\d+)?"}[r.Intn(8)])
	default:
		return text(pattern(r, 1+r.Intn(3)))
	}
}

func pick(r *rand.Rand, from []string) *string {
	if r.Intn(9) == 0 {
		return nil
	}
	return &from[r.Intn(len(from))]
}

func random(r *rand.Rand) testCase {
	actions := []string{"", "replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"}
	t := testCase{Labels: set{}}
	for range 1 + r.Intn(5) {
		if v := values[r.Intn(len(values))]; v != "" {
			t.Labels[names[r.Intn(len(names))]] = v
		}
	}
	for range 1 + r.Intn(3) {
		c := rule{Action: actions[r.Intn(len(actions))], Regex: regex(r)}
		plain := strings.HasSuffix(c.Action, "equal")
		if plain {
			c.Regex = nil
		}
		if c.Action == "labeldrop" || c.Action == "labelkeep" {
			t.Rules = append(t.Rules, c)
			continue
		}
		for range r.Intn(3) {
			c.Source = append(c.Source, names[r.Intn(len(names))])
		}
		c.Target = pick(r, []string{"a", "b", "d", "app"})
		if c.Action == "replace" && r.Intn(2) == 0 {
			c.Target = pick(r, []string{"x_$1", "${1}", "${2}x", "$n1"})
		}
		if c.Action == "hashmod" {
			c.Modulus = 12345
		}
		if !plain && c.Action != "lowercase" && c.Action != "uppercase" {
			c.Separator = pick(r, []string{"", ";", ":", "-"})
			c.Replacement = pick(r, []string{"", "$1", "${1}", "$2", "x$1y", "${1}y", "$0", "$$", "$10", "$01", "a${", "$-", "_$1_${2}"})
		}
		t.Rules = append(t.Rules, c)
	}
	return t
}

func main() {
	seed, err := strconv.ParseInt(os.Args[1], 10, 64)
	if err != nil {
		panic(err)
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	all := written()
	for i := range odd {
		for _, value := range values[1:] {
			if len(all)%4 == 0 || value == "foo" || value == "a" {
				all = append(all, testCase{Labels: set{"a": value},
					Rules: []rule{{Source: []string{"a"}, Regex: &odd[i], Target: text("b"), Replacement: text("<$0|$1|$2>")}}})
			}
		}
	}
	r := rand.New(rand.NewSource(seed))
	for range n {
		all = append(all, random(r))
	}
	for i := range all {
		judge(&all[i])
		line, err := json.Marshal(all[i])
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
}
