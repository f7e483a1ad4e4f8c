//! From the text of a pattern to what it says: ECMA-262 §22.2.1 with `u`, to the letter.

mod sets;

use icu_properties::CodePointSetData;
use icu_properties::props::{IdContinue, IdStart};
use regex_syntax::hir::ClassUnicode;

use self::sets::{Part, Sets};
use super::{class, fold};

/// Groups within one another may be this many.
const MAX_NESTING: usize = 50;
const LOOK_AROUND: &str = "look-around (`(?=`, `(?!`, `(?<=`, `(?<!`) is not taken";

/// What a pattern says. Whether a repetition is greedy makes no difference to whether there is a match.
#[derive(Debug)]
pub(super) enum Node {
    /// One of a set's characters, by the set's index among those of the pattern.
    Set(usize),
    Start,
    End,
    WordBoundary {
        is: bool,
    },
    Repeat {
        node: Box<Node>,
        least: u32,
        most: Option<u32>,
    },
    Sequence(Vec<Node>),
    Choice(Vec<Node>),
}

/// A pattern that was read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) node: Node,
    /// Its sets, each once.
    pub(super) sets: Vec<ClassUnicode>,
    /// The characters of words, if it asks for their boundaries.
    pub(super) words: Option<ClassUnicode>,
    /// The steps that its sets took.
    pub(super) steps: usize,
}

/// Reads a pattern.
///
/// # Errors
/// Why it can't be used: a clause without a full stop.
pub(super) fn parse(source: &str) -> Result<Parsed, String> {
    let mut parser = Parser {
        rest: source.chars().collect(),
        at: 0,
        nesting: 0,
        flags: Flags { any_case: false, dot_is_all: false },
        names: Vec::new(),
        sets: Sets::default(),
        boundaries: None,
    };
    let node = parser.choice()?;
    if parser.peek().is_some() {
        return Err("a `)` has no `(`".to_owned());
    }
    let words = parser.boundaries.map(|any_case| if any_case { fold::closed(&class::word()) } else { class::word() });
    let steps = parser.sets.steps();
    Ok(Parsed { node, sets: parser.sets.all(), words, steps })
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
    sets: Sets,
    /// Whether the boundaries of words that it asks for are those where case makes no difference, if it asks for any.
    boundaries: Option<bool>,
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
            Some('[') => self.class(),
            Some('\\') if self.eat("b") => self.boundary(true),
            Some('\\') if self.eat("B") => self.boundary(false),
            Some('\\') => match self.escape(false)? {
                Part::One(code) => self.one(code),
                Part::Set(set) => self.sets.node(&set),
            },
            Some('.') if self.flags.dot_is_all => self.sets.node(&class::all()),
            Some('.') => self.sets.node(&class::no_line_end()),
            Some(c @ ('*' | '+' | '?')) => Err(format!("`{c}` has nothing to repeat")),
            Some('{') => Err("`{` begins no count such as `{2,5}`; write `\\{` for the character".to_owned()),
            Some(c @ (']' | '}')) => Err(format!("a `{c}` closes nothing; write `\\{c}` for the character")),
            Some(c) => self.one(c.into()),
            None => Err("it ends too early".to_owned()),
        }
    }

    fn one(&mut self, code: u32) -> Result<Node, String> {
        let set = self.cased(class::range(code, code))?;
        self.sets.node(&set)
    }

    /// The automaton knows one kind of words; where case makes no difference, `ſ` and `K` (Kelvin) are of words too.
    fn boundary(&mut self, is: bool) -> Result<Node, String> {
        if *self.boundaries.get_or_insert(self.flags.any_case) != self.flags.any_case {
            return Err("`\\b` and `\\B` stand both inside and outside of `(?i:…)`, where words differ".to_owned());
        }
        Ok(Node::WordBoundary { is })
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
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}
