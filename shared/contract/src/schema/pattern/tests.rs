use proptest::prelude::*;

use super::*;

fn matches(pattern: &str, text: &str) -> bool {
    let pattern = Pattern::new(pattern.to_owned());
    assert_eq!(pattern.broken(), None, "{pattern:?}");
    pattern.matches(text)
}

fn why(pattern: &str) -> String {
    let broken = Pattern::new(pattern.to_owned()).broken().unwrap_or_else(|| panic!("{pattern} is taken"));
    assert_eq!((broken.code, broken.message.lines().count()), ("invalid_pattern", 1));
    broken.message
}

#[test]
fn what_can_not_be_used_is_refused_and_says_why() {
    let nested = "(".repeat(51) + &")".repeat(51);
    let ideographs: String = ('一'..).take(300).collect();
    let cases: String = ('一'..).take(90).map(|c| format!("[A-{c}]")).collect();
    let cases = format!("(?i:{cases})");
    for (bad, because) in [
        ("(a{1000}){1000}", "too large"),
        (r"\w{50000}", "too large"),
        ("((a{100}){100}){100}", "too large"),
        ("(?:a?){100000}", "too large"),
        ("a{99999999999999999999}", "too large"),
        ("a(?=b)", "look-around"),
        ("a(?!b)", "look-around"),
        ("(?<=a)b", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back-references"),
        (r"(?<n>a)\k<n>", "back-references"),
        ("(", "`(` has no `)`"),
        ("a)", "`)` has no `(`"),
        ("[", "`[` has no `]`"),
        ("[a", "`[` has no `]`"),
        ("a{2,1}", "lower to the higher"),
        ("a{,5}", "begins no count"),
        ("a{x}", "begins no count"),
        ("{1}", "begins no count"),
        ("*", "nothing to repeat"),
        ("a**", "nothing to repeat"),
        ("a++", "nothing to repeat"),
        ("a{2}{3}", "begins no count"),
        ("(?:^)*|^*", "can't be repeated"),
        (r"\b+", "can't be repeated"),
        (r"\", "ends it"),
        (r"\q", "means nothing"),
        (r"\A", "means nothing"),
        (r"\z", "means nothing"),
        (r"\07", "octal"),
        (r"[\1]", "back-references"),
        (r"\c1", "followed by a letter"),
        (r"\x4", r"\x41"),
        (r"\u12", r"\x41"),
        (r"\u{}", r"\x41"),
        (r"\u{110000}", r"\x41"),
        (r"\p{Nope}", r"\p{Nope}"),
        (r"\p{L", r"\p{L}"),
        (r"\pL", r"\p{L}"),
        (r"\p{L}\P{}", r"\p{}"),
        ("(?P<a>b)", "(?:"),
        ("(?i)a", "(?:"),
        ("(?m:^a)", "(?:"),
        ("(?-u:a)", "(?:"),
        ("(?<1a>b)", "(?<"),
        ("(?<>b)", "(?<"),
        ("(?#x)", "(?:"),
        ("[z-a]", "lower to the higher"),
        (nested.as_str(), "nested deeper"),
        (ideographs.as_str(), "too many characters"),
        (cases.as_str(), "too many ranges"),
        (r"\b(?i:a\b)", "both inside and outside"),
        (r"(?i:(?-i:\B)a\b)", "both inside and outside"),
    ] {
        let message = why(bad);
        assert!(message.contains(because), "{bad}: {message}");
    }
}

#[test]
fn patterns_match_as_in_a_browser() {
    for (pattern, good, bad) in [
        ("b", &["abc"][..], &["ac", ""][..]),
        ("^b", &["b", "bc"], &["abc", "a\nb"]),
        ("^b$", &["b"], &["a\nb\nc", "b\n"]),
        ("", &["", "a"], &[]),
        ("^(a+)+$", &["aaa"], &["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"]),
        (r"^.{1,255}$", &["a", "🌳"], &["", "a\nb", "a\r", "\u{2028}", "a\u{2029}b"]),
        (r"^\w{3,30}$", &["ada", "Ada_9"], &["ad", "zoë", "ａｄａ", "ada "]),
        (r"^[\p{L} '-]{1,30}$", &["Zoë O'Neil-Łódź", "Ελλάδα", "李"], &["a1", "", "a_b"]),
        (r"^\d+$", &["0123456789"], &["١٢٣", "１２", ""]),
        (r"^\D$", &["١", "a", "🌳"], &["1"]),
        (r"^\s$", &["\u{feff}", "\u{a0}", "\u{b}", "\u{2028}", "\u{3000}"], &["\u{85}", "\u{180e}", "\u{200b}", "a"]),
        (r"^\S$", &["\u{85}", "a"], &["\u{feff}", " "]),
        (r"^\W$", &["é", "-"], &["a", "_"]),
        (r"\bfoo\b", &["a foo b", "éfoo", "foo"], &["afoo", "foo_", "foo1"]),
        (r"^\b$|^é\B$", &["é"], &["", "a"]),
        (r"a\Bb", &["ab"], &["a b"]),
        (r"^[A-Z]{2}-\d{4}$", &["AB-0001"], &["AB-001", "ab-0001"]),
        (r"^\/-\.@_ #$", &["/-.@_ #"], &[""]),
        (r"^[\w.\-]+@[\w.-]+$", &["a.b-c@d-e.f"], &["a@", "a b@c"]),
        (r"^[\d\-x]+$", &["1-x"], &["w", "5y"]),
        (r"^[a-]+$", &["a-"], &["b"]),
        (r"^[-a]+$", &["a-"], &["b"]),
        (r"^[^]$", &["a", "\n", "🌳"], &["", "ab"]),
        (r"^[]$|x", &["x"], &["", "a"]),
        (r"^[^\d]$", &["a", "\n"], &["1"]),
        (r"^[^\W]$", &["a"], &["-"]),
        (r"^[[&&a]+$", &["[&a&"], &["b"]),
        (r"^\]\}$", &["]}"], &["]"]),
        (r"^[^\uD800-\uDFFF]+$", &["a🌳"], &[""]),
        (r"\uD83C|\u{DF33}|[\uD83C\u{DF33}]", &[], &["🌳", "a"]),
        (r"^[\uD7FF-\uE000]$", &["\u{d7ff}", "\u{e000}"], &["\u{d7fe}", "\u{e001}"]),
        (r"^\p{sc=Greek}\p{scx=Greek}$", &["ΩΩ", "Ω\u{342}"], &["\u{342}Ω"]),
        (r"^[\]\\^]+$", &[r"]\^"], &["a"]),
        (r"^[\b]$", &["\u{8}"], &["b"]),
        (r"^\cJ\cj\x41\u0042\u{43}\u{1F600}\uD83D\uDE00\0$", &["\n\nABC😀😀\0"], &["\n\nABC😀"]),
        (r"^[\uD83D\uDE00-\u{1F64F}]$", &["😀", "🙏"], &["🚀"]),
        (r"^\t\n\v\f\r$", &["\t\n\u{b}\u{c}\r"], &["\t\n\u{b}\u{c}r"]),
        (r"^(?<year>\d{4})-(?:0[1-9]|1[0-2])$", &["2026-01", "2026-12"], &["2026-13", "26-01"]),
        (r"^(?<$n_1>a)?(?<é>b)*?$", &["", "abb"], &["c"]),
        (r"^(?i:straße)$", &["STRAßE", "straẞe"], &["strasse"]),
        (r"^(?i:a(?-i:b)[c-d]\w)$", &["AbCx", "abdſ"], &["aBc1"]),
        (r"^(?i:[^a])$", &["b"], &["a", "A"]),
        (r"^(?i:\P{Lu}\p{Lu})$", &["aa", "AA", "1a"], &["a1"]),
        (r"^(?i:[^\P{Lu}])$", &[], &["a", "A", "1"]),
        (r"^(?i:\w\W)$", &["ſé"], &["éſ", "ſ\u{212a}"]),
        (r"^(?i:\bſ\B\u212A\b)$", &["ſ\u{212a}", "sk"], &["ſé"]),
        (r"^(?i:\D[^\d]\P{Lu}[^\S]\P{ASCII})$", &["aAA \u{212a}", "éa1 é"], &["1aA é", "aaaaé", "aAA 1"]),
        (r"^\bſ|\u212A\b$", &[], &["ſ", "\u{212a}"]),
        (r"^a(?s:.).$", &["a\nb"], &["ab\n"]),
        (r"^(?s-i:.)$", &["\n"], &[""]),
        (r"^a{2}b{1,}c{0,1}d{0}$", &["aab", "aabbc"], &["ab", "aabcd"]),
        (r"^a+?b*?c??$", &["aabbc"], &["b"]),
        (r"^(?:){4294967295}$", &[""], &["a"]),
        (r"^(|a)(b|)$", &["", "a", "b", "ab"], &["ba"]),
        (r"^(?:|a)+$", &["", "aa"], &["b"]),
        (r"^\p{Script=Greek}+$", &["Ελλάδα"], &["Ellada"]),
        (r"^\p{sc=Latin}\p{Lu}\p{General_Category=Nd}\P{L}$", &["aÉ5-"], &["aé5-"]),
        (r"^\p{Emoji_Presentation}\p{Zl}[\p{Zp}]$", &["🌳\u{2028}\u{2029}"], &["a"]),
        (r"^[\p{Lu}\p{Lt}][^\P{L}]$", &["Éa"], &["E1"]),
        (r"^\p{ASCII}\p{Any}$", &["aé"], &["éa"]),
        (r"^\+?[1-9]\d{1,14}$", &["+4915112345678"], &["0", "+0"]),
        (r"^#(?:[0-9a-fA-F]{3}){1,2}$", &["#fff", "#00FF00"], &["#ffff"]),
        (r"^[a-z0-9]+(?:-[a-z0-9]+)*$", &["a-b-1"], &["a--b", "-a", "A"]),
    ] {
        for text in good {
            assert!(matches(pattern, text), "{pattern} {text:?}");
        }
        for text in bad {
            assert!(!matches(pattern, text), "{pattern} {text:?}");
        }
    }
}

/// What a set costs is spent once, however often the pattern names it.
#[test]
fn a_set_may_stand_there_again_and_again() {
    for (part, times) in [(r"\D", 490), (r"\S", 490), (r"\W", 490), (r"\P{Lu}", 160), (r"\p{L}", 190)] {
        for (open, close) in [("", ""), ("(?i:", ")"), ("(?i:[", "])"), ("[^", "]")] {
            let pattern = Pattern::new(format!("{open}{}{close}", part.repeat(times)));
            assert_eq!(pattern.broken(), None, "{pattern:?}");
        }
    }
}

#[test]
fn everyday_patterns_are_small() {
    for (pattern, length) in [
        (r"^.{1,255}$", 255),
        (r"^\w{3,30}$", 30),
        (r"^[\p{L} '-]{1,30}$", 30),
        (r"^[\p{L}\p{M}\p{N} .,'’()&/-]{1,200}$", 200),
        (r"^[^<>]{0,1000}$", 1_000),
        (r"^[\s\S]{1,2000}$", 2_000),
    ] {
        let pattern = Pattern::new(pattern.to_owned());
        assert_eq!(pattern.broken(), None);
        let steps = pattern.steps(length);
        assert!(steps <= length * (3 * length + 20), "{pattern:?} {steps}");
        let bytes = pattern.program().unwrap().bytes();
        assert!(bytes < 32 * 1_024 + 100 * length, "{pattern:?} {bytes}");
    }
    assert!(matches(r"^.{1,255}$", &"🌳".repeat(255)) && !matches(r"^.{1,255}$", &"🌳".repeat(256)));
}

/// A pattern that ECMA-262 and the `regex` crate's syntax read alike, for texts of a few letters.
fn alike() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        proptest::sample::select(vec![
            "a",
            "b",
            "é",
            "🌳",
            r"\.",
            "[ab]",
            "[^aé]",
            "[a-é]",
            r"[\p{L}.]",
            r"\P{L}",
            "()",
            "^",
            "$"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            (inner, proptest::sample::select(vec!["*", "+", "?", "{2}", "{1,3}", "{0,2}?", "*?"]))
                .prop_map(|(part, times)| format!("({part}){times}")),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_another_engine(pattern in alike(), texts in proptest::collection::vec("[abé🌳.]{0,6}", 1..8)) {
        use regex_automata::nfa::thompson::pikevm::PikeVM;
        // Theirs takes the same text, byte by byte, without our alphabet.
        let theirs = PikeVM::new(&pattern).unwrap();
        for text in texts {
            let found = theirs.is_match(&mut theirs.create_cache(), text.as_str());
            prop_assert_eq!(matches(&pattern, &text), found, "{} {:?}", pattern, text);
        }
    }

    #[test]
    fn nothing_panics(pattern in any::<String>(), near in r"[\[\](){}*+?|^$\\.,\-<>:=!0-9a-zA-Zé]{0,24}", text in any::<String>()) {
        for source in [pattern, near] {
            let pattern = Pattern::new(source);
            let _ = (pattern.broken(), pattern.matches(&text));
            prop_assert!(pattern.cost() + pattern.steps(pattern.longest()) <= MAX_STEPS);
        }
    }
}

/// Checked against Node 20 with `new RegExp(pattern, "u")`, but for what ES2025 added since.
#[test]
fn the_dialect_is_ecma_262_with_u_to_the_letter() {
    for good in [
        r"\p{Script=Greek}",
        r"\p{sc=Grek}",
        r"\p{Script_Extensions=Greek}",
        r"\p{scx=Zyyy}",
        r"\p{Lu}",
        r"\p{LC}",
        r"\p{punct}",
        r"\p{digit}",
        r"\p{cntrl}",
        r"\p{Combining_Mark}",
        r"\p{gc=Uppercase_Letter}",
        r"\p{Alpha}",
        r"\p{space}",
        r"\p{ExtPict}",
        r"\p{Changes_When_NFKC_Casefolded}",
        r"\P{Assigned}",
        r"\p{Cs}",
        r"[\w.-]",
        r"[\d-]",
        r"[-\d]",
        r"[a-b-\d]",
        r"[a-b-c]",
        "[---]",
        "[^]",
        "[^^]",
        "[a&&b]",
        r"[\-\^\]]",
        "(?<a>x)(?<b>y)",
        "(?<a>x)|(?<a>y)",
        "(?:(?<a>x)|(?<a>y))z",
        "(?<$a_1>x)",
        "(?<é>x)",
        "(?<℘>x)",
        "(?<a·>x)",
        "(?<Ⅷ>x)",
        "(?<𝒜>x)",
        r"(?<\u0061\u{62}>x)",
        r"(?<\uD835\uDC9C>x)",
        r"\^\$\\\.\*\+\?\(\)\[\]\{\}\|\/",
        r"\u{0000000041}",
        r"\uD83D",
        r"\uD83D\u0041",
        r"[\uD800-\uDFFF]",
        r"[\uFFFF-\u{10FFFF}]",
        "a{00,01}",
        "a||b",
        "(|)",
        "(?i-s:a)",
        "(?i-:a)",
    ] {
        assert_eq!(Pattern::new(good.to_owned()).broken(), None, "{good}");
    }
    for (bad, because) in [
        (r"\p{Greek}", r"\p{Script=Greek}"),
        (r"\p{Script=greek}", "no property"),
        (r"\p{script=Greek}", "no property"),
        (r"\p{Script=Katakana_Or_Hiragana}", "no property"),
        (r"\p{lu}", "no property"),
        (r"\p{alpha}", "no property"),
        (r"\p{White_space}", "no property"),
        (r"\p{any}", "no property"),
        (r"\p{L&}", "no property"),
        (r"\p{^L}", "no property"),
        (r"\p{ L}", "no property"),
        (r"\p{IsGreek}", "no property"),
        (r"\p{Script}", "no property"),
        (r"\p{gc=}", "no property"),
        (r"\p{Age=3.0}", "no property"),
        (r"\p{Hyphen}", "no property"),
        (r"\p{RGI_Emoji}", "no property"),
        ("}", r"write `\}`"),
        ("a]", r"write `\]`"),
        ("]}", r"write `\]`"),
        ("[]]", r"write `\]`"),
        (r"[\w-.]", r"write `\-`"),
        (r"[a-\d]", r"write `\-`"),
        (r"[\d-a]", r"write `\-`"),
        (r"[--\d]", r"write `\-`"),
        (r"[\p{L}-\p{Nd}]", r"write `\-`"),
        ("[a--]", "lower to the higher"),
        (r"[\u{1F600}-\uD83D]", "lower to the higher"),
        (r"\@", "write `@`"),
        (r"\_", "write `_`"),
        (r"\-", "write `-`"),
        (r"\ ", "write ` `"),
        (r"\é", "write `é`"),
        (r"[\@]", "write `@`"),
        (r"[\B]", "means nothing"),
        ("(?<a>x)(?<a>y)", "the name `a`"),
        ("(?<a>(?<a>x))", "the name `a`"),
        ("(?:(?<a>x)|y)(?<a>z)", "the name `a`"),
        (r"(?<a>x)(?<\u0061>y)", "the name `a`"),
        ("(?<a-b>x)", "(?<"),
        ("(?<²>x)", "(?<"),
        ("(?<a²>x)", "(?<"),
        (r"(?<\x61>x)", "(?<"),
        (r"(?<\uD835>x)", "(?<"),
        ("(?<a", "(?<"),
        ("(?ii:a)", "once"),
        ("(?i-i:a)", "once"),
        ("(?-:a)", "(?:"),
    ] {
        assert!(why(bad).contains(because), "{bad}: {}", why(bad));
    }
}
