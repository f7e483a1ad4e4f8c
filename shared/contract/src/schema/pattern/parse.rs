//! From the text of a pattern to what it says: ECMA-262 §22.2.1 with `u`, to the letter.

use icu_properties::CodePointSetData;
use icu_properties::props::{IdContinue, IdStart};
use regex_syntax::hir::ClassUnicode;

use super::class;

/// Groups within one another may be this many.
const MAX_NESTING: usize = 50;
const LOOK_AROUND: &str = "look-around (`(?=`, `(?!`, `(?<=`, `(?<!`) is not taken";
const BACK_REFERENCE: &str = "back-references (`\\1`, `\\k<name>`) are not taken";

/// What a pattern says. Whether a repetition is greedy makes no difference to whether there is a match.
#[derive(Debug)]
pub(super) enum Node {
    Set(ClassUnicode),
    Start,
    End,
    WordBoundary { is: bool },
    Repeat { node: Box<Node>, least: u32, most: Option<u32> },
    Sequence(Vec<Node>),
    Choice(Vec<Node>),
}

/// Reads a pattern.
///
/// # Errors
/// Why it can't be used: a clause without a full stop.
pub(super) fn parse(source: &str) -> Result<Node, String> {
    let flags = Flags { any_case: false, dot_is_all: false };
    let mut parser = Parser { rest: source.chars().collect(), at: 0, nesting: 0, flags, names: Vec::new() };
    let node = parser.choice()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err("a `)` has no `(`".to_owned()),
    }
}

#[derive(Clone, Copy)]
struct Flags {
    any_case: bool,
    dot_is_all: bool,
}

struct Parser {
    rest: Vec<char>,
    at: usize,
    nesting: usize,
    flags: Flags,
    /// The groups that a match may go through together with what is read next.
    names: Vec<String>,
}

/// What stands for a character, or for one of a set.
enum Part {
    /// A code point, perhaps half of a surrogate pair.
    One(u32),
    Set(ClassUnicode),
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(ahead, c)| self.rest.get(self.at + ahead) == Some(&c));
        self.at += if found { text.chars().count() } else { 0 };
        found
    }

    /// Everything up to the end that is named, which is passed over.
    fn until(&mut self, end: char) -> Option<String> {
        let length = self.rest.get(self.at..)?.iter().position(|c| *c == end)?;
        let text = self.rest[self.at..self.at + length].iter().collect();
        self.at += length + 1;
        Some(text)
    }

    fn choice(&mut self) -> Result<Node, String> {
        // Two alternatives may give a group the same name, since a match goes through one of them.
        let before = self.names.len();
        let (mut choices, mut names) = (Vec::new(), Vec::new());
        loop {
            choices.push(self.sequence()?);
            names.extend(self.names.drain(before..));
            if !self.eat("|") {
                break;
            }
        }
        self.names.extend(names);
        Ok(if choices.len() == 1 { choices.remove(0) } else { Node::Choice(choices) })
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let mut nodes = Vec::new();
        while self.peek().is_some_and(|c| c != '|' && c != ')') {
            let node = self.atom()?;
            nodes.push(self.repeated(node)?);
        }
        Ok(Node::Sequence(nodes))
    }

    fn atom(&mut self) -> Result<Node, String> {
        match self.next() {
            Some('^') => Ok(Node::Start),
            Some('$') => Ok(Node::End),
            Some('(') => self.group(),
            Some('[') => self.class().map(Node::Set),
            Some('\\') if self.eat("b") => Ok(Node::WordBoundary { is: true }),
            Some('\\') if self.eat("B") => Ok(Node::WordBoundary { is: false }),
            Some('\\') => Ok(Node::Set(match self.escape(false)? {
                Part::One(code) => self.cased(class::range(code, code)),
                Part::Set(set) => set,
            })),
            Some('.') if self.flags.dot_is_all => Ok(Node::Set(class::all())),
            Some('.') => Ok(Node::Set(class::no_line_end())),
            Some(c @ ('*' | '+' | '?')) => Err(format!("`{c}` has nothing to repeat")),
            Some('{') => Err("`{` begins no count such as `{2,5}`; write `\\{` for the character".to_owned()),
            Some(c @ (']' | '}')) => Err(format!("a `{c}` closes nothing; write `\\{c}` for the character")),
            Some(c) => Ok(Node::Set(self.cased(class::set(&[(c, c)])))),
            None => Err("it ends too early".to_owned()),
        }
    }

    /// The set with both cases of its letters, where case makes no difference.
    fn cased(&self, mut set: ClassUnicode) -> ClassUnicode {
        if self.flags.any_case {
            set.case_fold_simple();
        }
        set
    }

    fn repeated(&mut self, node: Node) -> Result<Node, String> {
        let before = self.at;
        let (least, most) = match self.next() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => self.count()?,
            _ => {
                self.at = before;
                return Ok(node);
            }
        };
        if matches!(node, Node::Start | Node::End | Node::WordBoundary { .. }) {
            return Err("`^`, `$`, `\\b` and `\\B` can't be repeated".to_owned());
        }
        if most.is_some_and(|most| most < least) {
            return Err("a count goes from the lower to the higher number".to_owned());
        }
        self.eat("?");
        Ok(Node::Repeat { node: Box::new(node), least, most })
    }

    /// `2}`, `2,}` or `2,5}`
    fn count(&mut self) -> Result<(u32, Option<u32>), String> {
        let text = self.until('}').unwrap_or_default();
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            // What does not fit is too much for any program, which the compiler says.
            digits.then(|| text.parse().unwrap_or(u32::MAX))
        };
        let count = match text.split_once(',') {
            None => number(&text).map(|exactly| (exactly, Some(exactly))),
            Some((least, "")) => number(least).map(|least| (least, None)),
            Some((least, most)) => number(least).zip(number(most).map(Some)),
        };
        count.ok_or_else(|| "`{` begins no count such as `{2,5}`; write `\\{` for the character".to_owned())
    }

    fn group(&mut self) -> Result<Node, String> {
        let outer = self.flags;
        if self.eat("?") {
            match self.next() {
                Some(':') => {}
                Some('=' | '!') => return Err(LOOK_AROUND.to_owned()),
                Some('<') if matches!(self.peek(), Some('=' | '!')) => return Err(LOOK_AROUND.to_owned()),
                Some('<') => {
                    let name = self.name()?;
                    if self.names.contains(&name) {
                        return Err(format!("two groups of one alternative have the name `{name}`"));
                    }
                    self.names.push(name);
                }
                _ => {
                    self.at -= 1;
                    self.flags = self.modifiers()?;
                }
            }
        }
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(format!("groups are nested deeper than {MAX_NESTING} levels"));
        }
        let node = self.choice()?;
        if !self.eat(")") {
            return Err("a `(` has no `)`".to_owned());
        }
        self.nesting -= 1;
        self.flags = outer;
        Ok(node)
    }

    /// `year>`, after `(?<`.
    fn name(&mut self) -> Result<String, String> {
        let mut name = String::new();
        loop {
            let c = match self.next() {
                Some('>') if !name.is_empty() => return Ok(name),
                Some('\\') if self.eat("u") => self.code_point().and_then(char::from_u32),
                other => other,
            };
            let starts = |c: char| CodePointSetData::new::<IdStart>().contains(c) || matches!(c, '$' | '_');
            let goes_on = |c: char| starts(c) || CodePointSetData::new::<IdContinue>().contains(c) || is_joiner(c);
            match c.filter(|c| if name.is_empty() { starts(*c) } else { goes_on(*c) }) {
                Some(c) => name.push(c),
                None => return Err("`(?<` is followed by a name of letters, digits, `_` or `$`, and `>`".to_owned()),
            }
        }
    }

    /// `i:`, `s-i:` and the like, after `(?`.
    fn modifiers(&mut self) -> Result<Flags, String> {
        let unknown = || "of groups that begin with `(?` it knows `(?:`, `(?<name>`, `(?i:` and `(?s:`".to_owned();
        let text = self.until(':').ok_or_else(unknown)?;
        let (on, off) = text.split_once('-').unwrap_or((&text, ""));
        let twice = |(at, letter): (usize, char)| text.chars().skip(at + 1).any(|other| other == letter);
        if text.chars().enumerate().any(twice) {
            return Err("a flag is named once in `(?i:` or `(?-i:`".to_owned());
        }
        let mut flags = self.flags;
        for (letters, value) in [(on, true), (off, false)] {
            for letter in letters.chars() {
                match letter {
                    'i' => flags.any_case = value,
                    's' => flags.dot_is_all = value,
                    _ => return Err(unknown()),
                }
            }
        }
        if on.is_empty() && off.is_empty() { Err(unknown()) } else { Ok(flags) }
    }

    /// What follows `[`, up to `]`.
    fn class(&mut self) -> Result<ClassUnicode, String> {
        let negated = self.eat("^");
        let mut set = ClassUnicode::empty();
        loop {
            if self.eat("]") {
                break;
            }
            let first = self.part()?;
            let is_range = self.peek() == Some('-') && self.rest.get(self.at + 1).is_some_and(|c| *c != ']');
            if !is_range {
                set.union(&match first {
                    Part::One(code) => class::range(code, code),
                    Part::Set(other) => other,
                });
                continue;
            }
            self.at += 1;
            match (first, self.part()?) {
                (Part::One(first), Part::One(last)) if first <= last => set.union(&class::range(first, last)),
                (Part::One(_), Part::One(_)) => {
                    return Err("a range in `[…]` goes from the lower to the higher character".to_owned());
                }
                _ => {
                    return Err(
                        "a range in `[…]` goes from one character to another, from or to no set such as `\\w`; \
                                write `\\-` for the dash"
                            .to_owned(),
                    );
                }
            }
        }
        let set = self.cased(set);
        Ok(if negated { class::not(set) } else { set })
    }

    fn part(&mut self) -> Result<Part, String> {
        match self.next() {
            None => Err("a `[` has no `]`".to_owned()),
            Some('\\') if self.eat("b") => Ok(Part::One(0x8)),
            Some('\\') => self.escape(true),
            Some(c) => Ok(Part::One(c.into())),
        }
    }

    /// What follows `\`, in a class or outside.
    fn escape(&mut self, in_class: bool) -> Result<Part, String> {
        let Some(c) = self.next() else { return Err("a `\\` ends it".to_owned()) };
        match c {
            'd' => Ok(self.named(class::digits())),
            'D' => Ok(self.named(class::not(class::digits()))),
            's' => Ok(self.named(class::space())),
            'S' => Ok(self.named(class::not(class::space()))),
            'w' => Ok(self.named(class::word())),
            // The complement comes after the case: where case makes no difference, `ſ` is a word's since `s` is.
            'W' => Ok(Part::Set(class::not(self.cased(class::word())))),
            'p' | 'P' => {
                let name = if self.eat("{") { self.until('}') } else { None };
                let name = name.ok_or("a property is written like `\\p{L}`")?;
                let set = class::property(&name).ok_or_else(|| {
                    format!(
                        "there is no property `\\p{{{name}}}`; it is written like `\\p{{Lu}}` or `\\p{{Script=Greek}}`"
                    )
                })?;
                Ok(self.named(if c == 'P' { class::not(set) } else { set }))
            }
            't' => Ok(Part::One(0x9)),
            'n' => Ok(Part::One(0xa)),
            'v' => Ok(Part::One(0xb)),
            'f' => Ok(Part::One(0xc)),
            'r' => Ok(Part::One(0xd)),
            '0' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => Ok(Part::One(0)),
            '0' => Err("octal escapes are not taken; write `\\x` and two hexadecimal digits".to_owned()),
            '1'..='9' | 'k' => Err(BACK_REFERENCE.to_owned()),
            'c' => match self.next() {
                Some(letter) if letter.is_ascii_alphabetic() => Ok(Part::One(u32::from(letter) % 32)),
                _ => Err("`\\c` is followed by a letter".to_owned()),
            },
            'x' => self.hexadecimal(2).map(Part::One).ok_or_else(bad_code),
            'u' => self.code_point().map(Part::One).ok_or_else(bad_code),
            '-' if in_class => Ok(Part::One(c.into())),
            c if "^$\\.*+?()[]{}|/".contains(c) => Ok(Part::One(c.into())),
            c if c.is_ascii_alphanumeric() => Err(format!("`\\{c}` means nothing")),
            c => Err(format!("`\\{c}` means nothing; write `{c}`")),
        }
    }

    fn named(&self, set: ClassUnicode) -> Part {
        Part::Set(self.cased(set))
    }

    fn hexadecimal(&mut self, length: usize) -> Option<u32> {
        let digits = self.rest.get(self.at..self.at + length)?;
        let value = digits.iter().try_fold(0, |value, c| Some(value * 16 + c.to_digit(16)?));
        self.at += length;
        value
    }

    /// `{1F600}`, `0041`, or two surrogates, after `\u`.
    fn code_point(&mut self) -> Option<u32> {
        if self.eat("{") {
            let digits = self.until('}')?;
            let hexadecimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let code = hexadecimal.then(|| u32::from_str_radix(&digits, 16).ok()).flatten();
            return code.filter(|code| *code <= u32::from(char::MAX));
        }
        let first = self.hexadecimal(4)?;
        let before = self.at;
        if (0xd800..0xdc00).contains(&first)
            && self.eat("\\u")
            && let Some(second) = self.hexadecimal(4).filter(|second| (0xdc00..0xe000).contains(second))
        {
            return Some(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        }
        self.at = before;
        Some(first)
    }
}

fn bad_code() -> String {
    "a character is written `\\x41`, `\\u0041` or `\\u{1F600}`".to_owned()
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}
